"""The sandbox's ministack in a process of its own, asked about trust policies: a question a line in, an answer out.

Of its own because ministack patches and logging are the whole process's.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.services import iam

from sandbox import engine as deciding
from sandbox import grammar
from sandbox.engine import REGION, Engine
from sandbox.errors import AwsError
from sandbox.state import Records

TARGET = "arn:aws:iam::222233334444:role/target"


def make_roles(engine: Engine, arns: list[str]) -> None:
    for arn in arns:
        account, resource = arn.split(":")[4], arn.split(":", 5)[5]
        path, _, name = resource.removeprefix("role").rpartition("/")
        root = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [root]})
        call = engine.call(account, "CreateRole", RoleName=name, Path=f"{path}/", AssumeRolePolicyDocument=document)
        asyncio.run(call)


def decide(question: dict[str, Any]) -> str:
    """`allowed`, `denied`, or IAM's refusal to save the document."""
    try:
        stored = grammar.trust_document(json.dumps(question["document"]), deciding._unique_id)
    except AwsError as error:
        return f"{error.code}: {error.message}"
    arn, session = question["caller"], question["session_name"]
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    role = iam._roles.get_scoped(account, None, name)
    caller = f"arn:aws:sts::{account}:assumed-role/{name}/{session}"
    context = EvalContext(
        principal_arn=caller,
        principal_type="AssumedRole",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=TARGET,
        region=REGION,
        source_ip=question["source_ip"],
        secure_transport=True,
        principal_keys={"aws:userid": f"{role['RoleId']}:{session}", **question["keys"]},
    )
    asked = {"RoleSessionName": session, **({"ExternalId": question["external_id"]} if question["external_id"] else {})}
    deciding._asked.set(asked)
    return "allowed" if iam_evaluator.evaluate_trust_policy(json.dumps(stored), caller, context) else "denied"


def main() -> None:
    engine = Engine(Records(Path(sys.argv[1])))
    make_roles(engine, sys.argv[2:])
    for line in sys.stdin:
        print(json.dumps(decide(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

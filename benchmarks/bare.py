"""The calls of a validation, bare: boto3, one process, one thread.

Each line on standard input is one round; its answer is the CPU milliseconds that a validation took.
"""

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError

from benchmarks.sts_stand_in import right_external_id
from onboarding.core.probes import wrong_external_ids

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})


def the_calls(client: "STSClient", role_name: str) -> None:
    """All on one shared client but one: to ask whom the role's own keys belong to, boto3 needs a client for them."""
    assume: dict[str, Any] = {
        "RoleArn": f"arn:aws:iam::222233334444:role/{role_name}",
        "RoleSessionName": "tobiishi-validator",
        "DurationSeconds": 900,
        "Policy": POLICY,
    }
    client.get_caller_identity()
    right = right_external_id(role_name)
    keys = client.assume_role(**assume, ExternalId=right)["Credentials"]
    wrong = wrong_external_ids(right).values()
    for refused in (assume, *({**assume, "ExternalId": external_id} for external_id in wrong)):
        try:
            client.assume_role(**refused)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
        else:
            raise AssertionError("the role opened")
    _client_for(keys).get_caller_identity()


def _client_for(keys: "CredentialsTypeDef") -> "STSClient":
    return boto3.client(
        "sts",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def main(validations: int) -> None:
    client = boto3.client("sts")
    for _ in sys.stdin:
        started = time.process_time()
        for number in range(validations):
            the_calls(client, f"Reader{number}")
        print((time.process_time() - started) * 1000 / validations, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--validations", type=int, required=True)
    main(parser.parse_args().validations)

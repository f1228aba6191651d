"""The same two calls as we make them: AssumeRole, then GetCallerIdentity with the role's keys.

Each line on standard input is one round; its answer is the CPU milliseconds that both took.
"""

import sys
import time

from botocore.credentials import Credentials

from benchmarks.sts_stand_in import right_external_id
from onboarding.aws import clients, signed
from onboarding.aws.clients import Identity

_ME = Identity("ap-northeast-1")
_ROLE, _ROUNDS = sys.argv[1], int(sys.argv[2])


def connect() -> None:
    client = clients.sts(_ME)
    parameters = {
        "RoleArn": f"arn:aws:iam::222233334444:role/{_ROLE}",
        "RoleSessionName": clients.VALIDATOR_SESSION_NAME,
        "DurationSeconds": "900",
        "ExternalId": right_external_id(_ROLE),
    }
    answer = signed.ask(client, clients.keys_of(_ME), "AssumeRole", region=_ME.region, where="", **parameters)
    keys = answer["Credentials"]
    credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    who = signed.ask(client, credentials, "GetCallerIdentity", region=_ME.region, where="")
    if f":assumed-role/{_ROLE}/" not in who["Arn"]:
        raise AssertionError(who)


for _ in sys.stdin:
    started = time.process_time()
    for _number in range(_ROUNDS):
        connect()
    print((time.process_time() - started) * 1000 / _ROUNDS, flush=True)

"""Prowler's `test_connection`, in an environment of its own: AssumeRole, then GetCallerIdentity as the role.

Each line on standard input is one round; its answer is the CPU milliseconds that a connection took. Runs with the
Python that has Prowler, so it imports nothing of ours.
"""

import sys
import time

from prowler.providers.aws.aws_provider import AwsProvider

_ROLE, _ROUNDS = sys.argv[1], int(sys.argv[2])


def connect() -> None:
    connection = AwsProvider.test_connection(
        aws_access_key_id="AKIAINVENTED",
        aws_secret_access_key="invented",
        aws_region="ap-northeast-1",
        role_arn=f"arn:aws:iam::222233334444:role/{_ROLE}",
        external_id=f"bench-{_ROLE}",
        raise_on_exception=True,
    )
    if not connection.is_connected:
        raise connection.error


for _ in sys.stdin:
    started = time.process_time()
    for _number in range(_ROUNDS):
        connect()
    print((time.process_time() - started) * 1000 / _ROUNDS, flush=True)

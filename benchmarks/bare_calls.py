"""AssumeRole on a shared boto3 client, one thread, nothing around it: as often denied as in a validation.

Each line on standard input is one round; its answer is the CPU milliseconds that a call took.
"""

import argparse
import sys
import time
from typing import Any

import boto3
from botocore.exceptions import ClientError

from benchmarks.bare import POLICY
from benchmarks.sts_stand_in import right_external_id


def main(calls: int) -> None:
    client = boto3.client("sts")
    for _ in sys.stdin:
        started = time.process_time()
        for number in range(calls):
            _assume(client, number)
        print((time.process_time() - started) * 1000 / calls, flush=True)


def _assume(client: Any, number: int) -> None:
    right = right_external_id("Reader")
    try:
        client.assume_role(
            RoleArn="arn:aws:iam::222233334444:role/Reader",
            RoleSessionName="tobiishi-validator",
            DurationSeconds=900,
            Policy=POLICY,
            ExternalId="wrong" if number % 6 else right,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, required=True)
    main(parser.parse_args().calls)

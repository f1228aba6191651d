"""The same tries in bare threads: no database, no queue; `--processes` of these run side by side.

Each line on standard input is one round of all roles; its answer is a line when they have been tried.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor

from benchmarks.sts_stand_in import right_external_id
from onboarding.aws import sts
from onboarding.aws.clients import Identity
from onboarding.aws.sts import ProbeOrder
from onboarding.core.arns import RoleArn

_ME = Identity("ap-northeast-1")


def order_of(number: int) -> ProbeOrder:
    name = f"Reader{number}"
    return ProbeOrder(
        identity=_ME,
        role_arn=RoleArn.parse(f"arn:aws:iam::222233334444:role/{name}"),
        external_id=right_external_id(name),
    )


def main(roles: int, threads: int) -> None:
    orders = [order_of(number) for number in range(roles)]
    sts.who_we_are(_ME)
    for _ in sys.stdin:
        with ThreadPoolExecutor(threads) as pool:
            tried = list(pool.map(sts.probe_role, orders))
        print(len(tried), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--roles", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    main(arguments.roles, arguments.threads)

"""The portal's side of a sweep: registers roles, lets them fall due, and waits until the workers have checked them.

Each line on standard input is a question; the answer is a number.

    sweep     wall-clock milliseconds a validation, from the sweep's first query to the last role's verdict
    cpu       CPU milliseconds of the workers a validation, in the last sweep
    queue     milliseconds that the database took to find and queue all roles, with no worker at hand
    memory    megabytes of the worker process that holds most
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import django
import psutil

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.rounds import set_up_permission_set  # noqa: E402
from benchmarks.sts_stand_in import right_external_id  # noqa: E402
from onboarding.core.arns import AccountId  # noqa: E402
from onboarding.core.probes import VerdictCode  # noqa: E402
from onboarding.core.states import State  # noqa: E402
from onboarding.models import ExternalRole, Validation  # noqa: E402
from onboarding.services import registration, validation  # noqa: E402
from onboarding.services.registration import PartnerDetails  # noqa: E402

_PATIENCE_SECONDS = 900
_MEGABYTE = 1024 * 1024


def register_roles(count: int) -> None:
    """In one statement: thousands of registrations are not what is measured."""
    admin, permission_set = set_up_permission_set()
    details = PartnerDetails(name="Willow", language="en", contact_name="Bo", contact_email="bo@willow.example")
    account = registration.register_account(
        registration.register_partner(details, by=admin),
        AccountId("222233334444"),
        bastion=permission_set.bastion,
        label="",
        by=admin,
    )
    now = timezone.now()
    names = [f"Reader{number}" for number in range(count)]
    ExternalRole.objects.bulk_create(
        [
            ExternalRole(
                account=account,
                permission_set=permission_set,
                external_id=right_external_id(name),
                role_name=name,
                profile_name=name.lower(),
                region="ap-northeast-1",
                purpose="Measuring.",
                role_arn=f"arn:aws:iam::{account.account_id}:role/{name}",
                returned_at=now,
                first_proven_at=now,
                last_proven_at=now,
                state=State.PROVEN,
                state_since=now,
                next_check_at=now,
                created_by=admin,
            )
            for name in names
        ]
    )


@dataclass(slots=True)
class Portal:
    worker: psutil.Process | None
    _cpu: float = 0.0

    def sweep(self) -> float:
        self._let_all_fall_due()
        count, before, started = ExternalRole.objects.count(), self._cpu_seconds(), time.monotonic()
        validation.sweep()
        self._wait_for_the_last()
        lasted = (time.monotonic() - started) * 1000 / count
        self._cpu = (self._cpu_seconds() - before) * 1000 / count
        proven = Validation.objects.filter(verdict=VerdictCode.PROVEN).count()
        if proven != count:
            raise AssertionError(f"{proven} of {count} roles were proven")
        return lasted

    def cpu(self) -> float:
        return self._cpu

    def queue(self) -> float:
        self._let_all_fall_due()
        with _database_time() as spent:
            validation.sweep()
        return sum(spent)

    def memory(self) -> float:
        return float(max(process.memory_info().rss for process in self._processes()[1:])) / _MEGABYTE

    def _let_all_fall_due(self) -> None:
        Validation.objects.all().delete()
        ExternalRole.objects.update(next_check_at=timezone.now())
        if connection.vendor == "postgresql":
            # As autovacuum would have done long before the next interval.
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE onboarding_externalrole, onboarding_validation")

    def _wait_for_the_last(self) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while Validation.objects.open().exists():
            if time.monotonic() > until:
                raise TimeoutError("the workers did not answer")
            time.sleep(0.02)

    def _cpu_seconds(self) -> float:
        times = [process.cpu_times() for process in self._processes()]
        return float(sum(spent.user + spent.system for spent in times))

    def _processes(self) -> list[psutil.Process]:
        return [self.worker, *self.worker.children(recursive=True)] if self.worker else []


@contextmanager
def _database_time() -> Iterator[list[float]]:
    spent: list[float] = []

    def timed(execute: Callable[..., Any], *arguments: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            spent.append((time.perf_counter() - started) * 1000)

    with connection.execute_wrapper(timed):
        yield spent


def main(roles: int, worker: int) -> None:
    register_roles(roles)
    portal = Portal(psutil.Process(worker) if worker else None)
    for question in sys.stdin:
        print(getattr(portal, question.strip())(), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--roles", type=int, required=True)
    parser.add_argument("--worker", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.roles, arguments.worker)

"""Asks the portal for validations, and reads what its worker's processes spend on them.

Each line on standard input is one round: every role is as freshly returned, each is asked for, all must be proven.
The answer is the CPU milliseconds of the worker, all its processes together, for one validation.
"""

import argparse
import sys
import time

import django
import psutil

django.setup()

from django.utils import timezone  # noqa: E402

from benchmarks.sts_stand_in import VALIDATOR_ROLE_ARN, right_external_id  # noqa: E402
from onboarding.core.arns import AccountId, Partition, RoleArn  # noqa: E402
from onboarding.core.bastion import PermissionSetPolicyStyle  # noqa: E402
from onboarding.core.probes import VerdictCode  # noqa: E402
from onboarding.core.states import State  # noqa: E402
from onboarding.models import ExternalAccount, ExternalRole, PermissionSet, Person, PortalRole, Trigger, Validation  # noqa: E402
from onboarding.services import bastions, people, registration, validation  # noqa: E402
from onboarding.services.bastions import BastionDetails  # noqa: E402
from onboarding.services.people import PersonDetails  # noqa: E402
from onboarding.services.registration import PartnerDetails, RoleDetails  # noqa: E402

_PATIENCE_SECONDS = 120


def set_up_permission_set() -> tuple[Person, PermissionSet]:
    details = PersonDetails(first_name="", last_name="", portal_role=PortalRole.PLATFORM_ADMIN, groups=())
    admin = people.add_person("admin@hoshino.example", details, password="only-for-benchmarks-2026")
    return admin, _permission_set(admin)


def register_roles(count: int) -> None:
    admin, permission_set = set_up_permission_set()
    partner = PartnerDetails(name="Willow", language="en", contact_name="Bo", contact_email="bo@willow.example")
    account = registration.register_account(
        registration.register_partner(partner, by=admin),
        AccountId("222233334444"),
        bastion=permission_set.bastion,
        label="",
        by=admin,
    )
    for number in range(count):
        _register_role(account, permission_set, f"Reader{number}", admin)


def _permission_set(admin: Person) -> PermissionSet:
    details = BastionDetails(
        name="Hoshino",
        partition=Partition.AWS,
        account_id=AccountId("111122223333"),
        validator_role_arn=RoleArn.parse(VALIDATOR_ROLE_ARN),
        worker_is_validator=True,
        sso_start_url="https://hoshino.awsapps.com/start",
        sso_region="ap-northeast-1",
        sso_session_name="hoshino",
        region="ap-northeast-1",
    )
    bastion = bastions.set_up_bastion(details, by=admin)
    return bastions.add_permission_set(bastion, "PartnerAccess", style=PermissionSetPolicyStyle.SIMPLE, by=admin)


def _register_role(account: ExternalAccount, permission_set: PermissionSet, name: str, admin: Person) -> None:
    details = RoleDetails(
        permission_set=permission_set,
        role_name=name,
        profile_name=name.lower(),
        region="ap-northeast-1",
        purpose="Measuring.",
    )
    role = registration.register_role(account, details, by=admin)
    ExternalRole.objects.filter(pk=role.pk).update(
        role_arn=f"arn:aws:iam::{account.account_id}:role/{name}",
        external_id=right_external_id(name),
        state=State.RETURNED,
        returned_at=timezone.now(),
        next_check_at=timezone.now(),
    )


def validate_all(worker: psutil.Process) -> float:
    """CPU milliseconds of the worker for each role."""
    ExternalRole.objects.update(state=State.RETURNED, first_proven_at=None)
    roles = list(ExternalRole.objects.all())
    Validation.objects.all().delete()
    before = _cpu_seconds(worker)
    for role in roles:
        validation.request_validation(role, trigger=Trigger.RETURN)
    _wait_until_all_are_proven(len(roles))
    return (_cpu_seconds(worker) - before) * 1000 / len(roles)


def _wait_until_all_are_proven(count: int) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while Validation.objects.open().exists():
        if time.monotonic() > until:
            raise TimeoutError("the worker did not answer")
        time.sleep(0.05)
    proven = Validation.objects.filter(verdict=VerdictCode.PROVEN).count()
    if proven != count:
        raise AssertionError(f"{proven} of {count} roles were proven")


def _cpu_seconds(worker: psutil.Process) -> float:
    times = [process.cpu_times() for process in (worker, *worker.children(recursive=True))]
    return float(sum(spent.user + spent.system for spent in times))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--validations", type=int, required=True)
    parser.add_argument("--worker", type=int, required=True)
    arguments = parser.parse_args()
    register_roles(arguments.validations)
    for _ in sys.stdin:
        print(validate_all(psutil.Process(arguments.worker)), flush=True)

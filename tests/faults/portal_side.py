"""What the tests ask the portal to do and to tell: a line of JSON on standard input, and one in answer."""

import json
import sys
from collections import Counter
from itertools import pairwise
from typing import Any

import django

django.setup()

from django.db import connection, transaction  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.scheduled import register_roles  # noqa: E402
from benchmarks.sts_stand_in import right_external_id  # noqa: E402
from onboarding import queue  # noqa: E402
from onboarding.core.alerts import AlertKind  # noqa: E402
from onboarding.core.states import State  # noqa: E402
from onboarding.models import AuditEvent, Delivery, ExternalRole, Trigger, Validation  # noqa: E402
from onboarding.services import audit, invitations, registration, validation  # noqa: E402
from onboarding.services.registration import RoleDetails  # noqa: E402


def register(count: int) -> None:
    """Returned by their partners, and not checked yet."""
    register_roles(count)
    ExternalRole.objects.update(state=State.RETURNED, first_proven_at=None, last_proven_at=None)


def let_fall_due() -> None:
    ExternalRole.objects.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())


def sweep() -> None:
    validation.sweep()


def ask(number: int) -> int:
    """As an admin who presses the button."""
    role = ExternalRole.objects.get(role_name=f"Reader{number}")
    return validation.request_validation(role, trigger=Trigger.ADMIN).pk


def invite() -> dict[str, str]:
    """Where a partner opens the page, and returns a role that is not made yet."""
    known = ExternalRole.objects.get(role_name="Reader0")
    details = RoleDetails(
        permission_set=known.permission_set,
        role_name="Newcomer",
        profile_name="newcomer",
        region=known.region,
        purpose="Measuring.",
    )
    role = registration.register_role(known.account, details, by=known.created_by)
    ExternalRole.objects.filter(pk=role.pk).update(external_id=right_external_id("Newcomer"))
    issued = invitations.issue_invitation(role.account, by=known.created_by)
    returning = reverse("onboarding:partners:return", args=[issued.invitation.uuid, role.uuid])
    opening = reverse("onboarding:partners:open", args=[issued.link_token])
    return {"open": opening, "return": returning, "arn": f"arn:aws:iam::{role.account.account_id}:role/Newcomer"}


def open_ones() -> int:
    return Validation.objects.open().count()


def verdicts() -> dict[str, int]:
    return dict(Counter(Validation.objects.finished().values_list("verdict", flat=True)))


def given_up() -> list[str]:
    """Why, in the words of AWS or of botocore, checks came to nothing."""
    return list(Validation.objects.filter(verdict="our_trouble").values_list("detail", flat=True))


def states() -> dict[str, str]:
    return dict(ExternalRole.objects.values_list("role_name", "state"))


def rows() -> dict[str, int]:
    """How many validations each role has had."""
    return dict(Counter(Validation.objects.values_list("external_role__role_name", flat=True)))


def next_checks() -> list[float]:
    """In how many seconds."""
    now = timezone.now()
    return [(at - now).total_seconds() for at in ExternalRole.objects.values_list("next_check_at", flat=True)]


def deliveries() -> dict[str, bool]:
    """Of alerts: whether each has arrived, by the UUID that its mail is known by."""
    return {str(row.uuid): row.acknowledged_at is not None for row in Delivery.objects.all()}


@transaction.atomic
def trouble_in_the_books() -> list[str]:
    """Each change is told once, in its order, and follows from the one before it; whoever broke is in an alert."""
    with connection.cursor() as cursor:
        # Checks go on while we read.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    found = [] if audit.check_chain().holds else ["the audit log's chain does not hold"]
    for role in ExternalRole.objects.all():
        done = role.validations.finished().exclude(verdict="superseded").order_by("pk")
        steps = [(row.state_before, row.state_after) for row in done]
        for (_, after), (before, _) in pairwise(steps):
            if after != before:
                found.append(f"{role.role_name}: {steps}")
        events = AuditEvent.objects.filter(action="role_state_changed", subject_uuid=role.uuid).order_by("pk")
        told = [(event.facts["before"], event.facts["after"]) for event in events]
        if told != [step for step in steps if step[0] != step[1]]:
            found.append(f"{role.role_name}: {steps} but told {told}")
        broke, alerted = steps.count(("suspect", "broken")), role.alert_entries.filter(kind=AlertKind.BROKEN).count()
        # Who breaks twice while one alert collects is in it once.
        if not min(broke, 1) <= alerted <= broke:
            found.append(f"{role.role_name}: {steps} but in {alerted} alerts")
    return found


def send(pk: int) -> bool:
    return queue.send(queue.VALIDATE_ROLE, pk)


VERBS = {verb.__name__: verb for verb in (register, let_fall_due, sweep, ask, open_ones, verdicts, states, rows)}
VERBS |= {verb.__name__: verb for verb in (deliveries, given_up, next_checks, trouble_in_the_books, send, invite)}


def main() -> None:
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        answer: Any = VERBS[verb](*arguments)
        # The database may be another one by the next question.
        connection.close()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

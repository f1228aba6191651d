"""Asking the trust doctor about a role's policy, pasted or read from IAM, and keeping what was read."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from onboarding.aws.clients import VALIDATOR_SESSION_NAME
from onboarding.core.doctor import Caller, Diagnosis, Question, diagnose
from onboarding.core.errors import OnboardingError
from onboarding.core.policy_text import indented
from onboarding.models import ExternalRole, ReadingSource, TrustReading

# IAM takes 4,096 characters at most; templates with comments around the policy are longer.
LONGEST_PASTE = 100_000
# Pasting again and again must not fill the disk.
_KEPT = 10


class PasteTooLong(OnboardingError):
    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


def diagnose_for(role: ExternalRole, text: str) -> Diagnosis:
    """What the doctor says of `text` as this role's trust policy; pure, nothing is kept. Raises `PasteTooLong`."""
    if len(text) > LONGEST_PASTE:
        raise PasteTooLong(len(text))
    callers = role.permission_set.callers
    return diagnose(
        Question(
            text=text,
            callers=(
                Caller("employees", callers.sso_role_example),
                Caller("validator", str(callers.validator_role), VALIDATOR_SESSION_NAME),
            ),
            external_id=role.external_id,
            role_arn=role.role_arn,
            console_access=role.console_access,
        )
    )


def read_pasted(role: ExternalRole, text: str) -> Diagnosis:
    """Diagnose what a partner pasted, and keep it where it is a policy at all. Raises `PasteTooLong`."""
    diagnosis = diagnose_for(role, text)
    if diagnosis.document is not None:
        keep(role, text, source=ReadingSource.PASTED, at=timezone.now())
    return diagnosis


def keep_saved(role: ExternalRole, text: str, *, at: datetime) -> None:
    """The policy as IAM answered it, laid out in lines for people to read."""
    keep(role, indented(text), source=ReadingSource.SAVED, at=at)


@transaction.atomic
def keep(role: ExternalRole, text: str, *, source: ReadingSource, at: datetime) -> None:
    """One row for each change of the text; the oldest go."""
    newest = role.trust_readings.filter(source=source).newest_first().first()
    if newest and newest.text == text:
        TrustReading.objects.filter(pk=newest.pk).update(read_at=at)
        return
    TrustReading.objects.create(external_role=role, source=source, text=text, read_at=at)
    kept = role.trust_readings.newest_first().values_list("pk", flat=True)[:_KEPT]
    role.trust_readings.exclude(pk__in=list(kept)).delete()


def readable_of(role_keys: Iterable[int]) -> set[int]:
    """Those of the roles that let us read their own definition before."""
    saved = TrustReading.objects.filter(external_role__in=role_keys, source=ReadingSource.SAVED)
    return set(saved.values_list("external_role", flat=True))


def latest(role: ExternalRole) -> tuple[TrustReading, Diagnosis] | None:
    """The policy that was read last, and what the doctor says of it now."""
    reading = role.trust_readings.newest_first().first()
    return (reading, diagnose_for(role, reading.text)) if reading else None

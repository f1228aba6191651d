"""Asking the trust doctor about a role's policy, pasted or read from IAM, and keeping what was read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from onboarding.aws.clients import VALIDATOR_SESSION_NAME
from onboarding.core.doctor import Caller, Diagnosis, Finding, Question, Severity, diagnose
from onboarding.core.errors import OnboardingError
from onboarding.core.iam import clock
from onboarding.core.policy_text import indented
from onboarding.models import ExternalRole, ReadingSource, TrustReading

EMPLOYEES, VALIDATOR = "employees", "validator"
# IAM takes 4,096 characters at most; templates with comments around the policy are longer.
LONGEST_PASTE = 100_000
# Pasting again and again must not fill the disk; and what is far longer than IAM could have saved, whatever its blanks,
# is told about and not kept.
_KEPT, _LONGEST_KEPT = 10, 50_000


class PasteTooLong(OnboardingError):
    """More than `limit` characters."""

    def __init__(self) -> None:
        super().__init__()
        self.limit = LONGEST_PASTE


@dataclass(frozen=True, slots=True)
class ReadPolicy:
    """A role's trust policy as it was read, and what the doctor says of it now."""

    reading: TrustReading
    diagnosis: Diagnosis

    @property
    def wrong(self) -> list[Finding]:
        """What somebody has to do something about."""
        return [finding for finding in self.diagnosis.findings if finding.severity is not Severity.ADVICE]


def diagnose_for(role: ExternalRole, text: str) -> Diagnosis:
    """What the doctor says of `text` as this role's trust policy; pure, nothing is kept. Raises `PasteTooLong`."""
    if len(text) > LONGEST_PASTE:
        raise PasteTooLong
    callers = role.permission_set.callers
    question = Question(
        text=text,
        callers=(
            Caller(EMPLOYEES, callers.sso_role_example),
            Caller(VALIDATOR, str(callers.validator_role), VALIDATOR_SESSION_NAME),
        ),
        external_id=role.external_id,
        role_arn=role.role_arn,
        context=clock(timezone.now()),
        console_access=role.console_access,
    )
    return diagnose(question.laid_out)


def check_pasted(role: ExternalRole, text: str) -> Diagnosis:
    """Diagnose what a partner pasted, and keep it where it is a policy at all. Raises `PasteTooLong`."""
    diagnosis = diagnose_for(role, text)
    if diagnosis.document is not None:
        keep(role, _policy_alone(diagnosis), source=ReadingSource.PASTED, at=timezone.now())
    return diagnosis


def _policy_alone(diagnosis: Diagnosis) -> str:
    """Whatever else stood around it in a template or an answer of IAM is no business of ours."""
    text, policy = diagnosis.question.text, diagnosis.policy_text
    return text if policy.strip() == text.strip("\ufeff \t\r\n") else indented(policy)


def keep_saved(role: ExternalRole, text: str, *, at: datetime) -> None:
    """The policy as IAM answered it, laid out in lines for people to read."""
    keep(role, indented(text), source=ReadingSource.SAVED, at=at)


@transaction.atomic
def keep(role: ExternalRole, text: str, *, source: ReadingSource, at: datetime) -> None:
    """One row for each change of the text; the oldest go."""
    if len(text) > _LONGEST_KEPT:
        return
    newest = role.trust_readings.filter(source=source).newest_first().first()
    if newest and newest.text == text and newest.role_arn == role.role_arn:
        TrustReading.objects.filter(pk=newest.pk).update(read_at=at)
        return
    TrustReading.objects.create(external_role=role, role_arn=role.role_arn, source=source, text=text, read_at=at)
    kept = role.trust_readings.newest_first().values_list("pk", flat=True)[:_KEPT]
    role.trust_readings.exclude(pk__in=list(kept)).delete()


def readable_of(role_keys: Iterable[int]) -> set[int]:
    """Those of the roles that let us read their own definition before."""
    saved = TrustReading.objects.filter(external_role__in=role_keys, source=ReadingSource.SAVED)
    return set(saved.filter(role_arn=F("external_role__role_arn")).values_list("external_role", flat=True))


def latest(role: ExternalRole) -> ReadPolicy | None:
    """The policy that was read last, where it speaks of the role as it stands now."""
    return latest_of([role]).get(role.pk)


def latest_of(roles: Iterable[ExternalRole]) -> dict[int, ReadPolicy]:
    """By role; in a constant number of queries."""
    asked = {role.pk: role for role in roles}
    readings = TrustReading.objects.latest_of(asked.values())
    return {pk: ReadPolicy(reading, diagnose_for(asked[pk], reading.text)) for pk, reading in readings.items()}

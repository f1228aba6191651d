"""The trust policy of a role as it was pasted or read last: what is wrong with it, and how it differs from ours."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from onboarding import findings
from onboarding.core import doctor
from onboarding.core.doctor import Correction, compare
from onboarding.core.errors import OnboardingError
from onboarding.findings import Shown
from onboarding.models import ExternalRole, TrustReading
from onboarding.services.diagnosis import ReadPolicy

_MARKS = {"+": "add", "-": "del", " ": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    reading: TrustReading
    shown: Shown
    # None where we cannot say ourselves what we ask for.
    difference: Correction | None

    @property
    def difference_text(self) -> str:
        return "\n".join(line for _sign, line in self.difference.lines) if self.difference else ""

    @property
    def difference_marks(self) -> Mapping[int, str]:
        lines = enumerate(self.difference.lines if self.difference else (), start=1)
        return {number: _MARKS[sign] for number, (sign, _line) in lines}

    @property
    def is_as_asked(self) -> bool:
        return bool(self.difference and self.difference.before == self.difference.text)


def show(role: ExternalRole, policy: ReadPolicy) -> Read:
    partner = role.account.partner.name
    turns = {
        doctor.Turn.PARTNER: partner,
        doctor.Turn.US: _("You"),
        doctor.Turn.BOTH: _("%(partner)s and you") % {"partner": partner},
    }
    return Read(
        reading=policy.reading,
        shown=findings.show(policy.diagnosis, turns=turns),
        difference=_difference(role, policy),
    )


def _difference(role: ExternalRole, policy: ReadPolicy) -> Correction | None:
    try:
        return compare(policy.diagnosis.document, role.trust_policy)
    except OnboardingError:
        return None

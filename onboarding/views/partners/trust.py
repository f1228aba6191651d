"""The box for a trust policy: what was pasted or read last, and what the doctor says of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from onboarding import findings
from onboarding.core import doctor
from onboarding.core.doctor import Diagnosis
from onboarding.findings import Shown
from onboarding.forms.partners import TrustPolicyForm
from onboarding.models import ExternalRole, TrustReading
from onboarding.services import diagnosis
from onboarding.services.diagnosis import ReadPolicy
from onboarding.views.partners.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustCheck:
    role: ExternalRole
    form: TrustPolicyForm
    shown: Shown | None = None
    # What is shown was read earlier; None where it was pasted just now.
    reading: TrustReading | None = None
    is_open: bool = False


def read_last(role: ExternalRole, policy: ReadPolicy | None, standing: Standing | None) -> TrustCheck:
    """Open where it can be of help: the door does not open, or the policy was wrong before it was tried."""
    is_stuck = standing is not None and standing.told.tone == "bad"
    if policy is None:
        return TrustCheck(role=role, form=TrustPolicyForm(role), is_open=is_stuck)
    is_open = is_stuck or bool(policy.wrong and not standing)
    shown = _shown(policy.diagnosis)
    return TrustCheck(role=role, form=TrustPolicyForm(role), shown=shown, reading=policy.reading, is_open=is_open)


def pasted_now(role: ExternalRole, form: TrustPolicyForm) -> TrustCheck:
    """What the doctor says of the text in the form, which is kept where it is a policy."""
    shown = _shown(diagnosis.check_pasted(role, form.cleaned_data["trust_policy"])) if form.is_valid() else None
    return TrustCheck(role=role, form=form, shown=shown, is_open=True)


def _shown(told: Diagnosis) -> Shown:
    return findings.show(told, turns=_turns())


def _turns() -> Mapping[doctor.Turn, str]:
    return {
        doctor.Turn.PARTNER: _("Yours"),
        doctor.Turn.US: settings.ORGANIZATION_NAME,
        doctor.Turn.BOTH: _("Both of us"),
    }

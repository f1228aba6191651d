"""A validation's probes as a table: what was expected, what came, and whether that is well."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from onboarding import wording
from onboarding.core.arns import AccountId
from onboarding.core.probes import NEGATIVE, Outcome, Probe, ProbeKind, is_session_of
from onboarding.core.states import State
from onboarding.models import ExternalRole, Validation


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    probe: wording.Text
    expected: str
    got: str
    passed: bool
    word: str
    tone: str
    icon: str
    milliseconds: int
    request_id: str


def rows(validation: Validation, role: ExternalRole) -> list[Row]:
    must_be_shut = validation.state_before == State.RETIRING
    return [_row(probe, role, must_be_shut=must_be_shut) for probe in validation.recorded_probes]


def _row(probe: Probe, role: ExternalRole, *, must_be_shut: bool) -> Row:
    read = _must_not_enter if must_be_shut and probe.kind is ProbeKind.WITH_EXTERNAL_ID else _READ[probe.kind]
    expected, got, passed = read(probe, role)
    unsafe = not passed and probe.kind in NEGATIVE and probe.outcome is Outcome.ENTERED
    failed = (_("Unsafe"), "bad", "warn") if unsafe else (_("Failed"), "bad", "cross")
    word, tone, icon = (_("Pass"), "ok", "check") if passed else failed
    return Row(
        probe=wording.PROBES[probe.kind],
        expected=expected,
        got=got,
        passed=passed,
        word=word,
        tone=tone,
        icon=icon,
        milliseconds=probe.duration_ms,
        request_id=probe.request_id,
    )


Reading = tuple[str, str, bool]


def _identity(probe: Probe, role: ExternalRole) -> Reading:
    validator = role.permission_set.bastion.validator_role
    same = is_session_of(probe.answered_arn, validator)
    expected = _("%(role)s in %(account)s") % {"role": validator.name, "account": validator.account_id.grouped}
    return expected, _("the same") if same else probe.answered_arn, same


def _account(probe: Probe, role: ExternalRole) -> Reading:
    parts = probe.answered_arn.split(":")
    found = parts[4] if len(parts) > 4 else ""
    got = AccountId(found).grouped if found else _answer(probe)
    return role.account.number.grouped, got, found == role.account.account_id


def _must_enter(probe: Probe, _role: ExternalRole) -> Reading:
    return _("A session"), _answer(probe), probe.outcome is Outcome.ENTERED


def _must_not_enter(probe: Probe, _role: ExternalRole) -> Reading:
    return "AccessDenied", _answer(probe), probe.outcome is Outcome.DENIED


def _answer(probe: Probe) -> str:
    return _("A session") if probe.outcome is Outcome.ENTERED else probe.error_code


_READ: dict[ProbeKind, Callable[[Probe, ExternalRole], Reading]] = {
    ProbeKind.OWN_IDENTITY: _identity,
    ProbeKind.WITH_EXTERNAL_ID: _must_enter,
    ProbeKind.ANSWERING_ACCOUNT: _account,
    ProbeKind.WITHOUT_EXTERNAL_ID: _must_not_enter,
    ProbeKind.WITH_WRONG_EXTERNAL_ID: _must_not_enter,
}

"""A validation's probes as a table: what was expected, what came, and whether that is well."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from onboarding import wording
from onboarding.core.arns import AccountId
from onboarding.core.probes import CONTROLS_MUST, NEGATIVE, Outcome, Probe, ProbeKind, is_session_of
from onboarding.core.states import State
from onboarding.models import Bastion, ExternalRole, Validation


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
    return [_row(probe, _reading(probe, role, must_be_shut=must_be_shut)) for probe in validation.recorded_probes]


def control_rows(bastion: Bastion) -> list[Row]:
    """The same of our own control roles."""
    return [_row(probe, _control(probe)) for probe in bastion.tried_controls]


def _reading(probe: Probe, role: ExternalRole, *, must_be_shut: bool) -> "Reading":
    read = _must_not_enter if must_be_shut and probe.kind is ProbeKind.WITH_EXTERNAL_ID else _READ[probe.kind]
    return read(probe, role)


def _row(probe: Probe, reading: "Reading") -> Row:
    expected, got, passed = reading
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


def _validator(probe: Probe, role: ExternalRole) -> Reading:
    validator = role.permission_set.bastion.validator_role
    same = is_session_of(probe.answered_arn, validator)
    return _named(validator.account_id, validator.name), _("the same") if same else probe.answered_arn, same


def _worker(probe: Probe, _role: ExternalRole) -> Reading:
    # Whoever it is: the validator role decides whom it lets in, and the next probe shows it.
    return _("An identity of ours"), probe.answered_arn, True


def _who_answers(probe: Probe, role: ExternalRole) -> Reading:
    account, name = probe.answering_account, role.arn.name if role.arn else ""
    expected = _named(role.account.account_id, name)
    got = _named(account, probe.answering_role) if account else _answer(probe)
    return expected, got, got == expected


def _named(account: str, role_name: str) -> str:
    return _("%(role)s in %(account)s") % {"role": role_name, "account": AccountId(account).grouped}


def _must_enter(probe: Probe, _role: ExternalRole) -> Reading:
    return _("A session"), _answer(probe), probe.outcome is Outcome.ENTERED


def _must_not_enter(probe: Probe, _role: ExternalRole) -> Reading:
    return "AccessDenied", _answer(probe), probe.outcome is Outcome.DENIED


def _control(probe: Probe) -> Reading:
    wanted = CONTROLS_MUST[probe.kind]
    expected = _("A session") if wanted is Outcome.ENTERED else "AccessDenied"
    return expected, _answer(probe), probe.outcome is wanted


def _answer(probe: Probe) -> str:
    return _("A session") if probe.outcome is Outcome.ENTERED else probe.error_code


_READ: dict[ProbeKind, Callable[[Probe, ExternalRole], Reading]] = {
    ProbeKind.OWN_IDENTITY: _worker,
    ProbeKind.VALIDATOR_ROLE: _validator,
    ProbeKind.WITH_EXTERNAL_ID: _must_enter,
    ProbeKind.ANSWERING_ACCOUNT: _who_answers,
    **dict.fromkeys(NEGATIVE, _must_not_enter),
}

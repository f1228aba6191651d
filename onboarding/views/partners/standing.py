"""Where a role stands, as the partner reads it: the verdict, its probes, and what is next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from onboarding import messages, verdicts
from onboarding.core.arns import AccountId
from onboarding.core.probes import NEGATIVE, NOTHING_LEARNT, Outcome, Probe, ProbeKind, VerdictCode
from onboarding.core.states import State
from onboarding.messages import Explanation, Turn
from onboarding.models import ExternalRole, Validation
from onboarding.services import diagnosis, retirement
from onboarding.services.diagnosis import ReadPolicy
from onboarding.services.retirement import DoorShown

# Without a worker's hand on it for this long, a check is said to wait longer than usual.
_PATIENCE = timedelta(seconds=10)
_WHILE_CHECKING = 2
_WHILE_PROPAGATING = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one probe showed. `tone` is `ok`, `warn`, `bad` or `wait`."""

    tone: str
    icon: str
    words: str
    answer: str
    milliseconds: int
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    role: ExternalRole
    told: Explanation
    turn: str
    # Changes when there is something new to show.
    seen: str
    last: Validation | None = None
    lines: tuple[Line, ...] = ()
    is_running: bool = False
    # Under way, and no worker has taken it for longer than usual.
    waits_long: bool = False
    # In how many seconds the page looks again; 0 where nothing is about to change.
    look_again: int = 0
    can_check: bool = False
    # Of a role whose work has ended.
    door: DoorShown | None = None
    is_proven: bool = False
    # What a press of the button came to, where it came to nothing.
    notice: str = ""


def now_of(role: ExternalRole, *, notice: str = "") -> Standing | None:
    return of_all([role], policies=diagnosis.latest_of([role]), notices={role.pk: notice})[role.pk]


def of_all(
    roles: Sequence[ExternalRole], *, policies: dict[int, ReadPolicy], notices: dict[int, str]
) -> dict[int, Standing | None]:
    """By the role's key; None where nothing was returned yet, so that there is nothing to say."""
    running = {row.external_role_id: row for row in Validation.objects.open().filter(external_role__in=roles)}
    # Read anew, after what is open: of a check that ends meanwhile the page would else show neither, and wait for ever.
    anew = ExternalRole.objects.with_owner().select_related("created_by")
    roles = list(anew.filter(pk__in=[role.pk for role in roles]))
    last = Validation.objects.latest_of(roles)
    return {
        role.pk: _standing(
            role, last.get(role.pk), running.get(role.pk), policies.get(role.pk), notices.get(role.pk, "")
        )
        if role.role_arn
        else None
        for role in roles
    }


def _standing(
    role: ExternalRole, last: Validation | None, running: Validation | None, policy: ReadPolicy | None, notice: str
) -> Standing:
    waits_long = bool(running and not running.started_at and running.requested_at < timezone.now() - _PATIENCE)
    told = verdicts.with_policy(_told(role, last, running), role, last, policy)
    return Standing(
        role=role,
        told=told,
        turn=_turn(told.turn),
        seen=_seen(role, last, running, waits_long=waits_long),
        last=last,
        lines=_leaving_lines(last) if role.state == State.RETIRING else tuple(_line(p, role) for p in _shown(last)),
        is_running=running is not None,
        waits_long=waits_long,
        look_again=_WHILE_CHECKING if running else _WHILE_PROPAGATING if role.state == State.NOT_YET else 0,
        can_check=(role.is_checked or role.state == State.RETIRING) and running is None,
        door=retirement.door_of(role),
        is_proven=role.state == State.PROVEN and told.tone == "ok",
        notice=notice,
    )


def _told(role: ExternalRole, last: Validation | None, running: Validation | None) -> Explanation:
    """An earlier verdict stays while a new check runs: a page that flickers between the two helps nobody."""
    if running and not last:
        words = _("Trying the door now.") if running.started_at else _("Saved. The check waits for its turn.")
        return Explanation(tone="wait", happened=words, turn=Turn.NOBODY)
    if role.state == State.RETIRING:
        return _leaving(role, last)
    if role.state == State.SUSPENDED:
        return Explanation(tone="wait", happened=_("We have paused this role. Nothing is checked."), turn=Turn.US)
    if last and last.verdict in _OURS_TO_MEND:
        # What went wrong among ourselves is no business of a stranger's.
        return Explanation(
            tone="wait",
            happened=_("We could not check, for a reason on our own side. Nothing was learnt about your role."),
            turn=Turn.US,
            remedy=(_("Nothing to do: we try again by ourselves."),),
        )
    if role.state == State.PROVEN:
        return Explanation(tone="ok", happened=_proven(role), turn=Turn.NOBODY)
    return messages.explain(role, last)


def _leaving(role: ExternalRole, last: Validation | None) -> Explanation:
    if role.seen_shut_at:
        words = _("AWS denied us. We try once more, and then the door counts as shut.")
        return Explanation(tone="wait", happened=words, turn=Turn.NOBODY)
    if role.said_deleted_at and not (last and last.requested_at >= role.said_deleted_at):
        words = _("You said that the role is deleted. We are about to see it.")
        return Explanation(tone="wait", happened=words, turn=Turn.NOBODY)
    if role.said_deleted_at:
        words = _("You said that the role is deleted, and AWS still lets us in. Is this the role that you deleted?")
    else:
        words = _("The work with this role has ended, and AWS still lets us in.")
    return Explanation(tone="wait", happened=words, turn=Turn.PARTNER)


_OURS_TO_MEND = NOTHING_LEARNT - {VerdictCode.SUPERSEDED}


def _proven(role: ExternalRole) -> str:
    organization = {"organization": settings.ORGANIZATION_NAME}
    if role.console_access:
        opens = _("It opens for %(organization)s: for our check with the external ID only, for our people as agreed.")
        return opens % organization
    return _("It opens for %(organization)s, and only with the external ID.") % organization


def _turn(turn: Turn) -> str:
    names: dict[Turn, str] = {
        Turn.PARTNER: _("Yours"),
        Turn.US: settings.ORGANIZATION_NAME,
        Turn.NOBODY: _("Nobody’s"),
    }
    return names[turn]


def _seen(role: ExternalRole, last: Validation | None, running: Validation | None, *, waits_long: bool) -> str:
    parts = [
        role.state,
        str(role.seen_shut_at or ""),
        last.uuid.hex if last else "",
        running.uuid.hex if running else "",
    ]
    return "-".join([*parts, "started" if running and running.started_at else "", "long" if waits_long else ""])


def _shown(last: Validation | None) -> list[Probe]:
    """Who we are ourselves concerns us; the rest is the partner's."""
    probes = last.recorded_probes if last else []
    return [probe for probe in probes if probe.kind in _AS_WANTED]


_AS_WANTED = {
    ProbeKind.WITH_EXTERNAL_ID: Outcome.ENTERED,
    **dict.fromkeys(NEGATIVE, Outcome.DENIED),
    ProbeKind.ANSWERING_ACCOUNT: Outcome.ENTERED,
}
_SIGNS = {"ok": "check", "warn": "ask", "bad": "cross", "wait": "clock"}


def _line(probe: Probe, role: ExternalRole) -> Line:
    tone = _tone(probe, role)
    answers = {Outcome.ENTERED: _("entered"), Outcome.DENIED: _("refused")}
    return Line(
        tone=tone,
        icon=_SIGNS[tone],
        words=_words(probe, role, passed=tone == "ok"),
        answer=answers.get(probe.outcome, probe.error_code),
        milliseconds=probe.duration_ms,
        request_id=probe.request_id,
    )


def _leaving_lines(last: Validation | None) -> tuple[Line, ...]:
    """Of a role that shall be shut, a denial is the good answer; one that was asked before that is no longer told."""
    if last is None or last.state_before != State.RETIRING:
        return ()
    probes = [probe for probe in last.recorded_probes if probe.kind in _DOORS]
    return tuple(_leaving_line(probe) for probe in probes)


_DOORS = {ProbeKind.WITH_EXTERNAL_ID, ProbeKind.WITHOUT_EXTERNAL_ID}


def _leaving_line(probe: Probe) -> Line:
    shut = {
        ProbeKind.WITH_EXTERNAL_ID: _("It is shut to us, with the external ID"),
        ProbeKind.WITHOUT_EXTERNAL_ID: _("It is shut to us, without the external ID"),
    }
    still_open = {
        ProbeKind.WITH_EXTERNAL_ID: _("It still opens for us, with the external ID"),
        ProbeKind.WITHOUT_EXTERNAL_ID: _("It still opens for us, without the external ID"),
    }
    tones = {Outcome.ENTERED: "warn", Outcome.DENIED: "ok"}
    answers = {Outcome.ENTERED: _("entered"), Outcome.DENIED: _("refused")}
    tone = tones.get(probe.outcome, "wait")
    return Line(
        tone=tone,
        icon={"warn": "open", "ok": "shut"}.get(tone, "ask"),
        words=(still_open if probe.outcome is Outcome.ENTERED else shut)[probe.kind],
        answer=answers.get(probe.outcome, probe.error_code),
        milliseconds=probe.duration_ms,
        request_id=probe.request_id,
    )


def _tone(probe: Probe, role: ExternalRole) -> str:
    if probe.outcome is Outcome.REFUSED_OTHERWISE:
        return "warn"
    elsewhere = probe.kind is ProbeKind.ANSWERING_ACCOUNT and (probe.answering_account, probe.answering_role) != (
        role.account.account_id,
        role.arn.name if role.arn else "",
    )
    if probe.outcome is _AS_WANTED[probe.kind] and not elsewhere:
        return "ok"
    # A denial while IAM propagates is no fault of anybody's.
    return "wait" if role.state == State.NOT_YET else "bad"


def _words(probe: Probe, role: ExternalRole, *, passed: bool) -> str:
    account = {"account": AccountId(role.account.account_id).grouped}
    passed_words = {
        ProbeKind.WITH_EXTERNAL_ID: _("It opens for us with the external ID"),
        ProbeKind.ANSWERING_ACCOUNT: _("The role is in your account %(account)s") % account,
        ProbeKind.WITHOUT_EXTERNAL_ID: _("It stays shut without the external ID"),
        ProbeKind.WITH_WRONG_EXTERNAL_ID: _("It stays shut with a wrong one"),
        ProbeKind.IN_OTHER_CASE: _("It stays shut with upper and lower case exchanged"),
        ProbeKind.WITH_PREFIX: _("It stays shut with something before it"),
        ProbeKind.WITH_SUFFIX: _("It stays shut with something behind it"),
        ProbeKind.AS_STRANGER: _("It stays shut to roles of ours that the policy does not name"),
    }
    other_words = {
        ProbeKind.WITH_EXTERNAL_ID: _("It did not open for us, with the external ID"),
        ProbeKind.ANSWERING_ACCOUNT: _("The role in the account %(account)s did not answer") % account,
        ProbeKind.WITHOUT_EXTERNAL_ID: _("It has to stay shut without the external ID"),
        ProbeKind.WITH_WRONG_EXTERNAL_ID: _("It has to stay shut with a wrong external ID"),
        ProbeKind.IN_OTHER_CASE: _("It has to stay shut where upper and lower case differ"),
        ProbeKind.WITH_PREFIX: _("It has to stay shut with something before the external ID"),
        ProbeKind.WITH_SUFFIX: _("It has to stay shut with something behind the external ID"),
        ProbeKind.AS_STRANGER: _("It has to stay shut to roles of ours that the policy does not name"),
    }
    return (passed_words if passed else other_words)[probe.kind]

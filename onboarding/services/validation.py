"""Validating a role: asking for it, doing it once, and telling the truth about it whatever broker and worker do."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from onboarding import queue
from onboarding.aws import AwsUnavailable, sts
from onboarding.aws.sts import ProbeOrder, Tried
from onboarding.core import identifiers, states
from onboarding.core.arns import RoleArn
from onboarding.core.errors import OnboardingError
from onboarding.core.probes import Probe, Verdict, VerdictCode, judge, judge_shut
from onboarding.core.states import Event, Intervals, State
from onboarding.models import ExternalRole, Person, Trigger, Validation, ValidationRound
from onboarding.models.validation import URGENT
from onboarding.services import alerts, audit, bastions, diagnosis, retirement, transitions
from onboarding.services.alerts import Checked

log = structlog.get_logger(__name__)

# Longer than the task's hard time limit: only a worker that is gone loses its claim.
LEASE = timedelta(seconds=150)
# How long the broker may hold a task before the sweeper takes it for lost.
_LOST_AFTER = timedelta(seconds=30)
_CHUNK = 500
# A partner who watches presses the button again and again; AWS need not hear all of it.
_ASK_AGAIN_AFTER = timedelta(seconds=10)


class NotChecked(OnboardingError):
    """There is no ARN to check, or the role is suspended or retired."""


class CheckedJustNow(OnboardingError):
    """The last check of this role was asked for a moment ago."""


def request_validation(role: ExternalRole, *, trigger: Trigger, by: Person | None = None) -> Validation:
    """One open validation for each role: asking again gives the one that is under way. Raises `NotChecked`."""
    if not (role.is_checked or role.state == State.RETIRING):
        raise NotChecked
    now = timezone.now()
    with transaction.atomic():
        validation, made = Validation.objects.get_or_create(
            external_role=role,
            finished_at=None,
            defaults={
                "trigger": trigger,
                "requested_at": now,
                "requested_by": by,
                "queued_at": now,
                "role_arn": role.role_arn,
            },
        )
        if made:
            queue.on_commit(queue.VALIDATE_ROLE, validation.pk)
    return validation


@transaction.atomic
def check_again(role: ExternalRole) -> Validation:
    """The partner asks; once in a while for each role. Raises `CheckedJustNow`, `NotChecked`."""
    # Two at once must wait for each other, or both would find that nobody asked.
    role = ExternalRole.objects.select_for_update().get(pk=role.pk)
    since = timezone.now() - _ASK_AGAIN_AFTER
    if role.validations.finished().filter(role_arn=role.role_arn, requested_at__gt=since).exists():
        raise CheckedJustNow
    return request_validation(role, trigger=Trigger.PARTNER)


@transaction.atomic
def request_for_round(of: ValidationRound, roles: Sequence[ExternalRole], *, at: datetime) -> int:
    """Ask for one validation of each role that has none under way; how many were asked for."""
    busy = set(Validation.objects.open().filter(external_role__in=roles).values_list("external_role", flat=True))
    asked = [
        Validation(
            external_role=role,
            trigger=Trigger.ROUND,
            requested_at=at,
            requested_by_id=of.began_by_id,
            queued_at=at,
            role_arn=role.role_arn,
            validation_round=of,
        )
        for role in roles
        if role.pk not in busy
    ]
    Validation.objects.bulk_create(asked, ignore_conflicts=True)
    made = Validation.objects.filter(uuid__in=[row.uuid for row in asked]).values_list("pk", flat=True)
    for pk in made:
        queue.on_commit(queue.VALIDATE_ROLE, pk)
    return len(made)


def supersede_open(role: ExternalRole, *, at: datetime) -> None:
    """What was asked of an ARN that is no longer the role's has no answer any more."""
    role.validations.open().update(finished_at=at, verdict=VerdictCode.SUPERSEDED)


def run_validation(pk: int, *, probe: Callable[[ProbeOrder], Tried] = sts.probe_role) -> None:
    """Claim, probe and record; nothing where another worker holds the claim or it is done already.

    Raises `AwsUnavailable` where nothing was learnt; the claim is given back then, and the task tries again.
    """
    validation = _claim(pk)
    if validation is None:
        return
    role = validation.external_role
    try:
        tried = probe(_order(validation))
    except AwsUnavailable:
        Validation.objects.filter(pk=pk, claimed_until=validation.claimed_until).update(claimed_until=None)
        raise
    bastion = role.permission_set.bastion
    judged = judge_shut if role.state == State.RETIRING else judge
    verdict = judged(tried.probes, validator_role=bastion.validator_role, expected_account=role.account.number)
    _finish(validation, verdict, tried)


def give_up(pk: int, trouble: AwsUnavailable) -> None:
    """Our own trouble outlasted every retry: the row says so, and the role stays as it was."""
    validation = _claim(pk)
    if validation is None:
        return
    log.error("validation_given_up", validation=pk, where=trouble.where, code=trouble.code)
    _finish(validation, Verdict(VerdictCode.OUR_TROUBLE, f"{trouble.where}: {trouble.code}"), Tried([]))


def sweep() -> None:
    """Everything due is asked for, and everything that the broker lost is sent again."""
    now = timezone.now()
    _request_due(now)
    lost = list(Validation.objects.claimable(now).filter(queued_at__lt=now - _LOST_AFTER)[:_CHUNK])
    Validation.objects.filter(pk__in=[row.pk for row in lost]).update(queued_at=now)
    for row in lost:
        if not queue.send(queue.VALIDATE_ROLE, row.pk):
            return


def _request_due(now: datetime) -> None:
    under_way = Validation.objects.open().filter(external_role=OuterRef("pk"))
    due = list(ExternalRole.objects.due(now).filter(~Exists(under_way)).order_by("next_check_at")[:_CHUNK])
    with transaction.atomic():
        made = Validation.objects.bulk_create(
            [
                Validation(
                    external_role=role,
                    trigger=Trigger.SCHEDULE,
                    requested_at=now,
                    queued_at=now,
                    role_arn=role.role_arn,
                )
                for role in due
            ],
            ignore_conflicts=True,
        )
        ExternalRole.objects.filter(pk__in=[role.pk for role in due]).update(next_check_at=None)
    uuids = [row.uuid for row in made]
    for pk in Validation.objects.filter(uuid__in=uuids).values_list("pk", flat=True):
        if not queue.send(queue.VALIDATE_ROLE, pk):
            return


def _claim(pk: int) -> Validation | None:
    now = timezone.now()
    claimed = Validation.objects.claimable(now).filter(pk=pk)
    if not claimed.update(claimed_until=now + LEASE, started_at=now):
        return None
    validation = Validation.objects.select_related("external_role__account", "external_role__permission_set__bastion")
    row = validation.get(pk=pk)
    if row.role_arn == row.external_role.role_arn and _may_be_probed(row.external_role):
        return row
    _close(row, Verdict(VerdictCode.SUPERSEDED), [], at=now)
    return None


def _may_be_probed(role: ExternalRole) -> bool:
    return role.is_checked or role.state == State.RETIRING


def _order(validation: Validation) -> ProbeOrder:
    role = validation.external_role
    return ProbeOrder(
        identity=bastions.identity_of(role.permission_set.bastion),
        role_arn=RoleArn.parse(role.role_arn),
        external_id=role.external_id,
        wrong_external_id=identifiers.new_external_id(),
        # Somebody waits for the reason. Any other check reads only what could be read before: elsewhere each try
        # would be a refusal in the partner's CloudTrail.
        reads_policy=validation.trigger in URGENT or diagnosis.is_readable(role),
        is_retiring=role.state == State.RETIRING,
    )


@transaction.atomic
def _finish(validation: Validation, verdict: Verdict, tried: Tried) -> None:
    now = timezone.now()
    role = validation.external_role
    before = State(role.state)
    applied = _apply(role, verdict, at=now)
    if not applied:
        verdict = Verdict(VerdictCode.SUPERSEDED)
    if not _close(validation, verdict, tried.probes, at=now, before=before, after=State(role.state)):
        # Our lease ran out and another worker has answered: what this one did must not stay.
        transaction.set_rollback(True)
        return
    if applied and tried.trust_policy:
        diagnosis.keep_saved(role, tried.trust_policy, at=now)
    if applied:
        alerts.note_checked([Checked(role, before, verdict)], at=now)
    if applied and role.state != before:
        facts = {"before": before, "after": role.state, "verdict": verdict.code, "detail": verdict.detail}
        audit.append("role_state_changed", role, at=now, facts=facts)


def _apply(role: ExternalRole, verdict: Verdict, *, at: datetime) -> bool:
    """Move the role by what was learnt and say when to look again. False where the role was changed meanwhile."""
    state = State(role.state)
    event = _event(role, verdict, at=at)
    if event is None:
        return _look_again(role, state, failures=role.failures_in_a_row, at=at)
    failures = 0 if event in _SUCCESS else role.failures_in_a_row + 1
    columns: dict[str, object] = {
        "failures_in_a_row": failures,
        "next_check_at": _next_check(states.next_state(state, event), failures, at),
    }
    if event is Event.OPENED_AS_WANTED:
        columns |= {"last_proven_at": at, "first_proven_at": role.first_proven_at or at}
    if state is State.RETIRING:
        columns |= retirement.columns_of(event, role, at=at)
    return transitions.move(role, event, at=at, **columns)


def _event(role: ExternalRole, verdict: Verdict, *, at: datetime) -> Event | None:
    state = State(role.state)
    if state is State.RETIRING:
        return retirement.event_of_try(role, verdict, at=at)
    since_return = at - (role.returned_at or role.created_at)
    fresh = states.is_fresh(state, since_return=since_return, grace=settings.IAM_PROPAGATION)
    return states.event_of(verdict, state=state, fresh=fresh)


_SUCCESS = frozenset({Event.OPENED_AS_WANTED, Event.OPENED_TOO_WIDE})


def _look_again(role: ExternalRole, state: State, *, failures: int, at: datetime) -> bool:
    """Nothing was learnt, so nothing moves; our trouble is looked at again soon."""
    soon = at + settings.CHECK_INTERVAL_TROUBLED
    after = _next_check(state, failures, at)
    unchanged = ExternalRole.objects.filter(pk=role.pk, state=state, role_arn=role.role_arn)
    return bool(unchanged.update(next_check_at=min(soon, after) if after else None))


def _next_check(state: State, failures: int, at: datetime) -> datetime | None:
    intervals = Intervals(well=settings.CHECK_INTERVAL, troubled=settings.CHECK_INTERVAL_TROUBLED)
    gap = states.next_check_after(state, failures=failures, intervals=intervals)
    return at + gap if gap else None


def _close(
    validation: Validation,
    verdict: Verdict,
    tried: list[Probe],
    *,
    at: datetime,
    before: State | None = None,
    after: State | None = None,
) -> bool:
    ours = Validation.objects.open().filter(pk=validation.pk, claimed_until=validation.claimed_until)
    return bool(
        ours.update(
            finished_at=at,
            verdict=verdict.code,
            detail=verdict.detail[:200],
            probes=[probe.to_json() for probe in tried],
            state_before=before or "",
            state_after=after or "",
        )
    )

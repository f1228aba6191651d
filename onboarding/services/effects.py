"""What verdicts do: to the roles, to the validations' own rows and to the log, a batch in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import sleep

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Case, DateTimeField, DurationField, ExpressionWrapper, F, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Random
from django.utils import timezone

from onboarding.core import states
from onboarding.core.probes import Verdict, VerdictCode
from onboarding.core.states import Event, Intervals, State
from onboarding.models import Bastion, ExternalRole, Validation
from onboarding.services import alerts, audit, diagnosis, retirement, transitions
from onboarding.services.alerts import Checked
from onboarding.services.probing import Result

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class _Effect:
    """What one verdict does to its role, which is locked. `event` is None where nothing was learnt."""

    row: Validation
    role: ExternalRole
    verdict: Verdict
    trust_policy: str
    before: State
    event: Event | None

    @property
    def after(self) -> State:
        return states.next_state(self.before, self.event) if self.event else self.before


# A database that restarts is back within this, and AWS need not be asked again.
_PAUSES_SECONDS = (0.5, 1, 2, 4)


def apply_all(results: Sequence[Result]) -> None:
    """Only for rows whose claim is still ours: what a worker found whose lease ran out must not stay.

    For the same reason it may be tried twice: what was committed after all is not ours any more.
    """
    if results:
        _insist(results, [*_PAUSES_SECONDS])


def _insist(results: Sequence[Result], pauses: list[float]) -> None:
    try:
        _apply(results)
    except (OperationalError, InterfaceError) as error:
        if not pauses:
            raise
        log.warning("database_away", error=type(error).__name__)
        connection.close()
        sleep(pauses.pop(0))
        _insist(results, pauses)


@transaction.atomic
def _apply(results: Sequence[Result]) -> None:
    now = timezone.now()
    effects = _effects(results, at=now)
    for group in _grouped(effect for effect in effects if effect.verdict.code is not VerdictCode.SUPERSEDED):
        _write_roles(group, at=now)
    _write_rows(effects, results, at=now)
    for effect in effects:
        if effect.trust_policy:
            diagnosis.keep_saved(effect.role, effect.trust_policy, at=now)
    _tell(effects, at=now)


def _effects(results: Sequence[Result], *, at: datetime) -> list[_Effect]:
    """Roles are locked before validations, as everywhere, and in one order: two chunks must not wait for each other."""
    keys = sorted({result.row.external_role_id for result in results})
    locked = ExternalRole.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    roles = {role.pk: role for role in locked}
    claimed = Validation.objects.select_for_update().open().filter(pk__in=[result.row.pk for result in results])
    ours = {(pk, claim) for pk, claim in claimed.values_list("pk", "claim")}
    return [
        _effect(result, roles[result.row.external_role_id], at=at)
        for result in results
        if (result.row.pk, result.row.claim) in ours
    ]


def _effect(result: Result, role: ExternalRole, *, at: datetime) -> _Effect:
    verdict = result.verdict or Verdict(VerdictCode.SUPERSEDED)
    if role.role_arn != result.row.role_arn or not role.is_probed:
        verdict = Verdict(VerdictCode.SUPERSEDED)
    superseded = verdict.code is VerdictCode.SUPERSEDED
    return _Effect(
        row=result.row,
        role=role,
        verdict=verdict,
        trust_policy="" if superseded or not result.tried else result.tried.trust_policy,
        before=State(role.state),
        event=None if superseded else _event(verdict, role, result.bastion, at=at),
    )


def _event(verdict: Verdict, role: ExternalRole, bastion: Bastion, *, at: datetime) -> Event | None:
    state = State(role.state)
    if state is State.RETIRING:
        return retirement.event_of_try(role, verdict, controls_hold=bastion.denials_count, at=at)
    began = role.state_since if state is State.SUSPECT else role.returned_at or role.created_at
    fresh = states.is_fresh(state, since=at - began, grace=settings.IAM_PROPAGATION)
    return states.event_of(verdict, state=state, fresh=fresh)


def _grouped(effects: Iterable[_Effect]) -> list[list[_Effect]]:
    """What is written alike."""
    groups: dict[tuple[State, Event | None], list[_Effect]] = {}
    for effect in effects:
        groups.setdefault((effect.before, effect.event), []).append(effect)
    return list(groups.values())


def _write_roles(group: list[_Effect], *, at: datetime) -> None:
    event, roles = group[0].event, [effect.role for effect in group]
    planned = _planned(group, at=at)
    if event is None:
        unchanged = ExternalRole.objects.filter(pk__in=[role.pk for role in roles], state=group[0].before)
        unchanged.update(next_check_at=planned)
        return
    transitions.move_all(roles, event, at=at, next_check_at=planned, **_columns(group[0].before, event, at))


def _columns(before: State, event: Event, at: datetime) -> Mapping[str, object]:
    if before is State.RETIRING:
        return retirement.columns_of(event, at=at)
    if event is Event.OPENED_AS_WANTED:
        first = Coalesce(F("first_proven_at"), Value(at))
        return {"failing_since": None, "last_proven_at": at, "first_proven_at": first}
    return {"failing_since": Coalesce(F("failing_since"), Value(at))}


def _planned(group: list[_Effect], *, at: datetime) -> Combinable | None:
    """Spread by the database's lots, for each role: where all are planned alike, which is usual, without a CASE."""
    spans = {effect.role.pk: _span(effect, at=at) for effect in group}
    alike = set(spans.values())
    if len(alike) == 1:
        return _between(alike.pop())
    return Case(*[When(pk=pk, then=_between(span)) for pk, span in spans.items()], output_field=DateTimeField())


def _span(effect: _Effect, *, at: datetime) -> tuple[datetime, datetime] | None:
    """The soonest and the latest that the next check may be."""
    soonest, latest = (_next_check(effect, at=at, luck=luck) for luck in (1, 0))
    return (soonest, latest) if soonest and latest else None


def _between(span: tuple[datetime, datetime] | None) -> Combinable | None:
    if span is None:
        return None
    soonest, latest = span
    if soonest == latest:
        return Value(soonest)
    share = ExpressionWrapper(Random() * Value(latest - soonest), output_field=DurationField())
    # SQLite adds whole microseconds alone.
    return ExpressionWrapper(Value(soonest) + Cast(share, DurationField()), output_field=DateTimeField())


def _next_check(effect: _Effect, *, at: datetime, luck: float) -> datetime | None:
    if effect.before is State.RETIRING and effect.event:
        soon = retirement.next_try(effect.event, effect.role, at=at)
        if soon:
            return soon
    lasted = at - effect.role.state_since if effect.after is effect.before else timedelta(0)
    gap = states.next_check_after(
        effect.after,
        lasted=lasted,
        learnt=effect.event is not None,
        intervals=intervals(),
        luck=luck,
    )
    return at + gap if gap else None


def intervals() -> Intervals:
    return Intervals(well=settings.CHECK_INTERVAL, troubled=settings.CHECK_INTERVAL_TROUBLED)


def _write_rows(effects: list[_Effect], results: Sequence[Result], *, at: datetime) -> None:
    """An upsert of rows that are there and locked: a statement of as many CASEs would cost three times as much."""
    tried = {result.row.pk: result.tried for result in results}
    for effect in effects:
        row, found = effect.row, tried[effect.row.pk]
        row.finished_at = at
        row.verdict, row.detail = effect.verdict.code, effect.verdict.detail[:200]
        row.probes = [probe.to_json() for probe in found.probes] if found else []
        row.state_before, row.state_after = effect.before, effect.after
    Validation.objects.bulk_create(
        [effect.row for effect in effects],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["finished_at", "verdict", "detail", "probes", "state_before", "state_after"],
    )


def _tell(effects: list[_Effect], *, at: datetime) -> None:
    """Alerts, and then the log, whose head is locked until the commit: a change is told, a batch in one append."""
    alerts.note_checked([Checked(effect.role, effect.before, effect.verdict) for effect in effects], at=at)
    changed = [effect for effect in effects if effect.role.state != effect.before]
    audit.append_all([_entry(effect) for effect in changed], at=at)


def _entry(effect: _Effect) -> audit.Entry:
    verdict = effect.verdict
    facts = {"before": effect.before, "after": effect.role.state, "verdict": verdict.code, "detail": verdict.detail}
    return audit.Entry(action="role_state_changed", subject=effect.role, facts=facts)

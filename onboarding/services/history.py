"""The history of checks: thinned by its rule, counted by day, and told as a report of how long each role was proven."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import groupby
from typing import Final

from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import TruncDate
from django.utils import timezone

from onboarding import queue
from onboarding.core import history
from onboarding.core.history import Check, Day, Proof, Span
from onboarding.core.probes import NOTHING_LEARNT, VerdictCode
from onboarding.core.states import State
from onboarding.models import ExternalRole, ThinnedHistory, Validation
from onboarding.models.partner import ExternalRoleQuerySet
from onboarding.models.validation import ValidationQuerySet

# Thirteen weeks: what is kept whole.
CHART_DAYS: Final = 91

# Roles of one transaction; and how many such chunks one task does before another one goes on.
_CHUNK = 200
_CHUNKS = 100


# --- Thinning -----------------------------------------------------------------------------------------------------


def thin_history() -> None:
    """Go through the days that have grown old enough, oldest first; where many are left, another task goes on."""
    now, left = timezone.now(), _CHUNKS
    ThinnedHistory.objects.get_or_create(pk=1)
    for column, age in (("daily_before", history.KEEP_ALL), ("changes_before", history.KEEP_DAILY)):
        # A day later, since a check may end on the day after the one on which it was asked for.
        until = _day(now - age) - timedelta(days=1)
        while left > 0 and (day := _next_day(column, until=until)):
            left -= _thin_day(day, now=now)
            ThinnedHistory.objects.filter(pk=1).update(**{column: day + timedelta(days=1)})
    if left <= 0:
        queue.send(queue.THIN_HISTORY)


def _next_day(column: str, *, until: date) -> date | None:
    """The next day with a check in it; None where all are done."""
    done_before = ThinnedHistory.objects.values_list(column, flat=True).get(pk=1)
    old = Validation.objects.finished().filter(requested_at__lt=_midnight(until))
    left = old.filter(requested_at__gte=_midnight(done_before)) if done_before else old
    oldest = left.order_by("requested_at", "id").values_list("requested_at", flat=True).first()
    return _day(oldest) if oldest else None


def _thin_day(day: date, *, now: datetime) -> int:
    """How many chunks it took."""
    of_day = Validation.objects.finished().filter(
        requested_at__gte=_midnight(day), requested_at__lt=_midnight(day + timedelta(days=1))
    )
    roles = sorted(set(of_day.values_list("external_role", flat=True).distinct().order_by()))
    chunks = [roles[start : start + _CHUNK] for start in range(0, len(roles), _CHUNK)]
    for chunk in chunks:
        _thin_roles(of_day, chunk, day, now=now)
    return len(chunks)


@transaction.atomic
def _thin_roles(of_day: ValidationQuerySet, roles: list[int], day: date, *, now: datetime) -> None:
    earlier = _last_before(_midnight(day), roles)
    rows = Validation.objects.filter(Q(pk__in=earlier) | Q(pk__in=of_day.filter(external_role__in=roles)))
    kept: list[Check] = []
    gone: list[int] = []
    for checks in _by_role(rows).values():
        thinned = history.thin(checks, now=now)
        kept += thinned.kept
        gone += thinned.gone
    speaking = [Validation(pk=check.key, same_until=check.until, same_count=check.times - 1) for check in kept]
    Validation.objects.bulk_update(speaking, ["same_until", "same_count"], batch_size=_CHUNK)
    Validation.objects.filter(pk__in=gone).delete()


# --- By day -------------------------------------------------------------------------------------------------------


def days_of(role: ExternalRole, *, zone: tzinfo) -> list[Day]:
    """The last thirteen weeks of a role's checks, day by day in `zone`; one query."""
    today = timezone.localdate(timezone=zone)
    since = datetime.combine(today - timedelta(days=CHART_DAYS - 1), time(), zone)
    leaving = Q(state_before=State.RETIRING)
    # Of a role that shall be shut, a denial is what is wanted.
    passed = Q(verdict=VerdictCode.PROVEN) & ~leaving | Q(verdict=VerdictCode.DENIED) & leaving
    counted = (
        role.validations.finished()
        .filter(requested_at__gte=since)
        .order_by()
        .annotate(on=TruncDate("requested_at", tzinfo=zone))
        .values("on")
        .annotate(
            checks=Count("pk"),
            passed=Count("pk", filter=passed),
            failed=Count("pk", filter=~passed & ~Q(verdict__in=NOTHING_LEARNT)),
        )
    )
    return history.calendar((Day(**row) for row in counted), last=today, count=CHART_DAYS)


# --- Report -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One role of a report: `checks` and `passed` are counted within its time."""

    role: ExternalRole
    proof: Proof
    checks: int
    passed: int


def span_of(days: int | None) -> Span:
    """From a UTC midnight up to now, since that is how the history was thinned; None is all of it."""
    now = timezone.now()
    start = datetime(2000, 1, 1, tzinfo=UTC) if days is None else _midnight(_day(now - timedelta(days=days)))
    return Span(start, now)


def report(roles: Sequence[ExternalRole], within: Span) -> list[Line]:
    """Two queries, however many roles."""
    keys = [role.pk for role in roles]
    since = Q(external_role__in=keys, requested_at__gte=within.start)
    rows = Validation.objects.answered().filter(since | Q(pk__in=_last_before(within.start, keys)))
    checks = _by_role(rows)
    return [_line(role, checks.get(role.pk, []), within) for role in roles]


def whole_report(roles: ExternalRoleQuerySet, within: Span) -> Iterator[Line]:
    """Chunk by chunk, so that no process holds all of it."""
    last = 0
    while chunk := list(roles.with_owner().filter(pk__gt=last).order_by("pk")[:_CHUNK]):
        yield from report(chunk, within)
        last = chunk[-1].pk


def _line(role: ExternalRole, checks: list[Check], within: Span) -> Line:
    inside = [check for check in checks if check.at >= within.start]
    return Line(
        role=role,
        proof=history.proof(checks, within=within, known=(role.state, role.state_since)),
        checks=sum(check.times for check in inside),
        passed=sum(check.times for check in inside if check.verdict == VerdictCode.PROVEN),
    )


# --- Both ---------------------------------------------------------------------------------------------------------


def _last_before(at: datetime, roles: list[int]) -> list[int]:
    """The key of each role's last check before `at`, which speaks for the time after it too."""
    earlier = Validation.objects.answered().filter(external_role=OuterRef("pk"), requested_at__lt=at)
    newest = Subquery(earlier.order_by("-requested_at", "-id").values("pk")[:1])
    found = ExternalRole.objects.filter(pk__in=roles).annotate(last=newest).values_list("last", flat=True)
    return [key for key in found if key is not None]


def _by_role(rows: ValidationQuerySet) -> dict[int, list[Check]]:
    """Oldest first."""
    columns = ("pk", "finished_at", "same_until", "same_count", "verdict", "role_arn", "state_before", "state_after")
    ordered = rows.order_by("external_role", "requested_at", "id").values_list("external_role", *columns)
    return {
        role: [_check(*row[1:]) for row in found] for role, found in groupby(ordered.iterator(), lambda row: row[0])
    }


def _check(  # noqa: PLR0917  a row, in the order of its columns
    key: int,
    at: datetime,
    until: datetime | None,
    same: int,
    verdict: str,
    role_arn: str,
    before: str,
    after: str,
) -> Check:
    return Check(
        key=key,
        at=at,
        until=until or at,
        times=same + 1,
        verdict=verdict,
        role_arn=role_arn,
        before=before,
        after=after,
    )


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

"""The history of a role's checks: which of the old ones stay, and for how long they prove the role."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from math import floor

from onboarding.core.states import State

# All checks of the last 90 days; then, of those that say the same, one a day; after 400 days the changes alone.
KEEP_ALL = timedelta(days=90)
KEEP_DAILY = timedelta(days=400)
# How long a check vouches for a role that nobody has looked at since. Roles are checked many times a day.
VOUCHES_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A finished validation. `until` and `times` speak for later ones that said the same and were thinned away."""

    key: int
    at: datetime
    until: datetime
    times: int
    verdict: str
    role_arn: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Thinned:
    """`kept` are those that now speak for more than before, `gone` the keys of the others."""

    kept: tuple[Check, ...]
    gone: tuple[int, ...]


def thin(checks: Sequence[Check], *, now: datetime) -> Thinned:
    """What to keep of one role's checks, given oldest first. Each one gone is spoken for by the one before it."""
    kept: list[Check] = []
    grown: dict[int, Check] = {}
    gone: list[int] = []
    for check in checks:
        if kept and says_the_same(kept[-1], check) and _may_go(check, after=kept[-1], now=now):
            kept[-1] = replace(kept[-1], until=check.until, times=kept[-1].times + check.times)
            grown[kept[-1].key] = kept[-1]
            gone.append(check.key)
        else:
            kept.append(check)
    return Thinned(tuple(grown.values()), tuple(gone))


def says_the_same(earlier: Check, later: Check) -> bool:
    """Whether `later` tells nothing that `earlier` did not, with no gap between them in which nobody looked."""
    return (
        (later.verdict, later.role_arn) == (earlier.verdict, earlier.role_arn)
        and earlier.after == later.before == later.after
        and later.at - earlier.until <= VOUCHES_FOR
    )


def _may_go(check: Check, *, after: Check, now: datetime) -> bool:
    """The checks of one day grow old together, or it would matter at which hour the history is thinned."""
    age = _day(now) - _day(check.until)
    return age > KEEP_ALL and (_day(check.at) == _day(after.at) or age > KEEP_DAILY)


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


@dataclass(frozen=True, slots=True)
class Span:
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """For how long, within a time that was asked about, somebody looked at a role, and for how long it was proven."""

    watched: timedelta
    proven: timedelta

    @property
    def share(self) -> float | None:
        """Of the time in which somebody looked; None where nobody did."""
        return self.proven / self.watched if self.watched else None

    @property
    def percent(self) -> float | None:
        """Rounded down: 100 is said of a role that was proven all the time, and of no other."""
        return None if self.share is None else floor(self.share * 10_000) / 100


def proof(checks: Sequence[Check], *, within: Span, known: tuple[str, datetime]) -> Proof:
    """How long one role was proven, from its checks, oldest first.

    `known` is the role's state now and since when, which says what became of it after its last check.
    """
    watched = proven = timedelta()
    for state, span in _stretches(checks, known=known, now=within.end):
        length = max(min(span.end, within.end) - max(span.start, within.start), timedelta())
        watched += length
        proven += length if state == State.PROVEN else timedelta()
    return Proof(watched=watched, proven=proven)


def _stretches(checks: Iterable[Check], *, known: tuple[str, datetime], now: datetime) -> Iterator[tuple[str, Span]]:
    """Stretches of time with the state that the checks vouch for; none for times in which nobody looked."""
    earlier: Check | None = None
    for check in checks:
        if earlier:
            # What was changed by hand between two checks ended the state at a moment that neither of them knows.
            held = earlier.after == check.before
            yield from _stretch(earlier, until=check.at if held else earlier.until)
        earlier = check
    if earlier:
        state, since = known
        yield from _stretch(earlier, until=now if state == earlier.after else max(since, earlier.until))


def _stretch(check: Check, *, until: datetime) -> Iterator[tuple[str, Span]]:
    end = min(until, check.until + VOUCHES_FOR)
    if end > check.at:
        yield check.after, Span(check.at, end)


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a role's chart."""

    on: date
    checks: int = 0
    passed: int = 0
    failed: int = 0


def calendar(days: Iterable[Day], *, last: date, count: int) -> list[Day]:
    """`count` days up to `last`, those without a check included."""
    found = {day.on: day for day in days}
    every = [last - timedelta(days=back) for back in reversed(range(count))]
    return [found.get(on, Day(on)) for on in every]

"""The states of an external role, the events that move it, and when it is looked at again."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from onboarding.core.errors import OnboardingError
from onboarding.core.probes import Verdict, VerdictCode


class State(StrEnum):
    REGISTERED = "registered"
    INVITED = "invited"
    RETURNED = "returned"
    # Fresh: denied, but IAM may still be propagating.
    NOT_YET = "not_yet"
    # Never worked.
    REFUSED = "refused"
    PROVEN = "proven"
    # Opens where it must not.
    UNSAFE = "unsafe"
    # One failure after success.
    SUSPECT = "suspect"
    BROKEN = "broken"
    SUSPENDED = "suspended"
    # Work has ended; the partner's door may still be open to us.
    RETIRING = "retiring"
    RETIRED = "retired"


class Event(StrEnum):
    INVITED = "invited"
    RETURNED = "returned"
    OPENED_AS_WANTED = "opened_as_wanted"
    DENIED_WHILE_FRESH = "denied_while_fresh"
    DENIED = "denied"
    OPENED_TOO_WIDE = "opened_too_wide"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    RETIRED = "retired"
    # Of a role that is being retired: denied twice, and far enough apart.
    SHOWN_SHUT = "shown_shut"


class IllegalTransition(OnboardingError):
    def __init__(self, state: State, event: Event) -> None:
        super().__init__(state, event)
        self.state = state
        self.event = event


# Whose ARN we hold and may probe.
CHECKED = frozenset(
    {State.RETURNED, State.NOT_YET, State.REFUSED, State.PROVEN, State.UNSAFE, State.SUSPECT, State.BROKEN}
)
LIVE = frozenset(State) - {State.RETIRED}
# What a config may hold; the last two are marked on the page.
HANDED_OUT = frozenset({State.PROVEN, State.SUSPECT, State.BROKEN})
# The partner may replace the ARN freely; later an admin must agree.
FREELY_REPLACEABLE = frozenset({State.INVITED, State.RETURNED, State.NOT_YET, State.REFUSED})
# The admin may still correct what was registered.
CORRECTABLE = frozenset({State.REGISTERED, State.INVITED})
# Failing after it once worked, or never having worked: somebody has to act.
NEEDS_ATTENTION = frozenset({State.REFUSED, State.UNSAFE, State.SUSPECT, State.BROKEN})

_EVER_WORKED = {State.PROVEN, State.SUSPECT, State.BROKEN, State.UNSAFE}


def _table() -> dict[tuple[State, Event], State]:
    table: dict[tuple[State, Event], State] = {
        (State.REGISTERED, Event.INVITED): State.INVITED,
        (State.INVITED, Event.INVITED): State.INVITED,
        (State.RETURNED, Event.DENIED_WHILE_FRESH): State.NOT_YET,
        (State.NOT_YET, Event.DENIED_WHILE_FRESH): State.NOT_YET,
        (State.PROVEN, Event.DENIED): State.SUSPECT,
        (State.UNSAFE, Event.DENIED): State.SUSPECT,
        (State.SUSPECT, Event.DENIED): State.BROKEN,
        (State.BROKEN, Event.DENIED): State.BROKEN,
        (State.SUSPENDED, Event.RESUMED): State.RETURNED,
        (State.REGISTERED, Event.RETIRED): State.RETIRED,
        (State.INVITED, Event.RETIRED): State.RETIRED,
        (State.SUSPENDED, Event.RETIRED): State.RETIRING,
        # The door is tried until it is shut.
        (State.RETIRING, Event.OPENED_AS_WANTED): State.RETIRING,
        (State.RETIRING, Event.OPENED_TOO_WIDE): State.RETIRING,
        (State.RETIRING, Event.DENIED): State.RETIRING,
        (State.RETIRING, Event.SHOWN_SHUT): State.RETIRED,
    }
    for state in {State.REGISTERED, State.INVITED} | CHECKED:
        table[state, Event.RETURNED] = State.RETURNED
    for state in CHECKED:
        table[state, Event.INVITED] = state
        table[state, Event.OPENED_AS_WANTED] = State.PROVEN
        table[state, Event.OPENED_TOO_WIDE] = State.UNSAFE
        table[state, Event.SUSPENDED] = State.SUSPENDED
        table[state, Event.RETIRED] = State.RETIRING
    for state in CHECKED - _EVER_WORKED:
        table[state, Event.DENIED] = State.REFUSED
    return table


_TRANSITIONS = _table()


def next_state(state: State, event: Event) -> State:
    """Raise `IllegalTransition` for a pair that the table does not know."""
    try:
        return _TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None


def event_of(verdict: Verdict, *, state: State, fresh: bool) -> Event | None:
    """What a verdict does to the role's state; None where we learnt nothing about it.

    `fresh` says that the ARN was returned so recently that IAM may still be propagating. Of a role that is being
    retired, only a plain denial shows that the door is shut.
    """
    if verdict.code is VerdictCode.PROVEN:
        return Event.OPENED_AS_WANTED
    if verdict.is_unsafe:
        return Event.OPENED_TOO_WIDE
    if verdict.code in _NOTHING_LEARNT or (state is State.RETIRING and verdict.code is not VerdictCode.DENIED):
        return None
    if fresh and verdict.code is VerdictCode.DENIED:
        return Event.DENIED_WHILE_FRESH
    return Event.DENIED


_NOTHING_LEARNT = frozenset({VerdictCode.OUR_TROUBLE, VerdictCode.INCONCLUSIVE, VerdictCode.SUPERSEDED})


# AWS names no time for IAM to propagate; field reports say 10 to 30 seconds, so two minutes are granted.
GRACE = timedelta(minutes=2)


def is_fresh(state: State, *, since_return: timedelta, grace: timedelta = GRACE) -> bool:
    return state in {State.RETURNED, State.NOT_YET} and since_return < grace


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often roles are checked again; the first is for roles that are well, the second for all others."""

    well: timedelta = timedelta(hours=3)
    troubled: timedelta = timedelta(minutes=15)


_FRESH_GAPS = [timedelta(seconds=seconds) for seconds in (5, 10, 20, 30, 60)]


def next_check_after(state: State, *, failures: int, intervals: Intervals) -> timedelta | None:
    """When to look again after the `failures`-th failure in a row; None where there is nothing to look at."""
    if state is State.NOT_YET:
        return _FRESH_GAPS[min(failures, len(_FRESH_GAPS)) - 1] if failures else _FRESH_GAPS[0]
    if state is State.SUSPECT:
        return timedelta(minutes=1)
    if state is State.PROVEN:
        return intervals.well
    if state in CHECKED or state is State.RETIRING:
        # Growing gaps, from `troubled` up to the interval of roles that are well.
        doublings: int = min(max(failures - 1, 0), 8)
        return min(intervals.troubled * (1 << doublings), intervals.well)
    return None


def stones_laid(state: State, *, used: bool) -> int:
    """How many of the five stones are laid: Registered, Invited, Returned, Proven, In use."""
    fixed = {State.REGISTERED: 1, State.INVITED: 2, State.RETURNED: 3, State.NOT_YET: 3, State.REFUSED: 3}
    return fixed.get(state, 5 if used else 4)


# From what needs somebody most to what needs nobody.
_BY_CONCERN = (
    State.UNSAFE,
    State.BROKEN,
    State.REFUSED,
    State.SUSPECT,
    State.REGISTERED,
    State.INVITED,
    State.RETURNED,
    State.NOT_YET,
    State.RETIRING,
    State.SUSPENDED,
    State.PROVEN,
    State.RETIRED,
)


def concern(state: State, *, used: bool) -> tuple[int, bool]:
    """Sorts the role that is furthest behind, or the worst off, to the front."""
    return _BY_CONCERN.index(state), used

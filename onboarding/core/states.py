"""The states of an external role, the events that move it, and when it is looked at again."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from onboarding.core.errors import OnboardingError
from onboarding.core.probes import NOTHING_LEARNT, Verdict, VerdictCode


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
    # Failing after success, since so short a time that it may mend itself.
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


class Told(StrEnum):
    """Who hears of a change by themselves; pages show every change to everybody whom it concerns."""

    NOBODY = "nobody"
    # And the partner, where that was chosen.
    ADMINS = "admins"
    # The same, where they were told before that something was wrong.
    IF_TOLD_BEFORE = "if_told_before"


class IllegalTransition(OnboardingError):
    def __init__(self, state: State, event: Event) -> None:
        super().__init__(state, event)
        self.state = state
        self.event = event


# Whose ARN we hold and may probe.
CHECKED = frozenset(
    {State.RETURNED, State.NOT_YET, State.REFUSED, State.PROVEN, State.UNSAFE, State.SUSPECT, State.BROKEN}
)
# The door of a role that is being retired is tried too, until it is shut.
PROBED = CHECKED | {State.RETIRING}
LIVE = frozenset(State) - {State.RETIRED}
# What a config may hold; the last two are marked on the page.
HANDED_OUT = frozenset({State.PROVEN, State.SUSPECT, State.BROKEN})
# The partner may replace the ARN freely; later an admin must agree.
FREELY_REPLACEABLE = frozenset({State.INVITED, State.RETURNED, State.NOT_YET, State.REFUSED})
# The admin may still correct what was registered.
CORRECTABLE = frozenset({State.REGISTERED, State.INVITED})
# Failing after it once worked, or never having worked: somebody has to act.
NEEDS_ATTENTION = frozenset({State.REFUSED, State.UNSAFE, State.SUSPECT, State.BROKEN})

_FRESH = frozenset({State.RETURNED, State.NOT_YET})
_ASKED_FOR = frozenset({State.REGISTERED, State.INVITED})


@dataclass(frozen=True, slots=True)
class Transition:
    """`after` is None where the state stays."""

    states: frozenset[State]
    event: Event
    after: State | None
    told: Told = Told.NOBODY


def _one(*states: State) -> frozenset[State]:
    return frozenset(states)


# Every legal pair of state and event stands here once; what does not stand here cannot be written.
TRANSITIONS = (
    Transition(_ASKED_FOR, Event.INVITED, State.INVITED),
    Transition(CHECKED, Event.INVITED, None),
    Transition(_ASKED_FOR | CHECKED, Event.RETURNED, State.RETURNED),
    Transition(_FRESH, Event.DENIED_WHILE_FRESH, State.NOT_YET),
    Transition(_FRESH | {State.REFUSED}, Event.DENIED, State.REFUSED),
    Transition(CHECKED, Event.OPENED_AS_WANTED, State.PROVEN, Told.IF_TOLD_BEFORE),
    Transition(_one(State.UNSAFE), Event.OPENED_TOO_WIDE, None),
    Transition(CHECKED - {State.UNSAFE}, Event.OPENED_TOO_WIDE, State.UNSAFE, Told.ADMINS),
    Transition(_one(State.PROVEN), Event.DENIED, State.SUSPECT),
    Transition(_one(State.SUSPECT), Event.DENIED_WHILE_FRESH, None),
    Transition(_one(State.SUSPECT), Event.DENIED, State.BROKEN, Told.ADMINS),
    Transition(_one(State.BROKEN), Event.DENIED, None),
    # Shut now, and not known to be mended: it stays out of configs until it is proven.
    Transition(_one(State.UNSAFE), Event.DENIED, State.REFUSED),
    Transition(CHECKED, Event.SUSPENDED, State.SUSPENDED),
    Transition(_one(State.SUSPENDED), Event.RESUMED, State.RETURNED),
    Transition(_ASKED_FOR, Event.RETIRED, State.RETIRED),
    Transition(CHECKED | {State.SUSPENDED}, Event.RETIRED, State.RETIRING),
    # The door is tried until it is shut.
    Transition(_one(State.RETIRING), Event.OPENED_AS_WANTED, None),
    Transition(_one(State.RETIRING), Event.OPENED_TOO_WIDE, None),
    Transition(_one(State.RETIRING), Event.DENIED, None),
    Transition(_one(State.RETIRING), Event.SHOWN_SHUT, State.RETIRED, Told.ADMINS),
)
_TABLE = {(state, line.event): line for line in TRANSITIONS for state in line.states}
_TOLD = {
    (state, line.after): line.told for line in TRANSITIONS for state in line.states if line.after not in {None, state}
}


def next_state(state: State, event: Event) -> State:
    """Raise `IllegalTransition` for a pair that the table does not know."""
    try:
        return _TABLE[state, event].after or state
    except KeyError:
        raise IllegalTransition(state, event) from None


def who_is_told(before: State, after: State) -> Told:
    """Of a change from state to state; nobody where nothing changes."""
    return _TOLD.get((before, after), Told.NOBODY)


def event_of(verdict: Verdict, *, state: State, fresh: bool) -> Event | None:
    """What a verdict does to the role's state; None where we learnt nothing about it.

    `fresh` says that the ARN was returned, or that a proven role began to fail, so recently that IAM may still be
    propagating. Of a role that is being retired, only a plain denial shows that the door is shut.
    """
    if verdict.code is VerdictCode.PROVEN:
        return Event.OPENED_AS_WANTED
    if verdict.is_unsafe:
        return Event.OPENED_TOO_WIDE
    if verdict.code in NOTHING_LEARNT or (state is State.RETIRING and verdict.code is not VerdictCode.DENIED):
        return None
    if fresh and verdict.code is VerdictCode.DENIED:
        return Event.DENIED_WHILE_FRESH
    return Event.DENIED


# AWS names no time for IAM to propagate; field reports say 10 to 30 seconds, so two minutes are granted.
GRACE = timedelta(minutes=2)


def is_fresh(state: State, *, since: timedelta, grace: timedelta = GRACE) -> bool:
    """`since` the ARN was returned, or the first failure. A clock that was put back must not make it fresh for ever."""
    return state in _FRESH | {State.SUSPECT} and -grace < since < grace


@dataclass(frozen=True, slots=True)
class Intervals:
    """How often roles are checked again; the first is for roles that are well, the second for all others."""

    well: timedelta = timedelta(hours=3)
    troubled: timedelta = timedelta(minutes=15)

    @property
    def longest(self) -> timedelta:
        """A check that is planned later than this was planned by a clock that was wrong."""
        return max(self.well, self.troubled)


_QUICKEST = timedelta(seconds=5)
_SOON = timedelta(seconds=30)
_AT_ONCE = timedelta(minutes=1)
# Roles that were returned on one morning must not be checked in one heap for ever.
_JITTER = 0.1


def next_check_after(
    state: State, *, lasted: timedelta, learnt: bool, intervals: Intervals, luck: float = 0
) -> timedelta | None:
    """When to look again at a role that has been in `state` for `lasted`; None where there is nothing to look at.

    Where the last check taught us nothing, soon. Gaps of what is open grow with the time that it is open. `luck`,
    from 0 to 1, spreads them, and makes none longer.
    """
    if state not in PROBED:
        return None
    spread = 1 - _JITTER * luck
    if state is State.PROVEN and learnt:
        return intervals.well * spread
    if state in _FRESH and lasted < GRACE:
        return _within(_QUICKEST, lasted, _AT_ONCE)
    if state is State.SUSPECT and learnt:
        return _within(_SOON, lasted, intervals.troubled)
    soonest = min(intervals.troubled, intervals.well)
    return _within(soonest, lasted if learnt else soonest, intervals.well) * spread


def _within(least: timedelta, wanted: timedelta, most: timedelta) -> timedelta:
    return max(least, min(wanted, most))


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

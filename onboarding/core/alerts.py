"""What is worth an alert, to whom, and when it is told."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from onboarding.core import states
from onboarding.core.outgoing import doubled
from onboarding.core.states import State, Told


class AlertKind(StrEnum):
    BROKEN = "broken"
    UNSAFE = "unsafe"
    RECOVERED = "recovered"
    # We cannot check, for a reason on our own side; and we can again.
    OUR_TROUBLE = "our_trouble"
    TROUBLE_OVER = "trouble_over"
    # Our own control roles do not answer as they must, so that no denial counts.
    CONTROLS_FAIL = "controls_fail"
    # Identity Center made a permission set's SSO role anew: policies that name its ARN have to be saved once more.
    SSO_ROLE_CHANGED = "sso_role_changed"
    # The work has ended, and the partner's door still opens.
    DOOR_OPEN = "door_open"
    # To the partner alone: what to remove. And once the door was shown to be shut:
    RETIREMENT = "retirement"
    RETIRED = "retired"
    TEST = "test"


# Of their own roles, and where it was chosen for them.
FOR_PARTNERS = frozenset(
    {
        AlertKind.BROKEN,
        AlertKind.UNSAFE,
        AlertKind.RECOVERED,
        AlertKind.SSO_ROLE_CHANGED,
        AlertKind.DOOR_OPEN,
        AlertKind.RETIRED,
    }
)
FOR_ADMINS = frozenset(AlertKind) - {AlertKind.RETIREMENT}
# Goes on until it is over, and is told once however long that takes.
LASTING = frozenset({AlertKind.OUR_TROUBLE, AlertKind.CONTROLS_FAIL})
# What is told of a role's state; the newest of them says whether a proven role has recovered from anything.
OF_STATE = frozenset({AlertKind.BROKEN, AlertKind.UNSAFE, AlertKind.RECOVERED})


def kind_of_change(before: State, after: State, *, told: AlertKind | None) -> AlertKind | None:
    """What a role's change of state is worth; `told` is the last of `OF_STATE` that was told of it."""
    who = states.who_is_told(before, after)
    if who is Told.NOBODY or (who is Told.IF_TOLD_BEFORE and told not in {AlertKind.BROKEN, AlertKind.UNSAFE}):
        return None
    return _OF_CHANGE[after]


_OF_CHANGE = {
    State.BROKEN: AlertKind.BROKEN,
    State.UNSAFE: AlertKind.UNSAFE,
    State.PROVEN: AlertKind.RECOVERED,
    State.RETIRED: AlertKind.RETIRED,
}


# One fault hits many roles within moments: an alert collects them before it is told.
COLLECTING = timedelta(minutes=1)
_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(minutes=30)
# How far back alerts of the same kind make the next one wait.
REMEMBERED = timedelta(hours=6)


def due_at(at: datetime, *, told: Sequence[datetime]) -> datetime:
    """When an alert that opens now is told; `told` are the times of its kind within `REMEMBERED`.

    The more there were, the longer it collects: a fault that comes to light over hours is a handful of lists.
    """
    soonest = at + COLLECTING
    if not told:
        return soonest
    return max(soonest, max(told) + doubled(_FIRST_PAUSE, len(told), longest=_LONGEST_PAUSE))


# What says that a trouble of ours is over: something was learnt, and no further trouble for as long as this.
CALM = timedelta(minutes=10)
# After so long without a word a trouble is no longer open, though nobody can say that it is over.
FORGOTTEN = timedelta(days=1)

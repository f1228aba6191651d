"""When a role counts as retired: what a try at its door shows, and how many tries say that it is shut."""

from datetime import datetime, timedelta
from enum import StrEnum

from onboarding.core.probes import UNSAFE, Verdict, VerdictCode

# Two denials this far apart: one alone may be IAM still propagating, or a slip that the partner takes back.
SHUT_AGAIN_AFTER = timedelta(minutes=15)
# A door that is still open so long after the work has ended is somebody's to look at.
OPEN_TOO_LONG = timedelta(days=7)
# A session that starts from another role lives no longer, whatever the role allows (IAM User Guide, role chaining).
LONGEST_SESSION = timedelta(hours=1)


class Sight(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    UNCLEAR = "unclear"


_OPEN = UNSAFE | {VerdictCode.PROVEN, VerdictCode.WRONG_ACCOUNT, VerdictCode.WRONG_ROLE}


def sight(verdict: Verdict, *, controls_hold: bool) -> Sight:
    """AccessDenied with and without the external ID is a shut door, while our own control role opens."""
    if verdict.code in _OPEN:
        return Sight.OPEN
    return Sight.SHUT if verdict.code is VerdictCode.DENIED and controls_hold else Sight.UNCLEAR


def first_seen_shut(seen: Sight, earlier: datetime | None, *, at: datetime) -> datetime | None:
    """Since when the door was seen shut and never open; `earlier` is what was known before this try."""
    if seen is Sight.OPEN:
        return None
    return earlier or (at if seen is Sight.SHUT else None)


def is_shown_shut(seen: Sight, first: datetime | None, *, at: datetime, apart: timedelta) -> bool:
    return seen is Sight.SHUT and first is not None and at - first >= apart


def sessions_end_at(first: datetime) -> datetime:
    """Until when a session that was issued before the door was seen shut may live."""
    return first + LONGEST_SESSION

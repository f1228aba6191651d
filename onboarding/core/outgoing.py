"""When to try again what somebody did not take."""

from datetime import datetime, timedelta

_FIRST_GAP = timedelta(seconds=30)
_LONGEST_GAP = timedelta(hours=1)


def next_try(*, attempts: int, at: datetime) -> datetime:
    """When to try again should the `attempts`-th attempt fail."""
    return at + doubled(_FIRST_GAP, attempts, longest=_LONGEST_GAP)


def is_out_of_time(*, attempts: int, asked_at: datetime, next_try_at: datetime, patience: timedelta) -> bool:
    """Whether the next try would come too late. What was never tried is tried, however late."""
    return attempts > 0 and next_try_at - asked_at >= patience


def doubled(first: timedelta, times: int, *, longest: timedelta) -> timedelta:
    """`first` for the first time, then twice as long each time, up to `longest`."""
    return min(first * (1 << min(max(times - 1, 0), 16)), longest)

"""How fast a long piece of work goes, and how long it still takes."""

from datetime import timedelta

# What happened lately says more about what is to come than the whole past does.
LATELY = timedelta(minutes=1)


def rate(done_lately: int, *, since_begin: timedelta) -> float:
    """In pieces a second, over the last minute or since the beginning."""
    seconds = max(min(since_begin, LATELY).total_seconds(), 1.0)
    return done_lately / seconds


def remaining(left: int, *, rate: float) -> timedelta | None:
    """None where nothing has been done lately, so that nobody can tell."""
    if left <= 0:
        return timedelta()
    return timedelta(seconds=round(left / rate)) if rate > 0 else None

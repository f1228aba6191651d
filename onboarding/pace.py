"""How fast STS is asked: a share of its quota, kept by all workers together through Redis, or by each one alone."""

import time
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock

import structlog
from django.conf import settings
from redis import Redis, RedisError

log = structlog.get_logger(__name__)

# A Redis that hangs costs seconds at each try, so it is left alone for a while.
_LEFT_ALONE_SECONDS = 5.0

# Two lines, each as long as the calls in it last at the rate. Who goes first stands in the first line alone, and
# makes the second longer as well. Redis' own clock counts; a line that it lost is an empty one.
_STAND_IN_LINE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local lasts, first, patience = ARGV[1] / ARGV[2], ARGV[3] == '1', tonumber(ARGV[4])
local urgent = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local all = math.max(now, tonumber(redis.call('GET', KEYS[2]) or 0))
local wait = (first and urgent or all) - now
if wait > patience then return '-1' end
local function stand(key, line)
    redis.call('SET', key, tostring(line + lasts), 'PX', math.ceil((line - now + lasts) * 1000) + 1000)
end
if first then stand(KEYS[1], urgent) end
stand(KEYS[2], all)
return tostring(wait)
"""


def wait_for(calls: int, *, goes_first: bool, patience: float) -> bool:
    """Sleep until so many calls of STS may be made. False, at once, where it would take longer than `patience`."""
    rate = settings.STS_CALLS_PER_SECOND
    if not rate:
        return True
    seconds = _line().stand(calls, rate=rate, goes_first=goes_first, patience=patience)
    if seconds is None:
        return False
    time.sleep(seconds)
    return True


@dataclass(slots=True)
class _OwnLine:
    """The same within this process."""

    _all: float = 0.0
    _urgent: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def stand(self, calls: int, *, rate: float, goes_first: bool, patience: float) -> float | None:
        with self._lock:
            now = time.monotonic()
            urgent, everybody = max(now, self._urgent), max(now, self._all)
            wait = (urgent if goes_first else everybody) - now
            if wait > patience:
                return None
            self._urgent = urgent + calls / rate if goes_first else self._urgent
            self._all = everybody + calls / rate
            return wait


class _SharedLine:
    """While Redis is away, this process keeps to the rate by itself."""

    def __init__(self) -> None:
        redis = Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
        self._script = redis.register_script(_STAND_IN_LINE)
        self._keys = [f"{settings.REDIS_KEY_PREFIX}:pace:{line}" for line in ("urgent", "all")]
        self._own = _OwnLine()
        self._away_until = 0.0

    def stand(self, calls: int, *, rate: float, goes_first: bool, patience: float) -> float | None:
        if time.monotonic() >= self._away_until:
            try:
                wait = float(self._script(keys=self._keys, args=[calls, rate, int(goes_first), patience]))
            except RedisError as error:
                self._away_until = time.monotonic() + _LEFT_ALONE_SECONDS
                log.warning("pace_kept_alone", error=type(error).__name__)
            else:
                return wait if wait >= 0 else None
        return self._own.stand(calls, rate=rate, goes_first=goes_first, patience=patience)


@lru_cache(maxsize=1)
def _line() -> _SharedLine:
    """Made at the first call, so after the fork of a worker's processes."""
    return _SharedLine()

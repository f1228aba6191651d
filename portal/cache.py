"""Django's cache: rate limits and used one-time codes, shared by all processes while Redis answers."""

import logging
import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import RedisError

log = logging.getLogger(__name__)

# A Redis that hangs costs seconds at each try, so it is left alone for a while.
_LEFT_ALONE_SECONDS = 5.0


class SharedOrOwnCache(RedisCache):
    """While Redis is away, the memory of this process: sign-in goes on, and its limits still hold here."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._own = LocMemCache("while-redis-is-away", params)
        self._away_until = 0.0

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._asked("add", key, value, timeout=timeout, version=version))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._asked("get", key, default, version=version)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._asked("set", key, value, timeout=timeout, version=version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        return int(self._asked("incr", key, delta, version=version))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._asked("delete", key, version=version))

    def _asked(self, verb: str, *args: Any, **options: Any) -> Any:
        if time.monotonic() >= self._away_until:
            try:
                return getattr(super(), verb)(*args, **options)
            except RedisError as error:
                self._away_until = time.monotonic() + _LEFT_ALONE_SECONDS
                log.warning("cache_unreachable: %s", type(error).__name__)
        return getattr(self._own, verb)(*args, **options)

"""The Redis cache: values are JSON, and a cache in the memory of the process stands in while Redis is unavailable."""

import json
import logging
import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

RETRY_SECONDS = 5.0
CONNECTION_ERRORS = (RedisError, OSError)

logger = logging.getLogger(__name__)


class JsonSerializer:
    """Serialises cached values as JSON. With pickle, whoever can write to Redis could run code in this process."""

    def dumps(self, value: Any) -> Any:
        """Return the stored form of a value. An integer stays as it is, because Redis increments it (INCR)."""
        return value if type(value) is int else json.dumps(value)

    def loads(self, data: bytes) -> Any:
        """Return the value of a stored form, None for what is not JSON, as an earlier version left it."""
        try:
            return json.loads(data)
        except ValueError:
            return None


class FallbackRedisCache(RedisCache):
    """A Redis cache that falls back to the memory of the process, so that throttling goes on and no request fails.

    While Redis is unavailable each process counts for itself.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.memory = LocMemCache(f"sturdy {server}", {**params, "OPTIONS": {}})
        self.away_until = 0.0

    def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= self.away_until:
            try:
                return getattr(super(), method)(*args, **kwargs)
            except CONNECTION_ERRORS:
                # A failing connection attempt may take seconds, so the next calls do not try again at once.
                self.away_until = time.monotonic() + RETRY_SECONDS
                logger.warning(
                    "Redis is unavailable; this process uses its own memory as cache for %d seconds", RETRY_SECONDS
                )
        return getattr(self.memory, method)(*args, **kwargs)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._ask("add", key, value, timeout, version)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._ask("get", key, default, version)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._ask("set", key, value, timeout, version)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._ask("touch", key, timeout, version)

    def delete(self, key: str, version: int | None = None) -> Any:
        return self._ask("delete", key, version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> Any:
        return self._ask("incr", key, delta, version)

    def has_key(self, key: str, version: int | None = None) -> Any:
        return self._ask("has_key", key, version)

    def get_many(self, keys: Any, version: int | None = None) -> Any:
        return self._ask("get_many", keys, version)

    def set_many(self, data: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        return self._ask("set_many", data, timeout, version)

    def delete_many(self, keys: Any, version: int | None = None) -> Any:
        return self._ask("delete_many", keys, version)

    def clear(self) -> Any:
        return self._ask("clear")

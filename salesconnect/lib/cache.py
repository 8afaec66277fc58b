"""The cache in Redis: readable without running what it holds, and replaced by memory while Redis is away."""

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
    """Values as JSON: whoever can write to Redis must not be able to run code here, as a pickle would."""

    def dumps(self, value: Any) -> Any:
        """Return a value as Redis holds it; a whole number stays one, so that Redis can count."""
        return value if type(value) is int else json.dumps(value)

    def loads(self, data: bytes) -> Any:
        """Return a value; what is no JSON, as an older version left it, is nothing."""
        try:
            return json.loads(data)
        except ValueError:
            return None


class FallbackRedisCache(RedisCache):
    """Redis, and this process's memory while Redis is away: throttles go on counting, and nobody gets an error.

    Each process then counts for itself. Finding out that Redis is away takes time, so it is left alone for seconds.
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
                self.away_until = time.monotonic() + RETRY_SECONDS
                logger.warning("Redis is away; this process counts for itself for %d seconds", RETRY_SECONDS)
        return getattr(self.memory, method)(*args, **kwargs)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        """Store a value unless there is one."""
        return self._ask("add", key, value, timeout, version)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """Return a value."""
        return self._ask("get", key, default, version)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        """Store a value."""
        return self._ask("set", key, value, timeout, version)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        """Let a value live longer."""
        return self._ask("touch", key, timeout, version)

    def delete(self, key: str, version: int | None = None) -> Any:
        """Remove a value."""
        return self._ask("delete", key, version)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> Any:
        """Count."""
        return self._ask("incr", key, delta, version)

    def has_key(self, key: str, version: int | None = None) -> Any:
        """Tell whether there is a value."""
        return self._ask("has_key", key, version)

    def get_many(self, keys: Any, version: int | None = None) -> Any:
        """Return several values."""
        return self._ask("get_many", keys, version)

    def set_many(self, data: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> Any:
        """Store several values."""
        return self._ask("set_many", data, timeout, version)

    def delete_many(self, keys: Any, version: int | None = None) -> Any:
        """Remove several values."""
        return self._ask("delete_many", keys, version)

    def clear(self) -> Any:
        """Remove everything."""
        return self._ask("clear")

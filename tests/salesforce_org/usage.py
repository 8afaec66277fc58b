"""How many API calls the last 24 hours took, and how many long requests are under way."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from tests.salesforce_org.clock import DAY, MINUTE, Clock
from tests.salesforce_org.errors import ApiError
from tests.salesforce_org.settings import Settings


class Usage:
    """Counts by minute in a rolling window."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self.clock, self.settings = clock, settings
        self._minutes: Counter[int] = Counter()
        self._under_way: list[float] = []
        self._lock = Lock()

    @property
    def used(self) -> int:
        """Return the number of calls in the last 24 hours."""
        first = (self.clock.now() - DAY) // MINUTE
        for minute in [minute for minute in self._minutes if minute <= first]:
            del self._minutes[minute]
        return self._minutes.total()

    def set(self, used: int) -> None:
        """Pretend that so many calls were made just now."""
        self._minutes = Counter({self.clock.now() // MINUTE: used})

    def count(self) -> None:
        """Count a call, or refuse it at the cap."""
        if self.used >= self.settings.daily_limit:
            raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self._minutes[self.clock.now() // MINUTE] += 1

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Note how long a request takes; refuse it when too many have been taking long."""
        began = time.monotonic()
        long_ago = began - self.settings.long_request_seconds
        with self._lock:
            if sum(start <= long_ago for start in self._under_way) >= self.settings.long_requests:
                message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
                raise ApiError(403, "REQUEST_LIMIT_EXCEEDED", message)
            self._under_way.append(began)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.remove(began)

    def header(self) -> str:
        """Return the value of Sforce-Limit-Info."""
        info = f"api-usage={self.used}/{self.settings.daily_limit}"
        if self.settings.app_limit is not None:
            most = self.settings.app_limit
            info += f"; per-app-api-usage={min(self.used, most)}/{most}(appName=sales)"
        return info

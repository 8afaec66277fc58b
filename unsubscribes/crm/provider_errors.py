"""The kinds of errors of a CRM, and how often each is retried. Pure."""

from dataclasses import dataclass
from enum import Enum


class ErrorKind(Enum):
    AUTH = "auth"
    QUOTA = "quota"
    PERMISSION = "permission"
    TRANSIENT = "transient"
    BUG = "bug"
    SCHEMA = "schema"
    SPLIT = "split"
    RESUME = "resume"
    MOVED_ON = "moved on"  # the record was changed after it was read
    ELSEWHERE = "elsewhere"  # the host redirects: a new token names the right one
    GONE = "gone"  # merged, deleted or converted: look up what became of it
    RULE = "rule"  # a rule of the CRM refuses the write; an administrator there may change it
    READ_ONLY = "read only"
    SLOW = "slow"
    DATA = "data"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff of one record: first delay in seconds, growth factor, number of tries, longest delay."""

    first: float
    growth: float
    tries: int
    longest: float = 3_600

    def seconds(self, attempts: int) -> float:
        return min(self.first * self.growth ** min(attempts, 20), self.longest)


RETRY_POLICIES = {
    ErrorKind.TRANSIENT: RetryPolicy(1, 2, 20),  # eight hours in all: a mass update locks its rows for that long
    ErrorKind.MOVED_ON: RetryPolicy(1, 2, 20),
    ErrorKind.SLOW: RetryPolicy(3_600, 1, 168),  # hourly for a week: an approval process locks the record for days
    ErrorKind.GONE: RetryPolicy(60, 4, 5),  # reported as missing, but not as deleted: it may be hidden for a while
    ErrorKind.UNKNOWN: RetryPolicy(8, 8, 5),
    ErrorKind.BUG: RetryPolicy(8, 8, 5),
}
"""A kind without a policy becomes a dead letter at once; the sweep retries dead letters once a day."""


class ProviderError(Exception):
    """A request failed as a whole; `retry_after` is the delay in seconds that the CRM asked for."""

    def __init__(self, kind: ErrorKind, code: str, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(f"{kind.value}: {code}")
        self.kind = kind
        self.code = code
        self.message = message
        self.retry_after = retry_after


class LeaseLost(Exception):  # noqa: N818
    """Another worker has taken the lease over: stop without writing anything more."""

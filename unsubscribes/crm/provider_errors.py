"""What can go wrong in a conversation with a CRM, and how often each kind is tried again."""

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
    MOVED_ON = "moved on"  # somebody changed the record since it was read
    ELSEWHERE = "elsewhere"  # this host is not the CRM's, or is no longer: a new token names the right one
    GONE = "gone"  # merged, deleted, converted: look where it went
    RULE = "rule"  # the CRM's own rules refuse it: they may change
    READ_ONLY = "read only"
    SLOW = "slow"
    DATA = "data"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a record is tried again: after how many seconds first, how many times longer each time, how often in all."""

    first: float
    growth: float
    tries: int
    longest: float = 3_600

    def seconds(self, attempts: int) -> float:
        """Return how long to wait after so many tries that failed before."""
        return min(self.first * self.growth ** min(attempts, 20), self.longest)


RETRY_POLICIES = {
    ErrorKind.TRANSIENT: RetryPolicy(1, 2, 20),  # eight hours: a mass update holds its rows for long
    ErrorKind.MOVED_ON: RetryPolicy(1, 2, 20),
    ErrorKind.SLOW: RetryPolicy(3_600, 1, 168),  # an approval takes days
    ErrorKind.GONE: RetryPolicy(60, 4, 5),  # answers as if it were not there, and is
    ErrorKind.UNKNOWN: RetryPolicy(8, 8, 5),
    ErrorKind.BUG: RetryPolicy(8, 8, 5),
}
"""A kind that is not here waits for a person, who gets a dead letter, and for the next day."""


class ProviderError(Exception):
    """A request failed as a whole: what kind of trouble it is, the CRM's code and words, and how long to wait."""

    def __init__(self, kind: ErrorKind, code: str, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(f"{kind.value}: {code}")
        self.kind = kind
        self.code = code
        self.message = message
        self.retry_after = retry_after


class LeaseLost(Exception):  # noqa: N818
    """Somebody else has taken over: stop without another word."""

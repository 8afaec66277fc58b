"""The org's own time, which tests may move, and how Salesforce writes times."""

import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)")
MINUTE, DAY = 60, 86_400


class Clock:
    """Real time plus an offset, or a moment at which it stands still."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.standing: float | None = None

    def time(self) -> float:
        """Return the org's time in seconds since 1970."""
        return self.standing if self.standing is not None else time.time() + self.offset

    def now(self) -> int:
        """Return the org's time as records carry it, in whole seconds."""
        return int(self.time())

    def set(self, *, offset: float | None = None, advance: float = 0, stand_at: str | None = None) -> None:
        """Move the clock: to an offset from real time, forward by seconds, or to a moment at which it stands."""
        if stand_at is not None:
            self.standing = parse(stand_at)
        elif offset is not None:
            self.standing, self.offset = None, offset
        if self.standing is not None:
            self.standing += advance
        else:
            self.offset += advance


def text(seconds: int | None) -> str | None:
    """Return a time as the REST API writes it: whole seconds, milliseconds always .000, the offset without a colon."""
    if seconds is None:
        return None
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def parse(written: str) -> int:
    """Return the seconds of a time with zone; raise ValueError when it is none."""
    if not ISO.fullmatch(written):
        raise ValueError(written)
    return int(datetime.fromisoformat(re.sub(r"\.\d+", "", written)).timestamp())


def whole_minute(seconds: int) -> int:
    """Drop the seconds, as the replication resources do."""
    return seconds - seconds % MINUTE


def http_date(seconds: float) -> str:
    """Return a time as HTTP headers carry it."""
    return formatdate(seconds, usegmt=True)

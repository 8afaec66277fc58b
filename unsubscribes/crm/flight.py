"""The flight recorder of a run: each call to the CRM, so that one sees afterwards what happened, and in which order.

No person is in it: of a path the ids of records are left out, and neither parameters nor bodies are kept.
"""

import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypedDict

from django.utils import timezone

from unsubscribes.crm.provider_errors import ProviderError

MOST_CALLS = 200
"""How many calls are kept of a run, the last ones: what came before a failure tells most."""
PATH_LIMIT = 120
_ID = re.compile(r".*\d.*")
_WORD = re.compile(r"v\d+(\.\d+)?")


class Call(TypedDict):
    """A call: when it began (ISO 8601), what was asked for, how it ended, and how long it took in milliseconds."""

    at: str
    method: str
    path: str
    status: str
    ms: int


class FlightRecorder:
    """Keeps the last calls of a session."""

    def __init__(self) -> None:
        self.calls: deque[Call] = deque(maxlen=MOST_CALLS)

    @contextmanager
    def call(self, method: str, path: str) -> Iterator[Call]:
        """Keep a call; who makes it sets its status, else that is the code of the error, or empty."""
        began = time.monotonic()
        made = Call(at=timezone.now().isoformat(), method=method, path=without_ids(path), status="", ms=0)
        try:
            yield made
        except ProviderError as error:
            made["status"] = made["status"] or error.code
            raise
        finally:
            made["ms"] = round((time.monotonic() - began) * 1000)
            self.calls.append(made)


def without_ids(path: str) -> str:
    """Return a path with a sign in the place of each part that may be an id or an address."""
    parts = path.partition("?")[0].split("/")
    kept = [part if _WORD.fullmatch(part) or not (_ID.fullmatch(part) or "@" in part) else "…" for part in parts]
    return "/".join(kept)[:PATH_LIMIT]


def kept(before: Sequence[Call], recorder: FlightRecorder) -> list[Call]:
    """Return the calls of the turns before and of this one, the last ones."""
    return [*before, *recorder.calls][-MOST_CALLS:]

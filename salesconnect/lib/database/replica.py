"""Reading from a copy of the database: lists, counts and exports go there, as long as it is there and up to date.

Here alone is decided who reads where. A user who has just written reads from the copy only when it has replayed what
was written; a copy that is away, or fails in the middle of a page, is replaced by the primary without a word.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import MiddlewareNotUsed
from django.db import InterfaceError, OperationalError, connection, connections
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError

from salesconnect.lib.database import failures
from salesconnect.lib.database.failures import FailureKind

PRIMARY, REPLICA = "default", "replica"
SHARED = "shared"
# What lists, counts and histories are made of. Sessions, users, tokens and tasks are read where they are written.
REPLICATED_MODELS = {
    "contacts.contact",
    "contacts.contactevent",
    "compliance.cardtally",
    "compliance.compliancecard",
    "compliance.suppression",
}
SAFE_METHODS = ("GET", "HEAD")
RETRY_SECONDS = 5.0
CATCH_UP_SECONDS = 0.5
REMEMBERED_SECONDS = 3600
CONNECTION_ERRORS = (OperationalError, InterfaceError)

logger = logging.getLogger(__name__)
_source: ContextVar[str] = ContextVar("source", default=PRIMARY)
_unavailable_until = 0.0


class Router:
    """Sends reads of people to the copy inside a request that may use it; everything else goes to the primary."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Return where a query of the model goes. Inside a transaction that may write it is the primary."""
        return (
            _source.get()
            if model._meta.label_lower in REPLICATED_MODELS and not connection.in_atomic_block
            else PRIMARY
        )

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Return the primary."""
        return PRIMARY

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        """Let rows of both be related: they are the same rows."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Keep migrations off the copy."""
        return db == PRIMARY


class ReadFromReplica:
    """Lets safe requests read from the copy, and remembers for everybody else up to where they have written."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if REPLICA not in settings.DATABASES:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        safe, reader = request.method in SAFE_METHODS, _reader_key(request)
        token = _source.set(_source_for(reader) if safe and reader else PRIMARY)
        try:
            return self.get_response(request)
        finally:
            _source.reset(token)
            if not safe and reader:
                _remember(reader)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer once more, from the primary, when the copy went away in the middle of a safe request."""
        match = request.resolver_match
        if (
            _source.get() == PRIMARY
            or not isinstance(exception, CONNECTION_ERRORS)
            or match is None
            or _takes_long(exception)
        ):
            return None
        _mark_unavailable()
        _source.set(PRIMARY)
        answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return answer


def _takes_long(exception: Exception) -> bool:
    """Tell whether the time that the request may take is spent: asking once more would spend it again."""
    known = failures.classify(exception)
    return known is not None and known.kind in {FailureKind.LOCKED, FailureKind.TOO_SLOW}


def caught_up_source() -> str:
    """Return where an export may read: the copy if it soon holds all that is stored by now, else the primary.

    What a transaction that is still open has written, the caller's own for one, no copy can hold yet.
    """
    if REPLICA not in settings.DATABASES:
        return PRIMARY
    position, end = _position("flush"), time.monotonic() + CATCH_UP_SECONDS
    while not _replayed(position):
        if time.monotonic() > end or time.monotonic() < _unavailable_until:
            return PRIMARY
        time.sleep(CATCH_UP_SECONDS / 20)
    return REPLICA


def _reader_key(request: HttpRequest) -> str:
    """Return the key under which it is remembered what somebody wrote; the API's users come with a token."""
    header = request.headers.get("Authorization", "")
    name = hashlib.sha256(header.encode()).hexdigest() if header else getattr(request.user, "pk", None)
    return f"written:{name}" if name else ""


def _source_for(reader: str) -> str:
    try:
        return REPLICA if _replayed(caches[SHARED].get(reader, "0/0")) else PRIMARY
    except (RedisError, OSError):
        return PRIMARY


def _remember(reader: str) -> None:
    try:
        caches[SHARED].set(reader, _position(), REMEMBERED_SECONDS)
    except (RedisError, OSError, *CONNECTION_ERRORS):
        logger.warning("Where somebody has written could not be remembered")
        _mark_unavailable()


def _position(reached: str = "insert") -> str:
    """Return how far the primary's log is written (`insert`), or stored (`flush`)."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_current_wal_{reached}_lsn()::text")
        return str(cursor.fetchone()[0])


def _replayed(position: str) -> bool:
    """Tell whether the copy is there and has replayed the primary's log up to `position`."""
    if time.monotonic() < _unavailable_until:
        return False
    try:
        with connections[REPLICA].cursor() as cursor:
            cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [position])
            return bool(cursor.fetchone()[0])
    except CONNECTION_ERRORS:
        _mark_unavailable()
        return False


def _mark_unavailable() -> None:
    """Leave the copy alone for some seconds: to find out that a server is away takes time itself."""
    global _unavailable_until  # noqa: PLW0603 - known to the whole process, for it is about the server
    _unavailable_until = time.monotonic() + RETRY_SECONDS
    logger.warning("The replica is left alone for %d seconds", RETRY_SECONDS)

"""Which database a query reads from: lists, counts and exports use a streaming replica while it is up to date.

No other module decides this. Every user reads their own writes: after a write, the user's requests go to the primary
until the replica has replayed it. When the replica is unavailable, or fails during a request, the primary answers.
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
# The tables behind lists, counts and histories. Sessions, users, tokens and jobs are always read from the primary.
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
    """Routes reads of replicated models to the replica in a request that may use it, all else to the primary."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Return the database to read from. Inside a transaction that is the primary: it may have written already."""
        return (
            _source.get()
            if model._meta.label_lower in REPLICATED_MODELS and not connection.in_atomic_block
            else PRIMARY
        )

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return PRIMARY

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        """Allow relations between the two databases, which hold the same rows."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == PRIMARY


class ReadFromReplica:
    """Lets safe requests read from the replica, and notes after each other request how far its user has written."""

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
        """Run the view again on the primary when the replica failed during a safe request."""
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
    """Tell whether a time limit ended the query: running the view again would take as long again."""
    known = failures.classify(exception)
    return known is not None and known.kind in {FailureKind.LOCKED, FailureKind.TOO_SLOW}


def caught_up_source() -> str:
    """Return the database that an export may read: the replica if it catches up within half a second, else the primary.

    The replica never holds what an open transaction has written, the caller's own included.
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
    """Return the cache key of a user's write position; an API client is known by its token, hashed."""
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
        logger.warning("A user's write position could not be stored; lists are read from the primary for a while")
        _mark_unavailable()


def _position(reached: str = "insert") -> str:
    """Return the primary's WAL position: written so far (`insert`), or safe on disk (`flush`)."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_current_wal_{reached}_lsn()::text")
        return str(cursor.fetchone()[0])


def _replayed(position: str) -> bool:
    """Tell whether the replica answers and has replayed the WAL up to `position`."""
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
    """Stop using the replica for some seconds: a failing connection attempt may take seconds itself."""
    global _unavailable_until  # noqa: PLW0603 - known to the whole process, for it is about the server
    _unavailable_until = time.monotonic() + RETRY_SECONDS
    logger.warning("The replica is not used for %d seconds", RETRY_SECONDS)

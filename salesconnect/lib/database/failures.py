"""Failures of the environment, recognised by their exception: a full disk, a lock, an unavailable server."""

import errno
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error, InterfaceError, OperationalError
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.utils.translation import gettext_lazy as _

from salesconnect.lib.database import pending_migrations
from salesconnect.lib.text import Text

INSUFFICIENT_STORAGE, UNAVAILABLE = 507, 503


class FailureKind(Enum):
    """Failures that neither the code nor the caller caused; they pass by themselves, or an administrator mends them."""

    DISK_FULL = auto()
    LOCKED = auto()
    TOO_SLOW = auto()
    CLASHED = auto()
    CROWDED = auto()
    READ_ONLY = auto()
    UNPREPARED = auto()
    WRONG_KEY = auto()
    AWAY = auto()


# By PostgreSQL's SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html
_DISK_FULL = "53100"
_NO_RIGHT = "42501"
_BY_STATE = {
    _DISK_FULL: FailureKind.DISK_FULL,
    "55P03": FailureKind.LOCKED,
    "57014": FailureKind.TOO_SLOW,
    "40001": FailureKind.CLASHED,
    "40P01": FailureKind.CLASHED,
    "53200": FailureKind.CROWDED,
    "53300": FailureKind.CROWDED,
    "25006": FailureKind.READ_ONLY,
}
# An undefined table, column or function is a bug, unless migrations are pending.
_UNDEFINED_OBJECT = ("42P01", "42703", "42883")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_SPACE = "no space left on device"


class WrongKey(ImproperlyConfigured):
    """A key of the environment does not fit the database; the message names it, in one line."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as it is answered: the HTTP status, the `heading` of the error page, and the text for page and API."""

    kind: FailureKind
    status: int
    heading: Text
    what: Text


_BACK_SOON = _("Back in a moment")
_FAILURES = {
    FailureKind.DISK_FULL: Failure(
        FailureKind.DISK_FULL,
        INSUFFICIENT_STORAGE,
        _("The disk is full"),
        _("The disk of this system is full. Nothing was stored; an administrator has to make room first."),
    ),
    FailureKind.LOCKED: Failure(
        FailureKind.LOCKED,
        UNAVAILABLE,
        _BACK_SOON,
        _("What this needs is locked by other work just now. Nothing was changed; try again in a moment."),
    ),
    FailureKind.TOO_SLOW: Failure(
        FailureKind.TOO_SLOW,
        UNAVAILABLE,
        _BACK_SOON,
        _("The database took too long to answer this. Nothing was changed; try again in a moment."),
    ),
    FailureKind.CLASHED: Failure(
        FailureKind.CLASHED,
        UNAVAILABLE,
        _BACK_SOON,
        _("Somebody changed the same data at the same moment. Nothing was changed; try again."),
    ),
    FailureKind.CROWDED: Failure(
        FailureKind.CROWDED,
        UNAVAILABLE,
        _BACK_SOON,
        _("The database has too much to do just now. Nothing was changed; try again in a moment."),
    ),
    FailureKind.READ_ONLY: Failure(
        FailureKind.READ_ONLY,
        UNAVAILABLE,
        _BACK_SOON,
        _("The database takes no changes just now. Nothing was changed; try again in a moment."),
    ),
    FailureKind.UNPREPARED: Failure(
        FailureKind.UNPREPARED,
        UNAVAILABLE,
        _("The system is being updated"),
        _(
            "The database lacks migrations of this version. Nothing was changed; an administrator has to run"
            " “manage.py prepare”."
        ),
    ),
    FailureKind.WRONG_KEY: Failure(
        FailureKind.WRONG_KEY,
        UNAVAILABLE,
        _("A key does not fit"),
        _(
            "A key of this system does not fit its database. Nothing was changed; an administrator has to set the right"
            " one."
        ),
    ),
    FailureKind.AWAY: Failure(
        FailureKind.AWAY,
        UNAVAILABLE,
        _BACK_SOON,
        _("The database is away and comes back by itself. Nothing was changed; try again in half a minute."),
    ),
}


def classify(problem: BaseException | None) -> Failure | None:
    """Return the failure behind an exception, None when it is a bug or an error of the caller."""
    kind = _kind(problem)
    return _FAILURES[kind] if kind else None


def in_one_line(problem: BaseException) -> str:
    return " ".join(str(problem).split())


def command_message(problem: Exception) -> str | None:
    """Return one line for the terminal when a command failed for a reason that its user can mend, else None."""
    state = getattr(problem.__cause__, "pgcode", None) or getattr(getattr(problem, "cause", None), "pgcode", None)
    lines = in_one_line(problem)
    known = classify(problem)
    if known and known.kind == FailureKind.DISK_FULL:
        return f"The disk is full: {lines}"
    if known and known.kind == FailureKind.UNPREPARED:
        return pending_migrations.pending_message()
    if state == _NO_RIGHT or isinstance(problem, MigrationSchemaMissing):
        return f"The role of DATABASE_URL lacks a right, such as CREATE on the schema: {lines}"
    return lines if known else None


def is_disk_full(problem: BaseException) -> bool:
    return getattr(problem, "pgcode", None) == _DISK_FULL or _NO_SPACE in str(problem).lower()


def _kind(problem: BaseException | None) -> FailureKind | None:
    if isinstance(problem, Error):
        state: Any = getattr(problem.__cause__, "pgcode", None)
        if state in _BY_STATE:
            return _BY_STATE[state]
        if _NO_SPACE in str(problem).lower():
            return FailureKind.DISK_FULL
        if state in _UNDEFINED_OBJECT and pending_migrations.pending():
            return FailureKind.UNPREPARED
        return FailureKind.AWAY if isinstance(problem, OperationalError | InterfaceError) else None
    if isinstance(problem, WrongKey):
        return FailureKind.WRONG_KEY
    return FailureKind.DISK_FULL if isinstance(problem, OSError) and problem.errno in _FULL else None

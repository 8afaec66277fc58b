"""The one policy for rows that are queues: try, wait longer and longer, give up with words.

An attempt is on record before the work begins, so it counts also where the work takes the worker with it. Who gets
further begins to count anew. A row that waits for its next attempt is passed over, so that it never holds up others.
What passes by itself, such as a database that is away, is no attempt: the sweep comes back.
"""

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from contacts.models import WorkAttempt
from salesconnect.lib.database import trouble

DELAYS = (15, 60, 300, 900, 1_800)
"""Seconds after each failure; after the last of them the work is given up. Less than an hour in all."""
TRIES = len(DELAYS) + 1
GIVEN_UP = gettext_noop("This failed again and again and was given up; the reason is in the log. What is done stays.")

BEGIN = """
    INSERT INTO contacts_workattempt AS tried (queue, row_id, progress, attempts) VALUES (%s, %s, %s, 1)
    ON CONFLICT (queue, row_id) DO UPDATE SET progress = EXCLUDED.progress, not_before = NULL,
        attempts = CASE WHEN tried.progress = EXCLUDED.progress THEN tried.attempts + 1 ELSE 1 END
    RETURNING attempts
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows of one kind: how far one is, as a text that changes with any progress, and what gives it up with words."""

    name: str
    progress: Callable[[int], str]
    give_up: Callable[[int, str], None]


def turn(queue: Queue, row_id: int, work: Callable[[], bool]) -> bool:
    """Let `work` do its turn on a row; returns whether work is left that may go on at once."""
    before = queue.progress(row_id)
    attempts = _begin(queue, row_id, before)
    if attempts > TRIES:
        _give_up(queue, row_id)
        return False
    try:
        left = work()
    except Exception as problem:
        if _passes(problem):
            _take_back(queue, row_id)
            raise
        logger.exception("%s %s: an attempt failed", queue.name, row_id)
        _wait(queue, row_id, before, attempts)
        return False
    if queue.progress(row_id) != before:
        _attempts_of(queue, row_id).delete()
        return left
    if left:
        _wait(queue, row_id, before, attempts)
    else:
        _take_back(queue, row_id)  # another worker has it
    return False


def passed_over(queue: str, rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    """Return the rows without those whose next attempt is later."""
    waiting = WorkAttempt.objects.filter(queue=queue, not_before__gt=Now())
    return rows.exclude(pk__in=waiting.values("row_id"))


def _passes(problem: Exception) -> bool:
    """Tell whether a problem passes by itself; a statement that takes too long does so again and again."""
    known = trouble.classify(problem)
    return known is not None and known.kind is not trouble.FailureKind.TOO_SLOW


def _begin(queue: Queue, row_id: int, progress: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [queue.name, row_id, progress])
        return int(cursor.fetchone()[0])


def _wait(queue: Queue, row_id: int, before: str, attempts: int) -> None:
    """Count a failure and let the row wait; give it up when there were enough."""
    now = queue.progress(row_id)
    failures = attempts if now == before else 1
    if failures >= TRIES:
        _give_up(queue, row_id)
        return
    later = Now() + dt.timedelta(seconds=DELAYS[failures - 1])
    _attempts_of(queue, row_id).update(progress=now, attempts=failures, not_before=later)


def _take_back(queue: Queue, row_id: int) -> None:
    mine = _attempts_of(queue, row_id)
    mine.filter(attempts__lte=1).delete()
    mine.update(attempts=F("attempts") - 1)


def _give_up(queue: Queue, row_id: int) -> None:
    logger.error("%s %s was given up", queue.name, row_id)
    queue.give_up(row_id, GIVEN_UP)
    _attempts_of(queue, row_id).delete()


def _attempts_of(queue: Queue, row_id: int) -> QuerySet[WorkAttempt]:
    return WorkAttempt.objects.filter(queue=queue.name, row_id=row_id)

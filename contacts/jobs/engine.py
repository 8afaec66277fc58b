"""How work in the background is done: all of what a worker does in pieces, is stopped in, and takes up again.

A kind of work is a `Queue`: the rows of a model, and what works on one. There are bulk changes, with them exports,
deletions and the erasures of retention (`contacts.jobs.batches`), imports (`compliance.imports.working`), verifications
of the history (`contacts.sealing.verification`) and runs of the sync (`unsubscribes.crm.tasks`).

1. Whoever orders work stores a row and calls `kick`. That is a hint: the row is the truth.
2. A worker works on a row for one turn (`take_turn`), then asks for another one, so that others get theirs.
3. A turn is a number of steps (`steps`). Each is one transaction, which claims what no other worker has (`claim`), does
   it, and says in the row how far it is (`going_on`). So a worker that is killed leaves nothing half done, and nothing
   that the next one would do twice.
4. Before a turn the attempt is on record, so it counts also where the work takes the worker with it. What comes to
   nothing waits longer each time, in nobody's way, and is given up with words in the end. Who gets further begins to
   count anew. What passes by itself, such as a database that is away, is no attempt.
5. A row that nobody has touched for a while (`silent`) lost its message or its worker; beat wakes it (`sweep`).
6. A row ends once (`end`), or its owner cancels it (`cancel`). Its file goes in time (`remove_files`).

What has rules of its own does not come here. Mail is sent once or not at all (`unsubscribes.mail.sending.send`), while
all this is done until it succeeded. Outbox entries have leases that outlast a call to the CRM, and wait for a person in
the end (`unsubscribes.crm.outbox`). Roots of the history are never given up (`contacts.sealing.delivery`). The nightly
check begins anew each night (`exports.integrity.check_run`).
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.postgres.functions import TransactionNow
from django.db import connection
from django.db.models import Case, F, Model, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from contacts.models import WorkAttempt
from contacts.models.batch import OPEN, Job, State
from salesconnect.lib.actor import Actor
from salesconnect.lib.database import failures
from salesconnect.lib.errors import Conflict
from salesconnect.lib.kick import kick

TURN_SECONDS = 60
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

Row = TypeVar("Row", bound=Model)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows of one kind: which are open, what works on one for a turn, and the task in which a worker does that.

    `work` returns whether work is left. `progress` says how far a row is, as a text that changes with any progress;
    `give_up` ends one with words. A worker that has not written its `heartbeat_at` for `silent_seconds` is taken for
    dead; `began` is the time that counts for rows that no worker has touched yet.
    """

    name: str
    task: str
    open_rows: Callable[[], QuerySet[Any, Any]]
    work: Callable[..., bool]
    progress: Callable[[int], str]
    give_up: Callable[[int, str], object]
    silent_seconds: int = 30
    began: str = "created_at"


def take_turn(queue: Queue, row_id: int) -> None:
    """Work on a row for a turn, and ask for another one while work is left."""
    if turn(queue, row_id):
        kick(queue.task, row_id)


def turn(queue: Queue, row_id: int, *options: Any) -> bool:
    """Work on a row for a turn; returns whether work is left that may go on at once. Safe to call twice at once."""
    before = queue.progress(row_id)
    attempts = _begin(queue, row_id, before)
    if attempts > TRIES:
        _give_up(queue, row_id)
        return False
    try:
        left = queue.work(row_id, *options)
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


def steps(step: Callable[[], bool], seconds: float | None = None) -> bool:
    """Repeat a step, which returns whether there may be another, until the turn is over; returns the last answer."""
    deadline = time.monotonic() + (TURN_SECONDS if seconds is None else seconds)
    while step():
        if time.monotonic() > deadline:
            return True
    return False


def claim(rows: QuerySet[Row, Row]) -> QuerySet[Row, Row]:
    """Lock those of the rows that no other worker has. The lock is the lease: it goes with the worker's transaction."""
    return rows.select_for_update(skip_locked=True)


def going_on() -> dict[str, Any]:
    """Return what a step stores in its row beside its counters; one that was ended meanwhile stays so."""
    return {
        "state": Case(When(state=State.QUEUED, then=Value(State.RUNNING)), default=F("state")),
        # The moment that the people of the first step have as theirs too; a page links to all who came after it.
        "started_at": Coalesce("started_at", TransactionNow()),
        "heartbeat_at": Now(),
    }


def silent(queue: Queue) -> QuerySet[Any, Any]:
    """Return the open rows that no worker has touched for as long as the queue allows."""
    limit = Now() - dt.timedelta(seconds=queue.silent_seconds)
    return queue.open_rows().filter(Q(heartbeat_at__lt=limit) | Q(heartbeat_at=None, **{f"{queue.began}__lt": limit}))


def stalled(queue: Queue, rows: QuerySet[Any, Any] | None = None) -> list[int]:
    """Return the silent rows, or those given, oldest first, without those whose next attempt is later."""
    waiting = WorkAttempt.objects.filter(queue=queue.name, not_before__gt=Now())
    found = silent(queue) if rows is None else rows
    return list(found.exclude(pk__in=waiting.values("row_id")).order_by("pk").values_list("pk", flat=True))


def sweep(queue: Queue, rows: QuerySet[Any, Any] | None = None) -> None:
    """Wake the silent rows, or those given, and forget the attempts at rows that have ended."""
    for row_id in stalled(queue, rows):
        kick(queue.task, row_id)
    WorkAttempt.objects.filter(queue=queue.name).exclude(row_id__in=queue.open_rows().values("pk")).delete()


def end(rows: QuerySet[Any, Any], state: str, among: Sequence[str] = OPEN, **words: str) -> int:
    """Let those of the rows that are still open end in a state, with words; returns how many these are."""
    return rows.filter(state__in=among).update(state=state, finished_at=Now(), **words)


def cancel(job: Job, *, ordered_by: int | None, actor: Actor, ended: str | None) -> None:
    """Stop a locked row for the user who ordered it, or for an administrator; what is done stays done.

    Raises `Forbidden`, and `Conflict` (`ended`) with the words given, unless they are None, when it has ended already.
    """
    actor.require_own(ordered_by)
    if job.ended and ended:
        raise Conflict("ended", ended)
    job.state, job.finished_at = State.CANCELLED, timezone.now()
    job.save(update_fields=["state", "finished_at"])


def remove_files(rows: Iterable[Any]) -> int:
    """Remove the files of rows; returns how many. One that cannot be removed is logged and stays for the next time."""
    removed = 0
    for row in rows:
        try:
            row.file.delete(save=False)
        except OSError:
            logger.exception("The file of %s %s cannot be removed", row._meta.verbose_name, row.pk)
        else:
            # The row may have changed since it was read, so nothing else of it is stored.
            removed += type(row).objects.filter(pk=row.pk).update(file="")
    return removed


def _passes(problem: Exception) -> bool:
    """Tell whether a problem passes by itself; a statement that takes too long does so again and again."""
    known = failures.classify(problem)
    return known is not None and known.kind is not failures.FailureKind.TOO_SLOW


def _begin(queue: Queue, row_id: int, progress: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [queue.name, row_id, progress])
        return int(cursor.fetchone()[0])


def _wait(queue: Queue, row_id: int, before: str, attempts: int) -> None:
    """Count a failure and let the row wait; give it up when there were enough."""
    now = queue.progress(row_id)
    failed = attempts if now == before else 1
    if failed >= TRIES:
        _give_up(queue, row_id)
        return
    later = Now() + dt.timedelta(seconds=DELAYS[failed - 1])
    _attempts_of(queue, row_id).update(progress=now, attempts=failed, not_before=later)


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

"""How an import is worked off: chunk by chunk, each with its rejects and the job's counters in one transaction.

So a kill at any point leaves the job where its last chunk was committed, and the next worker goes on from there.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import BinaryIO, cast

from django.db import OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from compliance.imports import rejects
from compliance.imports.chunking import Chunk, chunks, rows_after
from compliance.imports.mapping import recognise
from compliance.imports.pipeline import ChunkResult, ConcurrentChange, process_chunk
from compliance.models import ImportJob, ImportReject, ImportSeen
from contacts.jobs import batches, engine
from contacts.models.batch import OPEN
from salesconnect.lib.actor import Actor, Forbidden
from salesconnect.lib.csv import FileRefused, Table
from salesconnect.lib.database import failures
from salesconnect.lib.database.transactions import is_retryable

TRIES = 5
KEPT_DAYS = 30

Progress = Callable[[int, int], object]

logger = logging.getLogger(__name__)


def run(job_id: int, progress: Progress | None = None) -> bool:
    """Work on an import for a turn; returns whether work is left.

    `progress` is told after each chunk how many rows are accounted for, of how many.
    """
    return engine.turn(QUEUE, job_id, progress)


def _work(job_id: int, progress: Progress | None = None) -> bool:
    job = ImportJob.objects.select_related("user").get(pk=job_id)
    if job.ended or not job.attempt:
        return False
    with translation.override(job.language):
        try:
            return _turn(job, progress)
        except ConcurrentChange:
            return True
        except Forbidden:
            _fail(job, _("The right to do this was withdrawn meanwhile."))
        except (FileRefused, OSError, UnicodeError):
            _fail(job, _("The file can no longer be read."))
        except Exception as problem:
            if failures.classify(problem):
                raise
            logger.exception("Import %s broke", job_id)
            _fail(job, _("Something broke here; it has been logged. What came in stays."))
    return False


def forget_old() -> int:
    """Remove what is needed no more, and return how many files that were.

    The file of an import has gone when all of it was in, unless a crash came between or the import was given up: then
    it goes now. Previewed files and rejected rows go after 30 days.
    """
    ended = ImportJob.objects.exclude(state__in=OPEN, attempt__gt=0)  # also what nobody began
    old = Q(created_at__lt=timezone.now() - dt.timedelta(days=KEPT_DAYS))
    ImportReject.objects.filter(job__in=ended.filter(old)).delete()
    # An erasure that met the end of an import may have left an address there.
    ImportSeen.objects.filter(erased=True, job_id__in=ended.values("pk")).delete()
    needless = Q(state=ImportJob.State.CANCELLED) | Q(dry_run=False, attempt__gt=0)
    return engine.remove_files(ended.filter(old | needless).exclude(file=""))


def _turn(job: ImportJob, progress: Progress | None) -> bool:
    deadline, done = time.monotonic() + engine.TURN_SECONDS, job.done
    actor, today = _actor_of(job), timezone.localdate()
    with job.file.open("rb") as file:
        table = Table(cast("BinaryIO", file), total=job.total, **job.table)
        mapping = recognise(table.headers, job.mapping, job.ignore, job.opt_out_words)
        with closing(rows_after(table, job.line)) as rows, closing(chunks(rows, mapping, today)) as read:
            for chunk in read:
                if not _work_off(job, chunk, actor):
                    return False
                done += chunk.rows
                if progress:
                    progress(done, job.total)
                if time.monotonic() > deadline:
                    return True
    _finish(job)
    return False


def _work_off(job: ImportJob, chunk: Chunk, actor: Actor) -> bool:
    """Do a chunk, again when somebody overtook it; False when the job is another worker's or has ended."""
    for _try in range(TRIES):
        try:
            with transaction.atomic():
                if (held := _hold(job)) is None:
                    return False
                _count(held, chunk, process_chunk(held, chunk, actor=actor))
        except ConcurrentChange:
            continue
        except OperationalError as error:
            if not is_retryable(error):
                raise
        else:
            job.line = chunk.last_line
            return True
    raise ConcurrentChange


def _hold(job: ImportJob) -> ImportJob | None:
    """Lock the job for one chunk; None when a worker has it, or was faster, or it was begun anew or has ended."""
    same = ImportJob.objects.filter(pk=job.pk, attempt=job.attempt, line=job.line, state__in=OPEN)
    return engine.claim(same).first()


def _count(job: ImportJob, chunk: Chunk, taken: ChunkResult) -> None:
    rejects.keep(job, taken.rejected)
    ImportJob.objects.filter(pk=job.pk).update(
        line=chunk.last_line,
        created=F("created") + taken.created,
        updated=F("updated") + taken.updated,
        unchanged=F("unchanged") + taken.unchanged,
        rejected=F("rejected") + len(taken.rejected),
        suppressed=F("suppressed") + taken.suppressed,
        consents_ended=F("consents_ended") + taken.consents_ended,
        **engine.going_on(),
    )


@transaction.atomic
def _finish(job: ImportJob) -> None:
    if held := _hold(job):
        ImportSeen.objects.filter(job_id=job.pk).delete()
        engine.end(ImportJob.objects.filter(pk=job.pk), ImportJob.State.DONE)
        if not held.dry_run:
            # It would keep people who are deleted later.
            transaction.on_commit(partial(engine.remove_files, [held]))


@transaction.atomic
def _fail(job: ImportJob, error: str) -> None:
    ImportSeen.objects.filter(job_id=job.pk).delete()
    engine.end(ImportJob.objects.filter(pk=job.pk, attempt=job.attempt), ImportJob.State.FAILED, error=error)


def _give_up(job_id: int, words: str) -> None:
    job = ImportJob.objects.get(pk=job_id)
    with translation.override(job.language):
        _fail(job, _(words))


def _progress(job_id: int) -> str:
    return "{} {} {}".format(*ImportJob.objects.values_list("state", "attempt", "line").get(pk=job_id))


def _open() -> QuerySet[ImportJob]:
    return ImportJob.objects.filter(attempt__gt=0, state__in=OPEN)


QUEUE = engine.Queue("import", "compliance.run_import", _open, _work, _progress, _give_up)


def _actor_of(job: ImportJob) -> Actor:
    """Return who ordered the import, with the rights that the user has now: a withdrawn right stops the work."""
    return batches.ordered_by(job.user, "import")

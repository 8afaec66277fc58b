"""Stored files that contain people who are being erased: rewritten without them, or removed after the commit."""

import csv
import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, BinaryIO, cast

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from compliance.models import ImportJob
from contacts.events import history
from exports.erasure.traces import Traces
from exports.files.csv_column_registry import ALL_COLUMNS
from exports.models import ExportJob, PendingFileDeletion
from salesconnect.lib import stored_files
from salesconnect.lib.csv import FileRefused, RowError, Table

REWRITE_LIMIT = 32 << 20
"""Bytes. A larger export is removed instead of rewritten, because the user who erases a person waits for it."""

PERSON_ID = [column.key for column in ALL_COLUMNS].index("id")
# Each row of an export file has an event of the same batch, so the events tell which files contain a person.
HOLDERS = """
    SELECT DISTINCT job.id FROM contacts_contactevent event JOIN exports_exportjob job ON job.batch_id = event.batch_id
    WHERE event.contact_id = ANY(%(numbers)s) AND event.at < %(until)s AND event.action = 'exported' AND job.file <> ''
    ORDER BY 1
"""

logger = logging.getLogger(__name__)


def exports_of(ids: Sequence[int]) -> list[int]:
    """Return the exports whose files contain these people; merged records have rows under their own ids."""
    until = timezone.now() + history.CLOCK_SKEW
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS, {"numbers": list(ids), "until": until})
        return [row[0] for row in cursor]


def previews_of(traces: Traces) -> list[ImportJob]:
    """Return the imports that have not begun and whose files contain these people."""
    waiting = ImportJob.objects.exclude(file="").filter(Q(dry_run=True) | Q(attempt=0))
    cells = set(traces.cells())
    return [job for job in waiting.order_by("pk") if _holds(job, traces, cells)]


def remove_people(exports: Sequence[int], previews: Sequence[ImportJob], ids: Sequence[int]) -> None:
    gone = {str(number) for number in ids}
    for job in ExportJob.objects.select_for_update(of=("self",)).select_related("batch").filter(pk__in=exports):
        _rewrite_without(job, gone)
    for preview in previews:
        with translation.override(preview.language):
            words = _("The file was removed: somebody in it was erased. Choose it once more.")
        delete_after_commit([str(preview.file.name)])
        ImportJob.objects.filter(pk=preview.pk).update(
            file="", state=ImportJob.State.CANCELLED, error=words, finished_at=timezone.now()
        )


def delete_after_commit(names: Iterable[str]) -> None:
    """Delete files once the transaction has committed. If the process dies before that, the hourly sweep does it."""
    if PendingFileDeletion.objects.bulk_create(PendingFileDeletion(name=name) for name in names):
        with connection.cursor() as cursor:
            # The commit must be on disk before the file goes: a lost commit would bring back rows without their file.
            cursor.execute("SET LOCAL synchronous_commit TO DEFAULT")
        transaction.on_commit(delete_pending_files)


def delete_pending_files() -> int:
    """Delete the files whose rows are gone; return how many. One that cannot be deleted is tried again by the sweep."""
    removed = 0
    for pending in PendingFileDeletion.objects.order_by("pk"):
        try:
            default_storage.delete(pending.name)
        except OSError:
            logger.exception("The file %s cannot be removed", pending.name)
            continue
        pending.delete()
        removed += 1
    return removed


def _rewrite_without(job: ExportJob, gone: set[str]) -> None:
    """Write the file of an export again without some people; all other rows stay byte for byte the same."""
    name = str(job.file.name)
    delete_after_commit([name])
    job.file = ""
    if default_storage.exists(name) and not (job.batch.ended and job.size > REWRITE_LIMIT):
        with default_storage.open(name, "rb") as file, tempfile.TemporaryFile() as kept:
            for line in rows_without(gone, _beginning(file, job.size)):
                kept.write(line)
            job.size = kept.tell()
            kept.seek(0)
            stored_files.save(job.file, "people.csv", File(kept))
    job.save(update_fields=["file", "size"])


def rows_without(gone: set[str], lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of an export file without the rows of these ids. A row may span several lines."""
    read: list[bytes] = []

    def decoded() -> Iterator[str]:
        for line in lines:
            read.append(line)
            yield line.decode()

    for cells in csv.reader(decoded()):
        if cells[PERSON_ID] not in gone:
            yield from read
        read.clear()


def _beginning(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield the lines of the first `size` bytes. What follows was written by a killed worker and never committed."""
    while size > 0 and (line := file.readline(size)):
        size -= len(line)
        yield line


def _holds(job: ImportJob, traces: Traces, cells: set[str]) -> bool:
    try:
        with job.file.open("rb") as file:
            for _line, row in Table(cast("BinaryIO", file), total=job.total, **job.table):
                texts = row.cells if isinstance(row, RowError) else row
                if any(cell.strip().casefold() in cells for cell in texts) and traces.given_away("\n".join(texts)):
                    return True
    except (FileRefused, OSError, UnicodeError):
        return True  # a file that cannot be read may contain anybody
    return False

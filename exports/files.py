"""Files that hold people who are being erased: remade without them, or removed. Old files go once that is certain."""

import csv
import io
import logging
from collections.abc import Iterable, Sequence
from typing import BinaryIO, cast
from uuid import uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from compliance.models import ImportJob
from exports.columns import ALL_COLUMNS
from exports.models import DoomedFile, ExportJob
from exports.traces import Traces
from salesconnect.lib.csv import FileRefused, RowError, Table

REMADE_LIMIT = 32 << 20
"""Bytes: a larger export is removed, for whoever erases one person waits for it."""

PERSON_ID = [column.key for column in ALL_COLUMNS].index("id")
HOLDERS = """
    SELECT DISTINCT job.id FROM exports_exportjob job JOIN contacts_batchchunk chunk USING (batch_id)
    WHERE job.file <> '' AND EXISTS (
        SELECT FROM unnest(chunk.contact_ids) AS one (id) WHERE one.id IN (SELECT unnest(%s::bigint[]))) ORDER BY 1
"""

logger = logging.getLogger(__name__)


def exports_of(ids: Sequence[int]) -> list[int]:
    """Return the exports whose files hold these people; a record that was merged since has a row of its own."""
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS, [list(ids)])
        return [row[0] for row in cursor]


def previews_of(traces: Traces) -> list[ImportJob]:
    """Return the imports that nobody has begun yet whose files hold these people."""
    waiting = ImportJob.objects.exclude(file="").filter(Q(dry_run=True) | Q(attempt=0))
    cells = set(traces.cells())
    return [job for job in waiting.order_by("pk") if _holds(job, traces, cells)]


def take_out(exports: Sequence[int], previews: Sequence[ImportJob], ids: Sequence[int]) -> None:
    """Take people out of the files of exports, and files with them out of imports that nobody has begun."""
    gone = {str(number) for number in ids}
    for job in ExportJob.objects.select_for_update(of=("self",)).select_related("batch").filter(pk__in=exports):
        _remake(job, gone)
    for preview in previews:
        with translation.override(preview.language):
            words = _("The file was removed: somebody in it was erased. Choose it once more.")
        doom([str(preview.file.name)])
        ImportJob.objects.filter(pk=preview.pk).update(
            file="", state=ImportJob.State.CANCELLED, error=words, finished_at=timezone.now()
        )


def doom(names: Iterable[str]) -> None:
    """Have files removed when the transaction commits; what a crash leaves then, the sweep removes."""
    if DoomedFile.objects.bulk_create(DoomedFile(name=name) for name in names):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO DEFAULT")  # a file that is gone stays gone
        transaction.on_commit(remove_doomed)


def remove_doomed() -> int:
    """Remove the files whose rows are gone; returns how many. One that cannot be removed is tried again later."""
    removed = 0
    for doomed in DoomedFile.objects.order_by("pk"):
        try:
            default_storage.delete(doomed.name)
        except OSError:
            logger.exception("The file %s cannot be removed", doomed.name)
            continue
        doomed.delete()
        removed += 1
    return removed


def _remake(job: ExportJob, gone: set[str]) -> None:
    """Write the file of an export anew without some people, every other row byte for byte as it was."""
    name = str(job.file.name)
    doom([name])
    job.file = ""
    if default_storage.exists(name) and not (job.batch.ended and job.size > REMADE_LIMIT):
        with default_storage.open(name, "rb") as file:
            text = file.read(job.size).decode()
        lines = list(io.StringIO(text, newline=""))
        reader, kept, line = csv.reader(lines), [], 0
        for cells in reader:
            kept += [] if cells[PERSON_ID] in gone else lines[line : reader.line_num]
            line = reader.line_num
        content = "".join(kept).encode()
        job.size = len(content)
        job.file.save(f"{uuid4().hex}.csv", ContentFile(content), save=False)
    job.save(update_fields=["file", "size"])


def _holds(job: ImportJob, traces: Traces, cells: set[str]) -> bool:
    try:
        with job.file.open("rb") as file:
            for _line, row in Table(cast("BinaryIO", file), total=job.total, **job.table):
                texts = row.cells if isinstance(row, RowError) else row
                if any(cell.strip().casefold() in cells for cell in texts) and traces.given_away("\n".join(texts)):
                    return True
    except (FileRefused, OSError, UnicodeError):
        return True  # what cannot be read may hold anybody
    return False

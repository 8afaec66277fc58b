"""The rows that were not taken: kept by COPY, shown, and given back as a file that can be corrected and imported."""

import json
from collections.abc import Iterable, Iterator, Sequence

from django.db import connection

from compliance.card.staging import ESCAPES
from compliance.imports.chunking import RejectedRow
from compliance.models import ImportJob, ImportReject
from salesconnect.lib import csv

HEADERS = ("Line", "Reason")
"""What stands before the file's own columns; an import knows neither and so leaves them out."""
PAGE = 1_000
REASON_LENGTH = 500


class LineSource:
    """Lines as COPY reads a file, one at a time: cells of a megabyte are not put together to one text."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = iter(lines)

    def read(self, _size: int) -> str:
        return next(self.lines, "")


def keep(job: ImportJob, rows: Sequence[RejectedRow]) -> None:
    """Store rejected rows, inside the caller's transaction."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.copy_expert(
            "COPY compliance_importreject (job_id, line, reason, cells) FROM STDIN",
            LineSource(
                f"{job.pk}\t{row.line}\t{row.reason[:REASON_LENGTH].translate(ESCAPES)}"
                f"\t{json.dumps(row.cells, ensure_ascii=False).translate(ESCAPES)}\n"
                for row in rows
            ),
        )


def rejected_file(job: ImportJob) -> Iterator[str]:
    """Return the lines of the file, in pages so that no number of rows fills the memory."""
    yield csv.BOM + csv.line([*HEADERS, *job.table.get("headers", [])])
    after = 0
    while page := first_rejects(job, PAGE, after):
        yield "".join(csv.line([row.line, row.reason, *row.cells]) for row in page)
        after = page[-1].line


def first_rejects(job: ImportJob, number: int, after: int = 0) -> list[ImportReject]:
    return list(ImportReject.objects.filter(job=job, line__gt=after).order_by("line")[:number])


def file_name(job: ImportJob) -> str:
    return f"{job.file_name.rsplit('.', 1)[0][:80]}-rejected.csv"

"""The rows that were not taken, as a file that can be corrected and imported again."""

from collections.abc import Iterator

from compliance.models import ImportJob, ImportReject
from salesconnect.lib import csv

HEADERS = ("Line", "Reason")
"""What stands before the file's own columns; an import knows neither and so leaves them out."""
PAGE = 1_000


def rejected_file(job: ImportJob) -> Iterator[str]:
    """Return the lines of the file, in pages so that no number of rows fills the memory."""
    yield csv.BOM + csv.line([*HEADERS, *job.table.get("headers", [])])
    after = 0
    while page := first_rejects(job, PAGE, after):
        yield "".join(csv.line([row.line, row.reason, *row.cells]) for row in page)
        after = page[-1].line


def first_rejects(job: ImportJob, number: int, after: int = 0) -> list[ImportReject]:
    """Return the first rejected rows whose line is after another."""
    return list(ImportReject.objects.filter(job=job, line__gt=after).order_by("line")[:number])


def file_name(job: ImportJob) -> str:
    """Return the name under which the file is saved."""
    return f"{job.file_name.rsplit('.', 1)[0][:80]}-rejected.csv"

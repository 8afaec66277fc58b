"""Jobs of Bulk API 2.0: uploaded rows that a thread works through, ten thousand at a time."""

import csv
import io
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Thread

from tests.salesforce_org.errors import ApiError, RecordError
from tests.salesforce_org.org import SalesforceOrg
from tests.salesforce_org.records import Writer
from tests.salesforce_org.values import from_csv

BATCH = 10_000
DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


@dataclass
class IngestJob:
    """An update job: what was uploaded and what became of each row."""

    id: str
    object: str
    user_id: str
    created: int
    delimiter: str = "COMMA"
    line_ending: str = "LF"
    state: str = "Open"
    uploaded: bytes = b""
    error: str | None = None
    due: float = 0
    columns: list[str] = field(default_factory=list)
    successful: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    unprocessed: list[list[str]] = field(default_factory=list)

    def csv(self, head: Iterable[str], rows: Iterable[list[str]]) -> str:
        """Return rows in the job's own format."""
        text = io.StringIO()
        writer = csv.writer(
            text,
            delimiter=DELIMITERS[self.delimiter],
            lineterminator=LINE_ENDINGS[self.line_ending],
            quoting=csv.QUOTE_ALL,
        )
        writer.writerow(head)
        writer.writerows(rows)
        return text.getvalue()

    def results(self, kind: str) -> str:
        """Return successfulResults, failedResults or unprocessedrecords as CSV."""
        if kind == "successfulResults":
            return self.csv(["sf__Id", "sf__Created", *self.columns], self.successful)
        if kind == "failedResults":
            return self.csv(["sf__Id", "sf__Error", *self.columns], self.failed)
        return self.csv(self.columns, self.unprocessed)


def start(org: SalesforceOrg, job: IngestJob) -> None:
    """Begin to work on what was uploaded, in the background."""
    job.state, job.due = "UploadComplete", org.clock.time() + org.settings.bulk_seconds
    Thread(target=_work, args=(org, job), daemon=True).start()


def _work(org: SalesforceOrg, job: IngestJob) -> None:
    while org.clock.time() < job.due:
        time.sleep(0.02)
    with org.lock:
        if not _goes_on(org, job):
            return
        job.state = "InProgress"
        rows = _read(org, job)
    for first in range(0, len(rows), BATCH):
        with org.lock:
            if not _goes_on(org, job):
                job.unprocessed += rows[first:]
                return
            _batch(org, job, rows[first : first + BATCH], first)
        time.sleep(0)  # let requests in between
    if job.state == "InProgress":
        job.state = "JobComplete"


def _goes_on(org: SalesforceOrg, job: IngestJob) -> bool:
    return org.jobs.get(job.id) is job and job.state in {"UploadComplete", "InProgress"}


def _read(org: SalesforceOrg, job: IngestJob) -> list[list[str]]:
    """Return the uploaded rows; a file that does not fit its job fails it."""
    text = job.uploaded.decode("utf-8-sig")
    if ("\r\n" in text) != (job.line_ending == "CRLF"):
        job.state = "Failed"
        job.error = (
            f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {job.line_ending}"
        )
        return []
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[job.delimiter]))
    job.columns = rows[0] if rows else []
    visible = org.access.visible(job.object)
    unknown = [name for name in job.columns if name.lower() not in visible]
    if unknown or "id" not in [name.lower() for name in job.columns]:
        job.state = "Failed"
        job.error = f"InvalidBatch : Field name not found : {', '.join(unknown) or 'Id'}"
        job.unprocessed = rows[1:]
        return []
    return rows[1:]


def _batch(org: SalesforceOrg, job: IngestJob, rows: list[list[str]], first: int) -> None:
    stop_at = org.settings.bulk_fails_after
    for number, row in enumerate(rows, start=first):
        if stop_at is not None and number >= stop_at:
            job.state, job.error = "Failed", "InternalServerError : the job was stopped"
            job.unprocessed.append(row)
        else:
            _write(org, job, row)


def _write(org: SalesforceOrg, job: IngestJob, row: list[str]) -> None:
    if len(row) != len(job.columns):
        job.failed.append(["", "INVALID_BATCH:The number of columns differs from the header:--", *row])
        return
    cells = dict(zip(job.columns, row, strict=True))
    id_text = next(value for name, value in cells.items() if name.lower() == "id")
    fields = org.access.visible(job.object)
    try:
        sent = {
            name: from_csv(fields[name.lower()], cell)
            for name, cell in cells.items()
            if cell and name.lower() != "id"  # an empty cell changes nothing
        }
        record_id = org.writes.update(job.object, id_text, sent, Writer(job.user_id, through_api=True))
    except RecordError as error:
        job.failed.append([id_text, error.as_text(), *row])
    except ApiError as error:
        job.failed.append([id_text, f"{error.code}:{error.message}:--", *row])
    else:
        job.successful.append([record_id, "false", *row])

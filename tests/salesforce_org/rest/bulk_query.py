"""The resources of query jobs: results as CSV, page by page."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from tests.salesforce_org import clock
from tests.salesforce_org.errors import NOT_THERE, ApiError
from tests.salesforce_org.ids import BULK_JOB, make_id
from tests.salesforce_org.locators import Cursor
from tests.salesforce_org.rest.bulk_ingest import CSV_TYPE
from tests.salesforce_org.rest.call import Call
from tests.salesforce_org.rest.query import found, read, select
from tests.salesforce_org.values import to_csv
from tests.salesforce_org.web import Response

ROWS_A_PAGE = 50_000
ROWS_A_READ = 2_000


@dataclass
class QueryJob:
    """A query whose rows were found when it came in."""

    id: str
    operation: str
    user_id: str
    created: int
    due: float
    cursor: Cursor
    aborted: bool = False

    def state(self, now: float) -> str:
        """Return the state, which time alone changes."""
        if self.aborted:
            return "Aborted"
        return "JobComplete" if now >= self.due else "InProgress"


def create(call: Call) -> Response:
    """Open a job."""
    body = call.json()
    if body.get("operation") not in {"query", "queryAll"}:
        raise ApiError(400, "INVALIDJOB", "operation is query or queryAll")
    selection = select(call, body.get("query", ""), deleted=body["operation"] == "queryAll")
    if selection.fields is None or selection.object.endswith("History"):
        raise ApiError(400, "API_ERROR", f"{selection.object} or this query is not supported by the Bulk API")
    org, job_id = call.org, make_id(BULK_JOB, len(call.org.jobs) + 1)
    due = org.clock.time() + org.settings.bulk_seconds
    cursor = found(call, selection)
    job = QueryJob(job_id, body["operation"], call.session.user_id, org.clock.now(), due, cursor)
    org.jobs[job_id] = job
    return Response(200, _info(call, job) | {"state": "UploadComplete"})


def status(call: Call, job_id: str) -> Response:
    """Return the state of a job."""
    job = _job(call, job_id)
    info = _info(call, job) | {"jobType": "V2Query", "retries": 0, "totalProcessingTime": 0}
    return Response(200, info | {"numberRecordsProcessed": len(job.cursor.numbers)})


def change(call: Call, job_id: str) -> Response:
    """Abort a job."""
    job = _job(call, job_id)
    if call.json().get("state") != "Aborted" or job.state(call.org.clock.time()) == "JobComplete":
        raise ApiError(400, "INVALIDJOBSTATE", "only a job under way can be aborted")
    job.aborted = True
    return Response(200, _info(call, job))


def results(call: Call, job_id: str) -> Response:
    """Return a page of results; the header Sforce-Locator tells where the next one begins, or null."""
    job = _job(call, job_id)
    if job.state(call.org.clock.time()) != "JobComplete":
        raise ApiError(400, "INVALIDJOBSTATE", "the job has not ended")
    most = int(call.request.query.get("maxRecords", ROWS_A_PAGE))
    start = _offset(call.request.query.get("locator"), len(job.cursor.numbers))
    end = min(start + most, len(job.cursor.numbers))
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([field.name for field in job.cursor.fields])
    count = 0
    for first in range(start, end, ROWS_A_READ):
        for row in read(call.org.store, job.cursor, first, min(first + ROWS_A_READ, end)):
            writer.writerow([to_csv(field, row[field.name]) for field in job.cursor.fields])
            count += 1
    locator = "null" if end == len(job.cursor.numbers) else f"Mg{end:x}"
    headers = {"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(count)}
    return Response(200, text.getvalue(), CSV_TYPE | headers)


def remove(call: Call, job_id: str) -> Response:
    """Delete a job with its results."""
    _job(call, job_id)
    del call.org.jobs[job_id]
    return Response(204)


def _offset(locator: str | None, rows: int) -> int:
    if locator is None:
        return 0
    try:
        offset = int(locator.removeprefix("Mg"), 16)
    except ValueError:
        offset = rows
    if offset >= rows:
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return offset


def _job(call: Call, job_id: str) -> QueryJob:
    job = call.org.jobs.get(job_id)
    if not isinstance(job, QueryJob):
        raise ApiError(404, "NOT_FOUND", NOT_THERE)
    return job


def _info(call: Call, job: QueryJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "operation": job.operation,
        "object": job.cursor.object,
        "createdById": job.user_id,
        "createdDate": clock.text(job.created),
        "systemModstamp": clock.text(job.created),
        "state": job.state(call.org.clock.time()),
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(call.version),
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }

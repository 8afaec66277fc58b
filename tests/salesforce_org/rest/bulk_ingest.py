"""The resources of ingest jobs."""

from typing import Any

from tests.salesforce_org import clock
from tests.salesforce_org.bulk import DELIMITERS, LINE_ENDINGS, IngestJob, start
from tests.salesforce_org.errors import NOT_THERE, ApiError
from tests.salesforce_org.ids import BULK_JOB, make_id
from tests.salesforce_org.rest.call import Call
from tests.salesforce_org.web import Response

MOST_BYTES = 150_000_000
CSV_TYPE = {"Content-Type": "text/csv"}
ENDED = {"JobComplete", "Failed", "Aborted"}


def create(call: Call) -> Response:
    """Open a job."""
    body = call.json()
    delimiter, ending = body.get("columnDelimiter", "COMMA"), body.get("lineEnding", "LF")
    if body.get("operation") != "update" or body.get("contentType", "CSV") != "CSV":
        raise ApiError(400, "FEATURENOTENABLED", "this org takes update jobs with CSV only")
    if delimiter not in DELIMITERS or ending not in LINE_ENDINGS:
        raise ApiError(400, "INVALIDJOB", "unknown columnDelimiter or lineEnding")
    name = call.access.object_named(body.get("object", ""))
    if name is None or not call.access.may_edit(name):
        raise ApiError(400, "INVALIDENTITY", f"{body.get('object')} cannot be updated")
    job_id = make_id(BULK_JOB, len(call.org.jobs) + 1)
    job = IngestJob(job_id, name, call.session.user_id, call.org.clock.now(), delimiter, ending)
    call.org.jobs[job_id] = job
    return Response(200, _info(call, job))


def upload(call: Call, job_id: str) -> Response:
    """Take the CSV of a job, once."""
    job = _job(call, job_id)
    if job.state != "Open" or job.uploaded:
        raise ApiError(400, "INVALIDJOBSTATE", "Data was already uploaded, or the job is not open")
    if "text/csv" not in call.request.headers.get("content-type", ""):
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "text/csv is expected")
    if len(call.request.body) > MOST_BYTES:
        raise ApiError(413, "REQUEST_TOO_LARGE", "150 MB at most")
    job.uploaded = call.request.body
    return Response(201)


def change(call: Call, job_id: str) -> Response:
    """Close the upload, which starts the work, or abort the job."""
    job, state = _job(call, job_id), call.json().get("state")
    if state == "UploadComplete" and job.state == "Open" and job.uploaded:
        start(call.org, job)
    elif state == "Aborted" and job.state not in ENDED:
        job.state = "Aborted"
    else:
        raise ApiError(400, "INVALIDJOBSTATE", f"the job is {job.state} and cannot become {state}")
    return Response(200, _info(call, job))


def status(call: Call, job_id: str) -> Response:
    """Return the state of a job; a failed one is no error of the request."""
    job = _job(call, job_id)
    info = _info(call, job) | {
        "jobType": "V2Ingest",
        "retries": 0,
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
        "numberRecordsProcessed": len(job.successful) + len(job.failed),
        "numberRecordsFailed": len(job.failed),
    }
    return Response(200, info | ({"errorMessage": job.error} if job.error else {}))


def jobs(call: Call) -> Response:
    """List all jobs."""
    found = [job for job in call.org.jobs.values() if isinstance(job, IngestJob)]
    return Response(200, {"done": True, "nextRecordsUrl": None, "records": [_info(call, job) for job in found]})


def results(call: Call, job_id: str, kind: str) -> Response:
    """Return what became of the rows of a job that has ended."""
    job = _job(call, job_id)
    if job.state not in ENDED:
        raise ApiError(400, "INVALIDJOBSTATE", "the job has not ended")
    return Response(200, job.results(kind), CSV_TYPE)


def remove(call: Call, job_id: str) -> Response:
    """Delete a job that is not being worked on."""
    if _job(call, job_id).state in {"UploadComplete", "InProgress"}:
        raise ApiError(400, "INVALIDJOBSTATE", "the job is being worked on")
    del call.org.jobs[job_id]
    return Response(204)


def _job(call: Call, job_id: str) -> IngestJob:
    job = call.org.jobs.get(job_id)
    if not isinstance(job, IngestJob):
        raise ApiError(404, "NOT_FOUND", NOT_THERE)
    return job


def _info(call: Call, job: IngestJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "operation": "update",
        "object": job.object,
        "createdById": job.user_id,
        "createdDate": clock.text(job.created),
        "systemModstamp": clock.text(job.created),
        "state": job.state,
        "concurrencyMode": "Parallel",
        "contentType": "CSV",
        "apiVersion": float(call.version),
        "contentUrl": f"{call.base.lstrip('/')}/jobs/ingest/{job.id}/batches",
        "lineEnding": job.line_ending,
        "columnDelimiter": job.delimiter,
    }

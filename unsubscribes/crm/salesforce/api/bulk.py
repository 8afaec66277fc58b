"""Bulk API 2.0: one job ticks the box of many records of one object."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence

from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider import BulkJobs
from unsubscribes.crm.salesforce.api.client import Client
from unsubscribes.crm.salesforce.mapping import moment
from unsubscribes.crm.values import JobState, WriteResult

STATES = {
    "Open": JobState.OPEN,
    "JobComplete": JobState.ENDED,
    "Failed": JobState.ENDED,
    "Aborted": JobState.ENDED,
}
CSV = {"Accept": "text/csv"}
UPLOAD = {"Content-Type": "text/csv"}
ORDER = {"operation": "update", "contentType": "CSV", "lineEnding": "LF"}
# How far the creation times of a lost job, by Salesforce's clock and by ours, may differ.
NEAR = dt.timedelta(minutes=3)


class SalesforceBulkJobs(BulkJobs):
    def __init__(self, client: Client) -> None:
        self.client = client

    def create(self, sobject: str) -> str:
        return str(self.client.send("POST", "jobs/ingest", body=ORDER | {"object": sobject}).json()["id"])

    def upload(self, job_id: str, field: str, ids: Sequence[str]) -> None:
        lines = "".join(f"{sf_id},true\n" for sf_id in ids)
        self.client.send("PUT", f"{_path(job_id)}/batches", data=f"Id,{field}\n{lines}".encode(), headers=UPLOAD)
        self.client.send("PATCH", _path(job_id), body={"state": "UploadComplete"})

    def state(self, job_id: str) -> JobState:
        return STATES.get(str(self.client.get(_path(job_id)).get("state", "")), JobState.WORKING)

    def results(self, job_id: str) -> dict[str, WriteResult]:
        """Return the results by record ID; records that the job did not process are missing."""
        written: Iterable[dict[str, str]] = self._lines(job_id, "successfulResults")
        return {line["sf__Id"]: WriteResult() for line in written} | self._failures(job_id)

    def _failures(self, job_id: str) -> dict[str, WriteResult]:
        """Return the refused records; `sf__Error` has the form CODE:message:fields."""
        failed = {}
        for line in self._lines(job_id, "failedResults"):
            code, _, words = line["sf__Error"].partition(":")
            failed[line["sf__Id"] or line["Id"]] = WriteResult(code or "UNKNOWN_ERROR", words[:500])
        return failed

    def _lines(self, job_id: str, kind: str) -> list[dict[str, str]]:
        answer = self.client.send("GET", f"{_path(job_id)}/{kind}", headers=CSV)
        return list(csv.DictReader(io.StringIO(answer.content.decode())))

    def abort(self, job_id: str) -> None:
        self.client.send("PATCH", _path(job_id), body={"state": "Aborted"})

    def abort_lost(self, sobject: str, known: Iterable[str], made_at: dt.datetime) -> None:
        """Abort jobs of our user that are open, unknown here, and were created within 3 minutes of `made_at`."""
        user = SyncConnection.objects.get().user_id
        wanted, ours = ORDER | {"object": sobject}, {"state": "Open", "createdById": user}
        for page in self.client.pages(self.client.get("jobs/ingest")):
            for each in page.records:
                mine = all(each.get(name) == value for name, value in (wanted | ours).items())
                if mine and each["id"] not in known and abs(moment(each["createdDate"]) - made_at) < NEAR:
                    self.abort(each["id"])


def _path(job_id: str) -> str:
    return f"jobs/ingest/{job_id}"

"""Many opt-outs at once by Bulk API 2.0: a job for each object, its results by record."""

import csv
import io
import time
from collections.abc import Callable, Sequence

from unsubscribes.salesforce.client import Client, Result
from unsubscribes.salesforce.mapping import Class
from unsubscribes.salesforce.models import SyncWish
from unsubscribes.salesforce.targets import target
from unsubscribes.salesforce.trouble import Trouble

# About six polls for a job of a few minutes: each is an API call.
POLLS = (2, 5, 10, 20, 40, *[60] * 30)
ENDED = ("JobComplete", "Failed", "Aborted")
CSV = {"Accept": "text/csv"}
UNFINISHED = Result("UNPROCESSED", "Salesforce ended the job before this record.")


def write(
    wishes: Sequence[SyncWish], client: Client, field: str, *, keep: Callable[[Sequence[SyncWish]], object]
) -> list[Result]:
    """Opt out all records; return what became of each, by position. `keep` is called between polls."""
    places = [target(wish.record, field) for wish in wishes]
    results: dict[str, Result] = {}
    for name, box in sorted({(place.sobject, place.field) for place in places}):
        ids = [place.sf_id for place in places if place.sobject == name]
        results |= _job(name, ids, client, box, lambda: keep(wishes))
    return [results.get(place.sf_id, UNFINISHED) for place in places]


def _job(name: str, ids: Sequence[str], client: Client, field: str, keep: Callable[[], object]) -> dict[str, Result]:
    order = {"object": name, "operation": "update", "contentType": "CSV", "lineEnding": "LF"}
    job = client.send("POST", "jobs/ingest", body=order).json()["id"]
    lines = "".join(f"{sf_id},true\n" for sf_id in ids)
    upload = {"Content-Type": "text/csv"}
    client.send("PUT", f"jobs/ingest/{job}/batches", data=f"Id,{field}\n{lines}".encode(), headers=upload)
    client.send("PATCH", f"jobs/ingest/{job}", body={"state": "UploadComplete"})
    _wait(job, client, keep)
    return {sf_id: Result() for sf_id in _ids(client, job, "successfulResults")} | _failures(client, job)


def _wait(job: str, client: Client, keep: Callable[[], object]) -> None:
    for seconds in POLLS:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 5))
            client.alive()
        keep()
        if client.get(f"jobs/ingest/{job}").get("state") in ENDED:
            return
    raise Trouble(Class.TRANSIENT, "BULK_TIMEOUT")


def _ids(client: Client, job: str, kind: str) -> list[str]:
    return [line["sf__Id"] for line in _lines(client, job, kind)]


def _failures(client: Client, job: str) -> dict[str, Result]:
    """Return the records that were refused; `sf__Error` begins with the code: CODE:words:fields."""
    failed = {}
    for line in _lines(client, job, "failedResults"):
        code, _, words = line["sf__Error"].partition(":")
        failed[line["sf__Id"] or line["Id"]] = Result(code or "UNKNOWN_ERROR", words[:500])
    return failed


def _lines(client: Client, job: str, kind: str) -> list[dict[str, str]]:
    answer = client.send("GET", f"jobs/ingest/{job}/{kind}", headers=CSV)
    return list(csv.DictReader(io.StringIO(answer.content.decode())))

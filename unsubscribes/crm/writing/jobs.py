"""Many opt-outs at once by Bulk API 2.0: a job for each object, its results by record.

Nobody waits for a job longer than a turn lasts: it is kept in the database, its wishes are leased to it, and whichever
turn finds it ended settles them. 1. Store the job with its wishes. 2. Create it, upload, close. 3. Ask now and then.
4. Settle by record, forget the job. What a killed worker left between 1 and the closing has written nothing: it is
aborted, and its wishes wait again.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from itertools import groupby
from uuid import uuid4

from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.db.models.functions import Now

from unsubscribes.crm.models import SyncConnection, SyncJob, SyncWish
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.salesforce.client import Client, Result
from unsubscribes.crm.salesforce.mapping import Class, moment
from unsubscribes.crm.salesforce.targets import target
from unsubscribes.crm.trouble import Trouble
from unsubscribes.crm.writing import settling
from unsubscribes.crm.writing.settling import Settled

# About six polls for a job of a few minutes: each is an API call.
POLLS = (2, 5, 10, 20, 40, 60)
ENDED = ("JobComplete", "Failed", "Aborted")
CSV = {"Accept": "text/csv"}
UPLOAD = {"Content-Type": "text/csv"}
ORDER = {"operation": "update", "contentType": "CSV", "lineEnding": "LF"}
UNFINISHED = Result("UNPROCESSED", "Salesforce ended the job before this record.")
# Not the job's fault: it is asked about again.
PASSING = (Class.TRANSIENT, Class.AUTH, Class.QUOTA, Class.PERMISSION)
# How far the time at which a lost job was made may lie from the one at which it was stored.
NEAR = dt.timedelta(minutes=3)


def parts(wishes: Sequence[SyncWish], field: str) -> list[tuple[str, str, list[SyncWish]]]:
    """Return what goes into one job each: the object, the field of its box, the wishes."""

    def place(wish: SyncWish) -> tuple[str, str]:
        there = target(wish.record, field)
        return there.sobject, there.field

    ordered = sorted(wishes, key=place)
    return [(*key, list(group)) for key, group in groupby(ordered, place)]


def start(sobject: str, box: str, wishes: Sequence[SyncWish], client: Client, connection: SyncConnection) -> None:
    """Hand leased wishes over to a job and set it going. Raises `Trouble`: nothing was written then."""
    job = _stored(sobject, box, wishes)
    ids = [target(wish.record, connection.opt_out_field).sf_id for wish in wishes]
    try:
        _create(job, client)
        lines = "".join(f"{sf_id},true\n" for sf_id in ids)
        client.send("PUT", f"{_path(job)}/batches", data=f"Id,{box}\n{lines}".encode(), headers=UPLOAD)
        client.send("PATCH", _path(job), body={"state": "UploadComplete"})
    except Trouble as trouble:
        # Where an answer was lost, the second try is refused because the first was heard: the job is at work.
        if not job.sf_id or _state(job, client) == "Open":
            abandon(job, client, trouble)
            raise
    _ask_later(job)


def _stored(sobject: str, box: str, wishes: Sequence[SyncWish]) -> SyncJob:
    with transaction.atomic():
        outbox.lock()
        job = SyncJob.objects.create(lease=uuid4(), sobject=sobject, field=box, records=len(wishes))
        mine = SyncWish.objects.filter(
            pk__in=[wish.pk for wish in wishes], lease__in={wish.lease for wish in wishes}, state=SyncWish.State.LEASED
        )
        mine.update(lease=job.lease, leased_until=None)
    return job


def _create(job: SyncJob, client: Client) -> None:
    calls = client.calls
    job.sf_id = client.send("POST", "jobs/ingest", body=ORDER | {"object": job.sobject}).json()["id"]
    SyncJob.objects.filter(pk=job.pk).update(sf_id=job.sf_id)
    if client.calls - calls > 1:
        _abort_lost(job, client)


def _abort_lost(job: SyncJob, client: Client) -> None:
    """Abort jobs that we made without hearing of it: open and unknown here, of our user, made when this one was."""
    known = {job.sf_id, *SyncJob.objects.exclude(sf_id="").values_list("sf_id", flat=True)}
    ours = SyncConnection.objects.get()
    made_at = job.created_at + (ours.clock_ahead or dt.timedelta(0))
    path: str | None = "jobs/ingest"
    while path:
        body = client.get(path)
        for each in body["records"]:
            same = all(each.get(name) == value for name, value in (ORDER | {"object": job.sobject}).items())
            mine = each["state"] == "Open" and each["id"] not in known and each["createdById"] == ours.user_id
            if same and mine and abs(moment(each["createdDate"]) - made_at) < NEAR:
                client.send("PATCH", f"jobs/ingest/{each['id']}", body={"state": "Aborted"})
        path = body.get("nextRecordsUrl")


def abandon(job: SyncJob, client: Client, trouble: Trouble | None = None) -> None:
    """Abort a job that was never closed, and let its wishes wait again; where that fails, a later turn tries."""
    try:
        if job.sf_id:
            client.send("PATCH", _path(job), body={"state": "Aborted"})
        else:
            _abort_lost(job, client)
    except Trouble as refusal:
        if refusal.kind in PASSING:
            return
    _forget(job, trouble)


def _forget(job: SyncJob, trouble: Trouble | None = None) -> None:
    code, message = (trouble.code, trouble.message) if trouble else ("", "")
    with transaction.atomic():
        outbox.put_back(Q(lease=job.lease), seconds=settling.SOON if trouble else 0, code=code, message=message)
        SyncJob.objects.filter(pk=job.pk).delete()


def settle_ended(client: Client, connection: SyncConnection) -> Settled:
    """Ask about the jobs that are due, and settle what became of those that have ended. Raises `Trouble`."""
    total = Settled()
    for job in SyncJob.objects.filter(due_at__lte=Now()).order_by("pk"):
        done = _settle(job, client, connection)
        total.written, total.failed = total.written + done.written, total.failed + done.failed
    return total


def _settle(job: SyncJob, client: Client, connection: SyncConnection) -> Settled:
    if not job.sf_id:
        abandon(job, client)
        return Settled()
    try:
        state = _state(job, client)
        if state == "Open":
            abandon(job, client)
            return Settled()
        if state not in ENDED:
            _ask_later(job)
            return Settled()
        results = _results(job, client)
    except Trouble as trouble:
        if trouble.kind in PASSING:
            raise
        _forget(job, trouble)  # Salesforce knows nothing of it any more: what it wrote is written again
        return Settled()
    return _store(job, results, client, connection)


def _store(job: SyncJob, results: dict[str, Result], client: Client, connection: SyncConnection) -> Settled:
    wishes = list(_wishes(job).select_related("record"))
    places = [target(wish.record, connection.opt_out_field) for wish in wishes]
    found = [
        results.get(place.sf_id) or results.get(wish.record.sf_id, UNFINISHED)
        for wish, place in zip(wishes, places, strict=True)
    ]
    try:
        done = settling.settle(wishes, found, client, connection)
    except Trouble:
        if not _wishes(job).exists():
            SyncJob.objects.filter(pk=job.pk).delete()
        raise
    _forget(job)
    return done


def _wishes(job: SyncJob) -> QuerySet[SyncWish]:
    return SyncWish.objects.filter(lease=job.lease, state=SyncWish.State.LEASED)


def _ask_later(job: SyncJob) -> None:
    """Ask about the job again later, the later the longer it takes."""
    seconds = POLLS[min(job.polls, len(POLLS) - 1)]
    job.polls = min(job.polls + 1, len(POLLS))
    SyncJob.objects.filter(pk=job.pk).update(polls=job.polls, due_at=Now() + dt.timedelta(seconds=seconds))


def due() -> QuerySet[SyncJob]:
    """Return the jobs about which it is time to ask."""
    return SyncJob.objects.filter(due_at__lte=Now())


def next_due() -> float | None:
    """Return in how many seconds it is time to ask about a job; None when there is none."""
    wait = SyncJob.objects.aggregate(wait=Min("due_at") - Now())["wait"]
    return wait.total_seconds() if wait is not None else None


def _path(job: SyncJob) -> str:
    return f"jobs/ingest/{job.sf_id}"


def _state(job: SyncJob, client: Client) -> str:
    return str(client.get(_path(job)).get("state", ""))


def _results(job: SyncJob, client: Client) -> dict[str, Result]:
    written: Iterable[dict[str, str]] = _lines(job, client, "successfulResults")
    return {line["sf__Id"]: Result() for line in written} | _failures(job, client)


def _failures(job: SyncJob, client: Client) -> dict[str, Result]:
    """Return the records that were refused; `sf__Error` begins with the code: CODE:words:fields."""
    failed = {}
    for line in _lines(job, client, "failedResults"):
        code, _, words = line["sf__Error"].partition(":")
        failed[line["sf__Id"] or line["Id"]] = Result(code or "UNKNOWN_ERROR", words[:500])
    return failed


def _lines(job: SyncJob, client: Client, kind: str) -> list[dict[str, str]]:
    answer = client.send("GET", f"{_path(job)}/{kind}", headers=CSV)
    return list(csv.DictReader(io.StringIO(answer.content.decode())))

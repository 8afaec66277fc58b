"""Writes many opt-outs with bulk jobs of the CRM, one per object.

A job may outlast the turn that started it: it is a row, its entries are leased to it, and whichever turn finds it ended
settles them. 1. Commit the job with its entries. 2. Create it in the CRM, upload, close. 3. Poll. 4. Settle by record,
delete the row. A job that a killed worker left before it was closed has written nothing: it is aborted, and its entries
wait again.
"""

import datetime as dt
from collections.abc import Sequence
from itertools import groupby
from uuid import uuid4

from django.db import transaction
from django.db.models import Min, Q, QuerySet
from django.db.models.functions import Now

from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncJob
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.provider import BulkJobs, CrmSession
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.values import JobState, WriteResult
from unsubscribes.crm.writing import settling
from unsubscribes.crm.writing.settling import SettledCounts

# About six polls for a job of a few minutes: each is an API call.
POLLS = (2, 5, 10, 20, 40, 60)
UNPROCESSED = "UNPROCESSED"
# Errors that say nothing about the job: it is polled again.
PASSING = (ErrorKind.TRANSIENT, ErrorKind.AUTH, ErrorKind.QUOTA, ErrorKind.PERMISSION)


def parts(entries: Sequence[OutboxEntry], session: CrmSession) -> list[tuple[str, str, list[OutboxEntry]]]:
    """Group entries by job: object, opt-out field, entries."""

    def place(entry: OutboxEntry) -> tuple[str, str]:
        there = session.target(entry.record)
        return there.sobject, there.field

    ordered = sorted(entries, key=place)
    return [(*key, list(group)) for key, group in groupby(ordered, place)]


def start(sobject: str, box: str, entries: Sequence[OutboxEntry], session: CrmSession) -> None:
    """Lease entries to a new job and start it. Raises `ProviderError`; nothing was written then."""
    job = _stored(sobject, box, entries)
    try:
        _create(job, session)
        _api(session).upload(job.sf_id, box, [session.target(entry.record).sf_id for entry in entries])
    except ProviderError as error:
        # If the answer to the first request was lost, its retry is refused because the job is running already.
        if not job.sf_id or _api(session).state(job.sf_id) is JobState.OPEN:
            abandon(job, session, error)
            raise
    _ask_later(job)


def _stored(sobject: str, box: str, entries: Sequence[OutboxEntry]) -> SyncJob:
    with transaction.atomic():
        outbox.lock()
        job = SyncJob.objects.create(lease=uuid4(), sobject=sobject, field=box, records=len(entries))
        mine = OutboxEntry.objects.filter(
            pk__in=[entry.pk for entry in entries],
            lease__in={entry.lease for entry in entries},
            state=OutboxEntry.State.LEASED,
        )
        mine.update(lease=job.lease, leased_until=None)
    return job


def _create(job: SyncJob, session: CrmSession) -> None:
    calls = session.calls
    job.sf_id = _api(session).create(job.sobject)
    SyncJob.objects.filter(pk=job.pk).update(sf_id=job.sf_id)
    if session.calls - calls > 1:
        _abort_lost(job, session)


def _abort_lost(job: SyncJob, session: CrmSession) -> None:
    known = {job.sf_id, *SyncJob.objects.exclude(sf_id="").values_list("sf_id", flat=True)}
    made_at = job.created_at + (SyncConnection.objects.get().clock_ahead or dt.timedelta(0))
    _api(session).abort_lost(job.sobject, known, made_at)


def abandon(job: SyncJob, session: CrmSession, error: ProviderError | None = None) -> None:
    """Abort a job that was never closed, and release its entries; if that fails, a later turn tries again."""
    try:
        if job.sf_id:
            _api(session).abort(job.sf_id)
        else:
            _abort_lost(job, session)
    except ProviderError as refusal:
        if refusal.kind in PASSING:
            return
    _forget(job, error)


def _forget(job: SyncJob, error: ProviderError | None = None) -> None:
    code, message = (error.code, error.message) if error else ("", "")
    with transaction.atomic():
        outbox.put_back(
            Q(lease=job.lease), seconds=settling.RETRY_SOON_SECONDS if error else 0, code=code, message=message
        )
        SyncJob.objects.filter(pk=job.pk).delete()


def settle_ended(session: CrmSession) -> SettledCounts:
    """Poll the jobs that are due, and settle those that have ended. Raises `ProviderError`."""
    total = SettledCounts()
    for job in SyncJob.objects.filter(due_at__lte=Now()).order_by("pk"):
        done = _settle(job, session)
        total.written, total.failed = total.written + done.written, total.failed + done.failed
    return total


def _settle(job: SyncJob, session: CrmSession) -> SettledCounts:
    if not job.sf_id:
        abandon(job, session)
        return SettledCounts()
    try:
        state = _api(session).state(job.sf_id)
        if state is JobState.OPEN:
            abandon(job, session)
            return SettledCounts()
        if state is not JobState.ENDED:
            _ask_later(job)
            return SettledCounts()
        results = _results(job, session)
    except ProviderError as error:
        if error.kind in PASSING:
            raise
        _forget(job, error)  # the CRM does not know the job any more; writing the same values again is harmless
        return SettledCounts()
    return _store(job, results, session)


def _store(job: SyncJob, results: dict[str, WriteResult], session: CrmSession) -> SettledCounts:
    entries = list(_entries(job).select_related("record"))
    places = [session.target(entry.record) for entry in entries]
    unfinished = WriteResult(UNPROCESSED, f"{session.provider.name} ended the job before this record.")
    found = [
        results.get(place.sf_id) or results.get(entry.record.sf_id, unfinished)
        for entry, place in zip(entries, places, strict=True)
    ]
    try:
        done = settling.settle(entries, found, session)
    except ProviderError:
        if not _entries(job).exists():
            SyncJob.objects.filter(pk=job.pk).delete()
        raise
    _forget(job)
    return done


def _entries(job: SyncJob) -> QuerySet[OutboxEntry]:
    return OutboxEntry.objects.filter(lease=job.lease, state=OutboxEntry.State.LEASED)


def _ask_later(job: SyncJob) -> None:
    seconds = POLLS[min(job.polls, len(POLLS) - 1)]
    job.polls = min(job.polls + 1, len(POLLS))
    SyncJob.objects.filter(pk=job.pk).update(polls=job.polls, due_at=Now() + dt.timedelta(seconds=seconds))


def due() -> QuerySet[SyncJob]:
    return SyncJob.objects.filter(due_at__lte=Now())


def next_due() -> float | None:
    """Return in how many seconds the next job is to be polled; None when there is none."""
    wait = SyncJob.objects.aggregate(wait=Min("due_at") - Now())["wait"]
    return wait.total_seconds() if wait is not None else None


def _api(session: CrmSession) -> BulkJobs:
    if session.jobs is None:
        raise ProviderError(ErrorKind.BUG, "NO_JOBS")
    return session.jobs


def _results(job: SyncJob, session: CrmSession) -> dict[str, WriteResult]:
    return _api(session).results(job.sf_id)

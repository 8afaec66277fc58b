"""Stores the result of each written record: done, retry later, dead letter, or moved to a successor."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from unsubscribes.crm.models import OutboxEntry, SyncRecord
from unsubscribes.crm.outbox import outbox, sync_errors, ticking
from unsubscribes.crm.provider import CrmSession
from unsubscribes.crm.provider_errors import RETRY_POLICIES, ErrorKind, ProviderError
from unsubscribes.crm.reading import applying, successors
from unsubscribes.crm.values import CrmRecord, WriteResult

RETRY_SOON_SECONDS = 60
RETRY_TIME_FACTOR = 1.0
READ_ONLY_SHARE, READ_ONLY_LEAST = 0.2, 5
# Reported for one record, but true of every request.
STOPS_ALL_WRITES = (ErrorKind.AUTH, ErrorKind.QUOTA, ErrorKind.PERMISSION)
Refusal = tuple[OutboxEntry, WriteResult]


@dataclass(slots=True)
class SettledCounts:
    """Records written, and dead letters."""

    written: int = 0
    failed: int = 0


def settle(entries: Sequence[OutboxEntry], results: Sequence[WriteResult], session: CrmSession) -> SettledCounts:
    """Store the results, which belong to the entries by position, then look up the records that were reported missing.

    Raises `ProviderError` when a code means that no other record can be written either; `PERMISSION` also when more
    than a fifth of the records are read-only, which means that a permission was revoked.
    """
    pairs = list(zip(entries, results, strict=True))
    kinds = [session.provider.classify(result.code, result.message) for _entry, result in pairs]
    stop = _stop(pairs, kinds)
    settled, vanished = SettledCounts(), list[Refusal]()
    with transaction.atomic():
        outbox.lock()
        settled.written = _store([entry for entry, result in pairs if not result.code])
        for (entry, result), kind in zip(pairs, kinds, strict=True):
            if not result.code:
                continue
            if kind is ErrorKind.GONE:
                vanished.append((entry, result))
            elif stop and (kind is stop.kind or (kind, stop.kind) == (ErrorKind.READ_ONLY, ErrorKind.PERMISSION)):
                put = Q(pk=entry.pk, lease=entry.lease)
                outbox.put_back(put, seconds=RETRY_SOON_SECONDS, code=result.code, message=result.message)
            else:
                settled.failed += refused(entry, result, kind)
    settled.failed += follow(vanished, session)
    if stop:
        raise stop
    return settled


def _stop(pairs: Sequence[Refusal], kinds: Sequence[ErrorKind]) -> ProviderError | None:
    """Return the error that stops all writes, if the results of the records contain one."""
    for (_entry, result), kind in zip(pairs, kinds, strict=True):
        if result.code and kind in STOPS_ALL_WRITES:
            return ProviderError(kind, result.code, result.message)
    read_only = [result for (_entry, result), kind in zip(pairs, kinds, strict=True) if kind is ErrorKind.READ_ONLY]
    if len(read_only) > READ_ONLY_SHARE * len(pairs) and len(pairs) >= READ_ONLY_LEAST:
        return ProviderError(ErrorKind.PERMISSION, read_only[0].code, read_only[0].message)
    return None


def written(entry: OutboxEntry, *, value: bool) -> None:
    with transaction.atomic():
        outbox.lock()
        _store([entry], value=value)


def _store(entries: Sequence[OutboxEntry], *, value: bool = True) -> int:
    mine = OutboxEntry.objects.filter(
        pk__in=[entry.pk for entry in entries],
        lease__in={entry.lease for entry in entries},
        state=OutboxEntry.State.LEASED,
    )
    done = mine.update(state=OutboxEntry.State.DONE, finished_at=Now(), lease=None, code="", message="")
    records = [entry.record_id for entry in entries]
    ticking.note_written(records, value=value)
    OutboxEntry.objects.filter(record_id__in=records, state=OutboxEntry.State.DEAD).update(
        state=OutboxEntry.State.SUPERSEDED, finished_at=Now()
    )
    sync_errors.resolve([entry.record.sf_id for entry in entries])
    return done


def refused(entry: OutboxEntry, result: WriteResult, kind: ErrorKind) -> bool:
    """Schedule a retry by the policy of the error kind, or leave a dead letter; returns whether it is a dead letter."""
    pace = RETRY_POLICIES.get(kind)
    if pace is None or entry.attempts + 1 >= pace.tries:
        sync_errors.mark_dead(entry, result.code, result.message)
        return True
    mine = Q(pk=entry.pk, lease=entry.lease)
    seconds = RETRY_TIME_FACTOR * pace.seconds(entry.attempts)
    outbox.put_back(mine, seconds=seconds, code=result.code, message=result.message, counted=True)
    sync_errors.record_error(entry.record, "push", result.code, result.message)
    return False


def follow(refusals: Sequence[Refusal], session: CrmSession) -> int:
    """Look up records that were reported missing; return how many became dead letters.

    Merges and conversions are followed to the last successor, so that the opt-out reaches it. A record is gone only if
    the CRM returns it as deleted, merged or converted, or lists it as deleted. If it is still there, or is merely not
    visible to us, the result counts as a refused write, whatever its code says.
    """
    if not refusals:
        return 0
    rows = {each.sf_id: each for each in session.whereabouts([entry.record.sf_id for entry, _ in refusals])}
    listed = session.deleted([entry.record for entry, _ in refusals if entry.record.sf_id not in rows])
    failed = 0
    with transaction.atomic():
        outbox.lock()
        SyncRecord.objects.filter(sf_id__in=listed).update(deleted=True)
        for entry, result in refusals:
            row = rows.get(entry.record.sf_id)
            if entry.record.sf_id in listed or (row and _needs_nothing(row, entry)):
                _end(entry)
            else:
                failed += refused(entry, result, ErrorKind.GONE)
        # Only now: an entry that is settled already gets no second one beside it.
        applying.apply(list(rows.values()), our_user=session.connection.user_id, now=session.now)
    successors.pass_on(our_user=session.connection.user_id, now=session.now)
    return failed


def still_needed(entries: Sequence[OutboxEntry], session: CrmSession) -> list[OutboxEntry]:
    """Re-read records that are written for another person than their own address, and leave out those that are ticked.

    Somebody may have ticked the box for the record's own address since it was last read. Writing the same value over it
    would make it look as if we had ticked it, and that opt-out would be lost.
    """
    unsure = ticking.written_for_another_address([entry.record_id for entry in entries])
    asked = {entry.record.sf_id for entry in entries if entry.record_id in unsure}
    if not asked:
        return list(entries)
    rows = session.whereabouts(sorted(asked))
    known = {entry.record.sf_id: entry.record.stamp for entry in entries}
    moved = [row for row in rows if known.get(row.sf_id) != row.stamp]
    ticked = asked & {row.sf_id for row in rows if row.opted_out and not (row.deleted or row.successor_id)}
    with transaction.atomic():
        outbox.lock()
        for entry in entries:
            if entry.record.sf_id in ticked:
                _end(entry, "")
        applying.apply(moved, our_user=session.connection.user_id, now=session.now)
    successors.pass_on(our_user=session.connection.user_id, now=session.now)
    return [entry for entry in entries if entry.record.sf_id not in ticked]


def _needs_nothing(row: CrmRecord, entry: OutboxEntry) -> bool:
    return row.deleted or bool(row.successor_id) or row.opted_out == entry.desired


def _end(entry: OutboxEntry, code: str = "GONE") -> None:
    OutboxEntry.objects.filter(pk=entry.pk, lease=entry.lease, state=OutboxEntry.State.LEASED).update(
        state=OutboxEntry.State.SUPERSEDED, lease=None, finished_at=Now(), code=code
    )


def record_write_error(sobject: str, error: ProviderError) -> None:
    """Record that an object cannot be written at all."""
    sync_errors.record_error(
        SyncRecord(sf_id="", sobject=sobject), "push", f"{error.code}:{sobject}", error.message, dead=True
    )

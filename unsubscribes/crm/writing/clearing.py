"""Writes a re-consent to the CRM: reads the record, compares, and clears the box only if it has not changed since."""

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from unsubscribes.crm.models import OutboxEntry
from unsubscribes.crm.outbox import outbox, sync_errors
from unsubscribes.crm.provider import UNCONDITIONAL, CrmSession
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.reading import applying, known
from unsubscribes.crm.reading.rules import predates_reconsent
from unsubscribes.crm.values import CrmRecord, WriteResult
from unsubscribes.crm.writing import settling

READS = 3
HOUR = 3_600
FAULTS = (ErrorKind.UNKNOWN, ErrorKind.BUG)


def clear(entry: OutboxEntry, session: CrmSession) -> bool | None:
    """Clear one box: True when it is clear, False when the record refuses it, None when it must stay ticked.

    A newer opt-out in the CRM wins and is applied here. If the record changes between reading and writing, the
    conditional write fails and the record is read again. Raises `ProviderError` when the CRM cannot be asked.
    """
    for _read in range(READS):
        found = _read_now(entry, session)
        if found is None or found.deleted or found.successor_id:
            return _followed(entry, ProviderError(ErrorKind.GONE, "NOT_FOUND"), session)
        if found.opted_out and not _may_clear(entry, found, session):
            return None
        try:
            if found.opted_out and not session.clear(found):
                return _held_back(entry)
        except ProviderError as error:
            if error.kind is ErrorKind.MOVED_ON:
                continue
            return _refused(entry, error, session)
        settling.written(entry, value=False)
        return True
    return _left(entry, ProviderError(ErrorKind.MOVED_ON, "KEEPS_MOVING"), ErrorKind.MOVED_ON)


def _held_back(entry: OutboxEntry) -> bool:
    """Let the re-consent wait: without conditional writes we could overwrite a newer opt-out."""
    mine = Q(pk=entry.pk, lease=entry.lease)
    outbox.put_back(mine, seconds=HOUR, code=UNCONDITIONAL)
    sync_errors.record_error(entry.record, "push", UNCONDITIONAL)
    return False


def _read_now(entry: OutboxEntry, session: CrmSession) -> CrmRecord | None:
    return session.record(entry.record)


def _may_clear(entry: OutboxEntry, found: CrmRecord, session: CrmSession) -> bool:
    """Tell whether the opt-out in the CRM is older than the re-consent; a newer one is applied here."""
    with transaction.atomic():
        outbox.lock()
        current = OutboxEntry.objects.select_related("record").annotate(age=Now() - F("created_at")).get(pk=entry.pk)
        if current.lease != entry.lease:
            return False
        given = known.reconsent_of(current, session.connection.user_id, session.now)
        if predates_reconsent(found.stamp, found.modified_by, given):
            if not outbox.is_opted_out_here(entry.record_id):
                return True
            OutboxEntry.objects.filter(pk=entry.pk).update(
                state=OutboxEntry.State.SUPERSEDED, lease=None, finished_at=Now()
            )
            return False
        applying.apply([found], our_user=session.connection.user_id, now=session.now)
    return False


def _refused(entry: OutboxEntry, error: ProviderError, session: CrmSession) -> bool | None:
    """Count an error of this record; an error that concerns every record stops the push."""
    kind = session.provider.classify(error.code, error.message)
    if ErrorKind.GONE in (error.kind, kind):
        return _followed(entry, error, session)
    if kind in settling.STOPS_ALL_WRITES or (kind is ErrorKind.UNKNOWN and error.kind not in FAULTS):
        raise error
    return _left(entry, error, kind)


def _followed(entry: OutboxEntry, error: ProviderError, session: CrmSession) -> bool | None:
    refusal = (entry, WriteResult(error.code, error.message))
    return False if settling.follow([refusal], session) else None


def _left(entry: OutboxEntry, error: ProviderError, kind: ErrorKind) -> bool | None:
    """Schedule a retry, or leave a dead letter: False then."""
    with transaction.atomic():
        return False if settling.refused(entry, WriteResult(error.code, error.message), kind) else None

"""Errors of the sync, one row per record, direction and code; and dead letters."""

from collections.abc import Iterable

from django.db import connection
from django.db.models.functions import Now

from unsubscribes.crm.models import TEXT_LIMIT, OutboxEntry, SyncError, SyncRecord

NOTE = """
    INSERT INTO unsubscribes_syncerror AS e (sf_id, sobject, direction, code, message, state, count)
    VALUES (%s, %s, %s, %s, %s, %s, 1)
    ON CONFLICT (sf_id, direction, code) DO UPDATE SET
        message = EXCLUDED.message, state = EXCLUDED.state, count = e.count + 1, last_seen = now(), resolved_at = NULL
"""
RESOLVE = """
    UPDATE unsubscribes_syncerror SET state = 'resolved', resolved_at = now()
    WHERE sf_id = ANY(%s) AND direction = 'push' AND state <> 'resolved'
"""


def record_error(record: SyncRecord, direction: str, code: str, message: str = "", *, dead: bool = False) -> None:
    """Record that a record could not be synced, or was overruled; `dead` asks an administrator to look at it."""
    state = SyncError.State.DEAD if dead else SyncError.State.WAITING
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [record.sf_id, record.sobject, direction, code[:80], message[:TEXT_LIMIT], str(state)])


def record_object_error(sobject: str, code: str, message: str) -> None:
    """Record that an object cannot be read at all."""
    record_error(SyncRecord(sf_id="", sobject=sobject), "pull", f"{code}:{sobject}", message, dead=True)


def resolve(sf_ids: Iterable[str]) -> None:
    """Resolve the write errors of these records."""
    with connection.cursor() as cursor:
        cursor.execute(RESOLVE, [list(sf_ids)])


def resolve_object(sobject: str) -> None:
    SyncError.objects.filter(sf_id="", sobject=sobject).exclude(state=SyncError.State.RESOLVED).update(
        state=SyncError.State.RESOLVED, resolved_at=Now()
    )


def mark_dead(entry: OutboxEntry, code: str, message: str) -> None:
    """Turn a leased entry into a dead letter, in place of an older one of the same kind."""
    OutboxEntry.objects.filter(record=entry.record_id, desired=entry.desired, state=OutboxEntry.State.DEAD).update(
        state=OutboxEntry.State.SUPERSEDED, finished_at=Now()
    )
    OutboxEntry.objects.filter(pk=entry.pk, lease=entry.lease).update(
        state=OutboxEntry.State.DEAD, lease=None, code=code, message=message
    )
    record_error(entry.record, "push", code, message, dead=True)

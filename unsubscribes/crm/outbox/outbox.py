"""The transactional outbox: which value each record in the CRM is to hold.

1. A trigger inserts a notice in the transaction of the opt-out, so that no code path can forget it. 2. `collect` finds
the records of the notices and enqueues entries, decided from the state at that time. 3. A push leases entries, decides
again, writes to the CRM and settles them. Whatever reads links or enqueues entries takes one advisory lock for its
short transaction; otherwise a record that a pull is just linking could be missed. No request is made under the lock.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Min, OuterRef, Q, Subquery
from django.db.models.functions import Now

from contacts.jobs import engine
from contacts.models import Contact
from salesconnect.lib.database.sql import fill, statement
from salesconnect.lib.database.transactions import act
from unsubscribes.crm import provider_registry
from unsubscribes.crm.models import OutboxEntry, SyncJob, SyncNotice, SyncRecord
from unsubscribes.crm.outbox import sync_errors, ticking

EntryState = OutboxEntry.State
WAITING = (EntryState.PENDING, EntryState.RETRY)
CHUNK = 5_000
LEASE_SECONDS = 60
# How often in a day a box is ticked again that some automation in the CRM keeps clearing: without a limit, the two
# would overwrite each other for ever.
MAX_REASSERTS = 3
# After so many failed attempts a record is written in small batches, so that it cannot fail many others with it.
OFTEN_FAILED = 3
KEEPS_CLEARING = "AUTOMATION_KEEPS_CLEARING"
CLEARED_TOO_OFTEN = f"(r.reasserts >= {MAX_REASSERTS} AND r.reasserted_since > now() - interval '1 day')"

OPTED_OUT_HERE = statement(__file__, "opted_out_here")
STAYS = statement(__file__, "stays_ticked", opted_out_here=OPTED_OUT_HERE)
# IDs that were typed or imported may be of records that have not been read from the CRM yet.
KNOW = """
    INSERT INTO unsubscribes_syncrecord
        (sf_id, sobject, contact_id, account_id, modified_by, deleted, successor_id, reasserts)
    SELECT DISTINCT ON (sf_id) sf_id, sobject, contact_id, '', '', false, '', 0
    FROM unnest(%(ids)s::text[], %(sobjects)s::text[], %(people)s::bigint[]) AS named (sf_id, sobject, contact_id)
    ORDER BY sf_id, contact_id ON CONFLICT (sf_id) DO NOTHING
"""
AFFECTED_RECORDS = statement(__file__, "affected_records")
ENQUEUE = statement(__file__, "enqueue", opted_out_here=OPTED_OUT_HERE, cleared_too_often=CLEARED_TOO_OFTEN)
WITHDRAW = statement(__file__, "withdraw", opted_out_here=OPTED_OUT_HERE)
DEAD_LETTER = statement(
    __file__, "dead_letter", code=KEEPS_CLEARING, cleared_too_often=CLEARED_TOO_OFTEN, opted_out_here=OPTED_OUT_HERE
)
SUPERSEDE_OPPOSITE = statement(__file__, "supersede_opposite", opted_out_here=OPTED_OUT_HERE)
LEASE = statement(__file__, "lease", often_failed=str(OFTEN_FAILED))
# A box that a read shows as ticked needs no write, whoever ticked it.
FULFILLED = """
    SELECT w.id, w.state, r.id, r.sf_id, r.modified_by FROM unsubscribes_syncrecord r
    CROSS JOIN LATERAL (SELECT id, state, desired FROM unsubscribes_outboxentry WHERE record_id = r.id OFFSET 0) w
    WHERE r.sf_id = ANY(%(ticked)s) AND r.opted_out AND w.desired AND w.state IN ('pending', 'retry', 'leased')
"""
SAYS_NO = "SELECT {opted_out_here} FROM unsubscribes_syncrecord r WHERE r.id = %s"
OVERTAKE = statement(__file__, "overtake", opted_out_here=OPTED_OUT_HERE)


def lock() -> None:
    """Take the advisory lock on links and outbox entries until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('salesconnect.salesforce'))")


def collect() -> None:
    """Turn all notices into outbox entries."""
    while SyncNotice.objects.exists() and _collect_chunk():
        pass


@act
def _collect_chunk() -> bool:
    lock()
    taken = list(engine.claim(SyncNotice.objects.order_by("pk"))[:CHUNK])
    people = sorted({notice.contact_id for notice in taken if notice.contact_id})
    hashes = [notice.address_hash for notice in taken if notice.address_hash]
    register_known_ids(people)
    records = affected_records(people, hashes)
    _void_opposite(records)
    enqueue(records, True)
    for notice in taken:
        if notice.yes:
            _enqueue_reconsent(affected_records([notice.contact_id] if notice.contact_id else [], []), notice.at)
    SyncNotice.objects.filter(pk__in=[notice.pk for notice in taken]).delete()
    return bool(taken)


def _void_opposite(records: Sequence[int]) -> None:
    """Void dead letters and counters that belong to an earlier, opposite wish of the person."""
    forget_reasserts(records)
    with connection.cursor() as cursor:
        cursor.execute(SUPERSEDE_OPPOSITE, {"records": list(records)})
        sync_errors.resolve([row[0] for row in cursor])


def _enqueue_reconsent(records: Sequence[int], said_at: dt.datetime) -> None:
    """Enqueue clearing the boxes of a person who consented anew, and mark those that somebody else keeps ticked."""
    enqueue(records, False, said_at=said_at)
    # The consent is newer than an opt-out that the address of one of the records was still to get.
    SyncRecord.objects.filter(pk__in=records, owed_to_address=True).update(owed_to_address=False)
    with connection.cursor() as cursor:
        cursor.execute(STAYS, {"records": list(records)})


def register_known_ids(people: Sequence[int]) -> None:
    """Create rows for the CRM IDs of these people, as far as the ID itself tells the object."""
    crm = provider_registry.current()
    named = Contact.objects.filter(pk__in=people).exclude(salesforce_id="").values_list("salesforce_id", "pk")
    found = [(sf_id, sobject, pk) for sf_id, pk in named if (sobject := crm.sobject_of(sf_id))]
    if found:
        ids, sobjects, owners = (list(column) for column in zip(*found, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(KNOW, {"ids": ids, "sobjects": sobjects, "people": owners})


def affected_records(people: Sequence[int], hashes: Sequence[UUID] = ()) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(AFFECTED_RECORDS, {"people": list(people), "hashes": list(hashes)})
        return [row[0] for row in cursor]


def enqueue(records: Sequence[int], desired: bool, *, said_at: dt.datetime | None = None) -> int:
    """Enqueue `desired` for those of the records for which the local state calls for it; return how many are new.

    A record whose box is cleared again and again gets a dead letter instead.
    """
    if not records:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(ENQUEUE, {"records": list(records), "desired": desired, "said_at": said_at})
        number = cursor.rowcount
        cursor.execute(WITHDRAW, {"records": list(records), "desired": desired})
        if desired:
            cursor.execute(DEAD_LETTER, {"records": list(records)})
            alone = [row[0] for row in cursor]
            for record in SyncRecord.objects.filter(pk__in=alone):
                sync_errors.record_error(record, "push", KEEPS_CLEARING, record.modified_by, dead=True)
    return number


def without_dead_letter(records: Sequence[int]) -> list[int]:
    """Return the records that have no dead letter; those wait for an administrator, or for the daily retry."""
    dead = OutboxEntry.objects.filter(record_id__in=records, state=EntryState.DEAD, desired=True)
    return sorted(set(records) - set(dead.values_list("record_id", flat=True)))


@act
def lease(
    holder: UUID,
    *,
    desired: bool,
    limit: int,
    until: dt.datetime,
    often_failed: bool | None = None,
    skipped: Iterable[str] = (),
    parent: str = "",
) -> list[OutboxEntry]:
    """Lease entries that were due at `until`, sorted in the order in which the CRM locks rows.

    Entries that the state here no longer calls for are marked superseded and left out. `often_failed` selects only the
    entries with several failed attempts (True), only the others (False), or both (None). `skipped` are the objects of
    the CRM that cannot be written now; `parent` is the object on which the opt-out of a person account is written.
    """
    lock()
    values: dict[str, Any] = {
        "lease": holder,
        "desired": desired,
        "limit": limit,
        "until": until,
        "often_failed": often_failed,
        "seconds": LEASE_SECONDS,
        "skipped": list(skipped),
        "parent": parent,
    }
    with connection.cursor() as cursor:
        cursor.execute(LEASE, values)
        cursor.execute(OVERTAKE, values)
    # prefetch_related, not select_related: with stale statistics PostgreSQL may scan all records for each entry.
    return sorted(
        OutboxEntry.objects.filter(lease=holder, state=EntryState.LEASED).prefetch_related("record"), key=_place
    )


def _place(entry: OutboxEntry) -> tuple[str, bool, str, str]:
    record = entry.record
    return record.sobject, record.person_account, record.account_id, record.sf_id


@act
def put_back(entries: Q, *, seconds: float = 0, code: str = "", message: str = "", counted: bool = False) -> None:
    """Release leased entries, due again in `seconds`; one for which a newer entry waits already is superseded.

    `counted` counts the attempt, for failures that are the record's own.
    """
    lock()
    leased = OutboxEntry.objects.filter(entries, state=EntryState.LEASED)
    newer = OutboxEntry.objects.filter(record_id=OuterRef("record_id"), state__in=WAITING).values("pk")[:1]
    overtaken = leased.alias(newer=Subquery(newer)).filter(newer__isnull=False)
    overtaken.update(state=EntryState.SUPERSEDED, finished_at=Now(), lease=None)
    changes: dict[str, object] = {"code": code, "message": message} if code else {}
    if counted:
        changes["attempts"] = F("attempts") + 1
    leased.update(state=EntryState.RETRY, due_at=Now() + dt.timedelta(seconds=seconds), lease=None, **changes)


def database_now() -> dt.datetime:
    """Return the database's clock, by which entries are due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def next_due() -> float | None:
    """Return in how many seconds the next waiting entry is due; None when there is none."""
    waiting = OutboxEntry.objects.filter(state__in=WAITING)
    row = waiting.aggregate(wait=Min("due_at") - Now())
    return row["wait"].total_seconds() if row["wait"] is not None else None


def reclaim() -> None:
    """Release expired leases of killed workers; entries that are leased to a bulk job stay with it."""
    over = Q(leased_until__lt=Now()) | Q(leased_until=None)
    put_back(over & ~Q(lease__in=list(SyncJob.objects.values_list("lease", flat=True))))


def in_flight(records: Sequence[int]) -> set[int]:
    """Return the records that are being opted out in the CRM at this moment, or may have been already."""
    leased = OutboxEntry.objects.filter(record_id__in=records, state=EntryState.LEASED, desired=True)
    return set(leased.values_list("record_id", flat=True))


def fulfil(ticked: Sequence[str], our_user: str) -> None:
    """Mark opt-out entries done for records whose box a read has just shown as ticked."""
    with connection.cursor() as cursor:
        cursor.execute(FULFILLED, {"ticked": list(ticked)})
        found = cursor.fetchall()
    if not found:
        return
    entries = OutboxEntry.objects.filter(pk__in=[entry for entry, *_ in found])
    entries.update(state=EntryState.DONE, finished_at=Now(), lease=None, code="", message="")
    ours = [record for _, was, record, _, by in found if was == EntryState.LEASED and by == our_user]
    ticking.note_written(ours, value=True)
    sync_errors.resolve([sf_id for _, _, _, sf_id, _ in found])


def make_retries_due() -> None:
    """Make all entries that wait for a retry due at once."""
    OutboxEntry.objects.filter(state=EntryState.RETRY).update(due_at=Now())


def is_opted_out_here(record_id: int) -> bool:
    """Tell whether the person of a record is opted out here for a reason that the CRM has to know; a bounce is none."""
    with connection.cursor() as cursor:
        cursor.execute(fill(SAYS_NO, opted_out_here=OPTED_OUT_HERE), [record_id])
        return cursor.fetchone() == (True,)


def forget_reasserts(records: Sequence[int]) -> None:
    """Reset the counters of how often the boxes of these records were ticked again."""
    SyncRecord.objects.filter(pk__in=records, reasserts__gt=0).update(reasserts=0, reasserted_since=None)

"""The outbox: from what people said to what each record is to hold.

1. The opt-out's own transaction leaves a notice (a trigger does it, so no way in can forget it). 2. `collect` finds the
records that notices concern and leaves entries, decided from the state that stands then. 3. A push leases entries,
decides again, writes, and settles them. All that reads links and writes entries takes one lock for the length of its
short transaction: a record that a pull is just linking is never missed. Nothing talks to the CRM under it.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Min, OuterRef, Q, Subquery
from django.db.models.functions import Now

from contacts.models import Contact
from salesconnect.lib.database.sql import fill, statement
from salesconnect.lib.database.transactions import act
from unsubscribes.crm import providers
from unsubscribes.crm.models import OutboxEntry, SyncJob, SyncNotice, SyncRecord
from unsubscribes.crm.outbox import sync_errors, ticking

EntryState = OutboxEntry.State
WAITING = (EntryState.PENDING, EntryState.RETRY)
CHUNK = 5_000
LEASE_SECONDS = 60
# How often in a day a box is ticked again that the CRM's automation keeps clearing.
MAX_REASSERTS = 3
# After so many tries a record is written with few others, so that it keeps the rest from nothing.
OFTEN_FAILED = 3
KEEPS_CLEARING = "AUTOMATION_KEEPS_CLEARING"
CLEARED_TOO_OFTEN = f"(r.reasserts >= {MAX_REASSERTS} AND r.reasserted_since > now() - interval '1 day')"

OPTED_OUT_HERE = statement(__file__, "opted_out_here")
STAYS = statement(__file__, "stays_ticked", opted_out_here=OPTED_OUT_HERE)
# Ids that came in by hand or by a file are records before the CRM was ever read.
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
# What a read shows as done is done, whoever did it.
FULFILLED = """
    SELECT w.id, w.state, r.id, r.sf_id, r.modified_by FROM unsubscribes_syncrecord r
    CROSS JOIN LATERAL (SELECT id, state, desired FROM unsubscribes_outboxentry WHERE record_id = r.id OFFSET 0) w
    WHERE r.sf_id = ANY(%(ticked)s) AND r.opted_out AND w.desired AND w.state IN ('pending', 'retry', 'leased')
"""
SAYS_NO = "SELECT {opted_out_here} FROM unsubscribes_syncrecord r WHERE r.id = %s"
OVERTAKE = statement(__file__, "overtake", opted_out_here=OPTED_OUT_HERE)


def lock() -> None:
    """Take the lock of links and entries until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('salesconnect.salesforce'))")


def collect() -> None:
    """Turn every notice into entries."""
    while SyncNotice.objects.exists() and _collect_chunk():
        pass


@act
def _collect_chunk() -> bool:
    lock()
    taken = list(SyncNotice.objects.select_for_update(skip_locked=True).order_by("pk")[:CHUNK])
    people = sorted({notice.contact_id for notice in taken if notice.contact_id})
    hashes = [notice.address_hash for notice in taken if notice.address_hash]
    register_known_ids(people)
    records = affected_records(people, hashes)
    _hear(records)
    enqueue(records, True)
    for notice in taken:
        if notice.yes:
            _hear_yes(affected_records([notice.contact_id] if notice.contact_id else [], []), notice.at)
    SyncNotice.objects.filter(pk__in=[notice.pk for notice in taken]).delete()
    return bool(taken)


def _hear(records: Sequence[int]) -> None:
    """Let what a person said last end what was given up or counted because of what was said before."""
    forget_reasserts(records)
    with connection.cursor() as cursor:
        cursor.execute(SUPERSEDE_OPPOSITE, {"records": list(records)})
        sync_errors.resolve([row[0] for row in cursor])


def _hear_yes(records: Sequence[int], said_at: dt.datetime) -> None:
    """Enqueue clearing the boxes of a person who consented anew, and mark those that somebody else keeps ticked."""
    enqueue(records, False, said_at=said_at)
    with connection.cursor() as cursor:
        cursor.execute(STAYS, {"records": list(records)})


def register_known_ids(people: Sequence[int]) -> None:
    """Create the records whose ids these people have, where the CRM's ids tell what kind of record they are."""
    crm = providers.current()
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
    """Leave entries for those of the records where the state here calls for `desired`; return how many are new.

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
    """Keep the records without a dead letter: those wait for somebody, or for the next day."""
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
    # Not joined in the database, which may read all records for each entry.
    return sorted(
        OutboxEntry.objects.filter(lease=holder, state=EntryState.LEASED).prefetch_related("record"), key=_place
    )


def _place(entry: OutboxEntry) -> tuple[str, bool, str, str]:
    record = entry.record
    return record.sobject, record.person_account, record.account_id, record.sf_id


@act
def put_back(entries: Q, *, seconds: float = 0, code: str = "", message: str = "", counted: bool = False) -> None:
    """Let leased entries wait again, due in `seconds`; where a newer one waits already, that one stands.

    `counted` says that the try was the record's own fault.
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
    """Return the database's time, by which entries are due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def next_due() -> float | None:
    """Return in how many seconds the next entry that waits is due; None when none waits."""
    waiting = OutboxEntry.objects.filter(state__in=WAITING)
    row = waiting.aggregate(wait=Min("due_at") - Now())
    return row["wait"].total_seconds() if row["wait"] is not None else None


def reclaim() -> None:
    """Take back what a killed worker had leased; what is leased to a job of the CRM's stays with it."""
    over = Q(leased_until__lt=Now()) | Q(leased_until=None)
    put_back(over & ~Q(lease__in=list(SyncJob.objects.values_list("lease", flat=True))))


def in_flight(records: Sequence[int]) -> set[int]:
    """Return which of the records are being opted out there at this moment, or may be already."""
    leased = OutboxEntry.objects.filter(record_id__in=records, state=EntryState.LEASED, desired=True)
    return set(leased.values_list("record_id", flat=True))


def fulfil(ticked: Sequence[str], our_user: str) -> None:
    """Settle the entries about records of which a read has just shown that the box is ticked."""
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
    """Make all that waits for another try due at once."""
    OutboxEntry.objects.filter(state=EntryState.RETRY).update(due_at=Now())


def is_opted_out_here(record_id: int) -> bool:
    """Tell whether the person of a record is opted out here, for a reason that the CRM has to hear."""
    with connection.cursor() as cursor:
        cursor.execute(fill(SAYS_NO, opted_out_here=OPTED_OUT_HERE), [record_id])
        return cursor.fetchone() == (True,)


def forget_reasserts(records: Sequence[int]) -> None:
    """Begin to count anew how often the box of these records was cleared."""
    SyncRecord.objects.filter(pk__in=records, reasserts__gt=0).update(reasserts=0, reasserted_since=None)

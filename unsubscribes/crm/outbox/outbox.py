"""The outbox: from what people said to what each record is to hold.

1. The opt-out's own transaction leaves a notice (a trigger does it, so no way in can forget it). 2. `collect` finds the
records that notices concern and leaves wishes, decided from the state that stands then. 3. A push leases wishes,
decides again, writes, and settles them. All that reads links and writes wishes takes one lock for the length of its
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
from salesconnect.lib.transactions import act
from unsubscribes.crm import providers
from unsubscribes.crm.models import SyncJob, SyncNotice, SyncRecord, SyncWish
from unsubscribes.crm.outbox import ticking, troubles

State = SyncWish.State
WAITING = (State.PENDING, State.RETRY)
CHUNK = 5_000
LEASE_SECONDS = 60
# How often in a day a box is ticked again that the CRM's automation keeps clearing.
REASSERTS = 3
# After so many tries a record is written with few others, so that it keeps the rest from nothing.
STUBBORN = 3
KEEPS_CLEARING = "AUTOMATION_KEEPS_CLEARING"
WORN = f"(r.reasserts >= {REASSERTS} AND r.reasserted_since > now() - interval '1 day')"

# Whether the person of a record `r` is opted out here for a reason that the CRM has to hear: a bounce is none.
# `OFFSET 0` keeps PostgreSQL to one look per record into an index each: where its statistics do not know yet how many
# people are opted out, it would begin with all of them, for each record anew.
LOCAL_NO = """(
    EXISTS (
        SELECT FROM (SELECT source FROM compliance_suppression WHERE address_hash = r.address_hash OFFSET 0) s
        WHERE s.source <> 'bounce'
    ) OR EXISTS (
        SELECT FROM (
            SELECT r.contact_id AS id
            UNION ALL SELECT id FROM contacts_contact WHERE address_hash = r.address_hash
            UNION ALL SELECT id FROM contacts_contact WHERE salesforce_id = r.sf_id AND salesforce_id <> ''
            OFFSET 0
        ) holder
        CROSS JOIN LATERAL (
            SELECT unsubscribed FROM compliance_compliancecard WHERE contact_id = holder.id OFFSET 0
        ) card
        CROSS JOIN LATERAL (SELECT address_hash FROM contacts_contact WHERE id = holder.id OFFSET 0) c
        LEFT JOIN LATERAL (
            SELECT source FROM compliance_suppression WHERE address_hash = c.address_hash OFFSET 0
        ) s ON true
        WHERE card.unsubscribed AND s.source IS DISTINCT FROM 'bounce'
    )
)"""
# Boxes that stay ticked after a new consent of a person, because the record's own address says "no".
STAYS = f"""
    UPDATE unsubscribes_syncrecord r SET ticked_for_other = true
    WHERE r.id = ANY(%(records)s) AND r.opted_out AND {LOCAL_NO}
"""
# Ids that came in by hand or by a file are records before the CRM was ever read.
KNOW = """
    INSERT INTO unsubscribes_syncrecord
        (sf_id, sobject, contact_id, account_id, modified_by, deleted, successor_id, reasserts)
    SELECT DISTINCT ON (sf_id) sf_id, sobject, contact_id, '', '', false, '', 0
    FROM unnest(%(ids)s::text[], %(sobjects)s::text[], %(people)s::bigint[]) AS named (sf_id, sobject, contact_id)
    ORDER BY sf_id, contact_id ON CONFLICT (sf_id) DO NOTHING
"""
# A merged or converted record's word goes to where it lives on, over as many hops as there are; a circle ends.
CONCERNED = """
    WITH RECURSIVE named AS (
        SELECT id, sf_id, successor_id FROM unsubscribes_syncrecord WHERE contact_id = ANY(%(people)s)
        UNION SELECT id, sf_id, successor_id FROM unsubscribes_syncrecord WHERE address_hash = ANY(%(hashes)s)
        UNION SELECT r.* FROM contacts_contact c CROSS JOIN LATERAL (
            SELECT id, sf_id, successor_id FROM unsubscribes_syncrecord WHERE address_hash = c.address_hash OFFSET 0
        ) r WHERE c.id = ANY(%(people)s)
        UNION SELECT r.* FROM contacts_contact c CROSS JOIN LATERAL (
            SELECT id, sf_id, successor_id FROM unsubscribes_syncrecord WHERE sf_id = c.salesforce_id OFFSET 0
        ) r WHERE c.id = ANY(%(people)s) AND c.salesforce_id <> ''
    ), found AS (
        SELECT * FROM named
        UNION SELECT r.* FROM found CROSS JOIN LATERAL (
            SELECT id, sf_id, successor_id FROM unsubscribes_syncrecord WHERE sf_id = found.successor_id OFFSET 0
        ) r WHERE found.successor_id <> ''
    )
    SELECT id FROM found WHERE successor_id = ''
"""
# 1. Who is opted out here: true, where it is not known to stand there already. 2. Who has given a new consent: false,
# where the opt-out was written or seen. A wish that waits is overwritten, one that is being written stays, and another
# one of the same kind is not left beside it.
WISH = f"""
    INSERT INTO unsubscribes_syncwish AS w
        (record_id, desired, state, attempts, due_at, known_stamp, clock_ahead, code, message, created_at)
    SELECT r.id, %(desired)s, 'pending', 0, now(), CASE WHEN %(desired)s THEN NULL ELSE r.stamp END,
           (SELECT clock_ahead FROM unsubscribes_syncconnection), '', '', coalesce(%(said_at)s, now())
    FROM unsubscribes_syncrecord r
    WHERE r.id = ANY(%(records)s) AND NOT r.deleted AND r.successor_id = ''
    AND {LOCAL_NO} = %(desired)s
    AND NOT (%(desired)s AND {WORN})
    AND (r.opted_out IS DISTINCT FROM %(desired)s OR NOT %(desired)s AND r.pushed OR EXISTS (
        SELECT FROM unsubscribes_syncwish o WHERE o.record_id = r.id AND o.state IN ('pending', 'retry', 'leased')
        AND o.desired <> %(desired)s
    ))
    AND (%(desired)s OR r.opted_out OR r.pushed OR EXISTS (
        SELECT FROM unsubscribes_syncwish o WHERE o.record_id = r.id AND o.state IN ('pending', 'retry', 'leased')
    ))
    AND (SELECT true FROM (SELECT state, desired FROM unsubscribes_syncwish WHERE record_id = r.id OFFSET 0) o
         WHERE o.state = 'leased' AND o.desired = %(desired)s LIMIT 1) IS NULL
    ORDER BY r.id
    ON CONFLICT (record_id) WHERE state IN ('pending', 'retry') DO UPDATE
    SET desired = EXCLUDED.desired, state = 'pending', attempts = 0, due_at = now(),
        known_stamp = EXCLUDED.known_stamp, clock_ahead = EXCLUDED.clock_ahead, created_at = EXCLUDED.created_at
    WHERE w.desired <> EXCLUDED.desired
"""
# What waits is withdrawn where the opposite, for which the state here calls again, is being written already.
WITHDRAW = f"""
    WITH doubled AS (
        SELECT r.id FROM unsubscribes_syncrecord r CROSS JOIN LATERAL (
            SELECT bool_or(state = 'leased' AND desired = %(desired)s) AS same,
                   bool_or(state IN ('pending', 'retry') AND desired <> %(desired)s) AS opposite
            FROM (SELECT state, desired FROM unsubscribes_syncwish WHERE record_id = r.id OFFSET 0) w
        ) open
        WHERE r.id = ANY(%(records)s) AND open.same AND open.opposite AND {LOCAL_NO} = %(desired)s
    )
    UPDATE unsubscribes_syncwish SET state = 'superseded', finished_at = now()
    WHERE record_id = ANY(ARRAY(SELECT id FROM doubled))
    AND state IN ('pending', 'retry') AND desired <> %(desired)s
"""
# What is not wished, because the box is cleared again and again, is left to an administrator: never without a word.
LEFT_ALONE = f"""
    INSERT INTO unsubscribes_syncwish (record_id, desired, state, attempts, code, message, finished_at)
    SELECT r.id, true, 'dead', 0, '{KEEPS_CLEARING}', r.modified_by, now() FROM unsubscribes_syncrecord r
    WHERE r.id = ANY(%(records)s) AND NOT r.deleted AND r.successor_id = ''
    AND {WORN} AND r.opted_out IS DISTINCT FROM true AND {LOCAL_NO}
    AND (SELECT true FROM (
        SELECT state, desired, code FROM unsubscribes_syncwish WHERE record_id = r.id OFFSET 0
    ) o WHERE o.desired AND (
        o.state IN ('pending', 'retry', 'leased') OR o.state = 'dead' AND o.code = '{KEEPS_CLEARING}') LIMIT 1) IS NULL
    ORDER BY r.id RETURNING record_id
"""
# A wish that was given up is void once the person has said the opposite.
VOID = f"""
    WITH void AS MATERIALIZED (
        SELECT w.id, r.sf_id FROM unsubscribes_syncrecord r CROSS JOIN LATERAL (
            SELECT id, state, desired FROM unsubscribes_syncwish WHERE record_id = r.id OFFSET 0
        ) w WHERE r.id = ANY(%(records)s) AND w.state = 'dead' AND w.desired <> {LOCAL_NO}
    ), ended AS (
        UPDATE unsubscribes_syncwish SET state = 'superseded', finished_at = now()
        WHERE id = ANY(ARRAY(SELECT id FROM void))
    ) SELECT sf_id FROM void
"""
# Of a record that is being written, nothing else is written at the same time. An array is made once; of a list, a plan
# made without statistics would ask anew for each row.
LEASE = f"""
    UPDATE unsubscribes_syncwish SET state = 'leased', lease = %(lease)s,
        leased_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE id = ANY(ARRAY(
        SELECT w.id FROM unsubscribes_syncwish w CROSS JOIN LATERAL (
            SELECT person_account, sobject FROM unsubscribes_syncrecord WHERE id = w.record_id OFFSET 0
        ) r
        WHERE w.state IN ('pending', 'retry') AND w.due_at <= %(until)s AND w.desired = %(desired)s
        AND (w.attempts >= {STUBBORN}) IS NOT DISTINCT FROM coalesce(%(stubborn)s, w.attempts >= {STUBBORN})
        AND CASE WHEN r.person_account THEN %(parent)s ELSE r.sobject END <> ALL(%(skipped)s)
        AND (SELECT true FROM (SELECT state FROM unsubscribes_syncwish WHERE record_id = w.record_id OFFSET 0) o
             WHERE o.state = 'leased' LIMIT 1) IS NULL
        ORDER BY w.due_at, w.id LIMIT %(limit)s FOR UPDATE OF w SKIP LOCKED
    ))
"""
# What a read shows as done is done, whoever did it.
FULFILLED = """
    SELECT w.id, w.state, r.id, r.sf_id, r.modified_by FROM unsubscribes_syncrecord r
    CROSS JOIN LATERAL (SELECT id, state, desired FROM unsubscribes_syncwish WHERE record_id = r.id OFFSET 0) w
    WHERE r.sf_id = ANY(%(ticked)s) AND r.opted_out AND w.desired AND w.state IN ('pending', 'retry', 'leased')
"""
# What was leased and is not what the state here asks for any more, is overtaken.
OVERTAKE = f"""
    UPDATE unsubscribes_syncwish SET state = 'superseded', finished_at = now(), lease = NULL
    WHERE id = ANY(ARRAY(
        SELECT w.id FROM unsubscribes_syncwish w
        CROSS JOIN LATERAL (SELECT * FROM unsubscribes_syncrecord WHERE id = w.record_id OFFSET 0) r
        WHERE w.lease = %(lease)s AND (r.deleted OR r.successor_id <> '' OR {LOCAL_NO} <> w.desired)
    ))
"""


def lock() -> None:
    """Take the lock of links and wishes until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('salesconnect.salesforce'))")


def collect() -> None:
    """Turn every notice into wishes."""
    while SyncNotice.objects.exists() and _collect_chunk():
        pass


@act
def _collect_chunk() -> bool:
    lock()
    taken = list(SyncNotice.objects.select_for_update(skip_locked=True).order_by("pk")[:CHUNK])
    people = sorted({notice.contact_id for notice in taken if notice.contact_id})
    hashes = [notice.address_hash for notice in taken if notice.address_hash]
    know(people)
    records = concerned(people, hashes)
    _hear(records)
    wish(records, True)
    for notice in taken:
        if notice.yes:
            _hear_yes(concerned([notice.contact_id] if notice.contact_id else [], []), notice.at)
    SyncNotice.objects.filter(pk__in=[notice.pk for notice in taken]).delete()
    return bool(taken)


def _hear(records: Sequence[int]) -> None:
    """Let what a person said last end what was given up or counted because of what was said before."""
    forget_reasserts(records)
    with connection.cursor() as cursor:
        cursor.execute(VOID, {"records": list(records)})
        troubles.resolve([row[0] for row in cursor])


def _hear_yes(records: Sequence[int], said_at: dt.datetime) -> None:
    """Wish the boxes of a person clear who consented anew; those that others keep ticked tell nothing of the person."""
    wish(records, False, said_at=said_at)
    with connection.cursor() as cursor:
        cursor.execute(STAYS, {"records": list(records)})


def know(people: Sequence[int]) -> None:
    """Create the records whose ids these people have, where the CRM's ids tell what kind of record they are."""
    crm = providers.current()
    named = Contact.objects.filter(pk__in=people).exclude(salesforce_id="").values_list("salesforce_id", "pk")
    found = [(sf_id, sobject, pk) for sf_id, pk in named if (sobject := crm.sobject_of(sf_id))]
    if found:
        ids, sobjects, owners = (list(column) for column in zip(*found, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(KNOW, {"ids": ids, "sobjects": sobjects, "people": owners})


def concerned(people: Sequence[int], hashes: Sequence[UUID] = ()) -> list[int]:
    """Return the records of these people and addresses."""
    with connection.cursor() as cursor:
        cursor.execute(CONCERNED, {"people": list(people), "hashes": list(hashes)})
        return [row[0] for row in cursor]


def wish(records: Sequence[int], desired: bool, *, said_at: dt.datetime | None = None) -> int:
    """Leave wishes for those of the records where the state here calls for `desired`; return how many are new.

    A record whose box is cleared again and again gets a dead letter instead.
    """
    if not records:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(WISH, {"records": list(records), "desired": desired, "said_at": said_at})
        number = cursor.rowcount
        cursor.execute(WITHDRAW, {"records": list(records), "desired": desired})
        if desired:
            cursor.execute(LEFT_ALONE, {"records": list(records)})
            alone = [row[0] for row in cursor]
            for record in SyncRecord.objects.filter(pk__in=alone):
                troubles.note(record, "push", KEEPS_CLEARING, record.modified_by, dead=True)
    return number


def not_given_up(records: Sequence[int]) -> list[int]:
    """Keep the records without a dead letter: those wait for somebody, or for the next day."""
    dead = SyncWish.objects.filter(record_id__in=records, state=State.DEAD, desired=True)
    return sorted(set(records) - set(dead.values_list("record_id", flat=True)))


@act
def lease(
    holder: UUID,
    *,
    desired: bool,
    limit: int,
    until: dt.datetime,
    stubborn: bool | None = None,
    skipped: Iterable[str] = (),
    parent: str = "",
) -> list[SyncWish]:
    """Take wishes that were due at `until`, in the order in which the CRM locks rows.

    Those overtaken meanwhile are left out. `stubborn` takes only the wishes that failed a few times already, or only
    the others. `skipped` are the objects of the CRM that cannot be written now, and `parent` is the one
    above a person's record.
    """
    lock()
    values: dict[str, Any] = {
        "lease": holder,
        "desired": desired,
        "limit": limit,
        "until": until,
        "stubborn": stubborn,
        "seconds": LEASE_SECONDS,
        "skipped": list(skipped),
        "parent": parent,
    }
    with connection.cursor() as cursor:
        cursor.execute(LEASE, values)
        cursor.execute(OVERTAKE, values)
    # Not joined in the database, which may read all records for each wish.
    return sorted(SyncWish.objects.filter(lease=holder, state=State.LEASED).prefetch_related("record"), key=_place)


def _place(wish: SyncWish) -> tuple[str, bool, str, str]:
    record = wish.record
    return record.sobject, record.person_account, record.account_id, record.sf_id


@act
def put_back(wishes: Q, *, seconds: float = 0, code: str = "", message: str = "", counted: bool = False) -> None:
    """Let leased wishes wait again, due in `seconds`; where a newer one waits already, that one stands.

    `counted` says that the try was the record's own fault.
    """
    lock()
    leased = SyncWish.objects.filter(wishes, state=State.LEASED)
    newer = SyncWish.objects.filter(record_id=OuterRef("record_id"), state__in=WAITING).values("pk")[:1]
    overtaken = leased.alias(newer=Subquery(newer)).filter(newer__isnull=False)
    overtaken.update(state=State.SUPERSEDED, finished_at=Now(), lease=None)
    changes: dict[str, object] = {"code": code, "message": message} if code else {}
    if counted:
        changes["attempts"] = F("attempts") + 1
    leased.update(state=State.RETRY, due_at=Now() + dt.timedelta(seconds=seconds), lease=None, **changes)


def clock() -> dt.datetime:
    """Return the database's time, by which wishes are due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def next_due() -> float | None:
    """Return in how many seconds the next wish that waits is due; None when none waits."""
    waiting = SyncWish.objects.filter(state__in=WAITING)
    row = waiting.aggregate(wait=Min("due_at") - Now())
    return row["wait"].total_seconds() if row["wait"] is not None else None


def reclaim() -> None:
    """Take back what a killed worker had leased; what is leased to a job of the CRM's stays with it."""
    over = Q(leased_until__lt=Now()) | Q(leased_until=None)
    put_back(over & ~Q(lease__in=list(SyncJob.objects.values_list("lease", flat=True))))


def in_flight(records: Sequence[int]) -> set[int]:
    """Return which of the records are being opted out there at this moment, or may be already."""
    leased = SyncWish.objects.filter(record_id__in=records, state=State.LEASED, desired=True)
    return set(leased.values_list("record_id", flat=True))


def fulfil(ticked: Sequence[str], our_user: str) -> None:
    """Settle the wishes about records of which a read has just shown that the box is ticked."""
    with connection.cursor() as cursor:
        cursor.execute(FULFILLED, {"ticked": list(ticked)})
        found = cursor.fetchall()
    if not found:
        return
    wishes = SyncWish.objects.filter(pk__in=[wish for wish, *_ in found])
    wishes.update(state=State.DONE, finished_at=Now(), lease=None, code="", message="")
    ours = [record for _, was, record, _, by in found if was == State.LEASED and by == our_user]
    ticking.note_written(ours, value=True)
    troubles.resolve([sf_id for _, _, _, sf_id, _ in found])


def hurry() -> None:
    """Make all that waits for another try due at once."""
    SyncWish.objects.filter(state=State.RETRY).update(due_at=Now())


def says_no(record_id: int) -> bool:
    """Tell whether the person of a record is opted out here, for a reason that the CRM has to hear."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {LOCAL_NO} FROM unsubscribes_syncrecord r WHERE r.id = %s", [record_id])
        return cursor.fetchone() == (True,)


def forget_reasserts(records: Sequence[int]) -> None:
    """Begin to count anew how often the box of these records was cleared."""
    SyncRecord.objects.filter(pk__in=records, reasserts__gt=0).update(reasserts=0, reasserted_since=None)

"""Records in the CRM of people who are erased here: their opt-out is still written, and somebody has to erase them.

The product never deletes in the CRM, because only its owners know who else relies on a record. It leaves a task, which
ends when the CRM reports the record as deleted or a user marks it as done (GDPR art. 19).
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from contacts.models import Contact
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill, statement
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Missing
from unsubscribes.crm import provider_registry
from unsubscribes.crm.models import SyncRecord
from unsubscribes.crm.outbox import outbox

# A record that was linked by the person's CRM ID alone gets the hash of the suppressed address, so that the opt-out
# still reaches it once the person is gone.
MARK = """
    UPDATE unsubscribes_syncrecord r SET erased_at = now(), contact_id = NULL, named_on = NULL,
        address_hash = coalesce(r.address_hash, (
            SELECT person.address_hash FROM (
                SELECT r.contact_id AS id
                UNION ALL SELECT id FROM contacts_contact WHERE salesforce_id = r.sf_id AND salesforce_id <> ''
                OFFSET 0
            ) holder
            CROSS JOIN LATERAL (SELECT id, address_hash FROM contacts_contact WHERE id = holder.id OFFSET 0) person
            CROSS JOIN LATERAL (
                SELECT true FROM compliance_suppression WHERE address_hash = person.address_hash OFFSET 0
            ) suppressed
            WHERE person.id = ANY(%(people)s) ORDER BY person.id LIMIT 1
        ))
    WHERE r.id = ANY(%(records)s) AND NOT r.deleted AND r.successor_id = ''
"""
OWN = """
    SELECT id FROM unsubscribes_syncrecord WHERE contact_id = ANY(%(people)s) AND (deleted OR successor_id <> '')
    UNION SELECT r.id FROM contacts_contact c CROSS JOIN LATERAL (
        SELECT id, deleted, successor_id FROM unsubscribes_syncrecord WHERE address_hash = c.address_hash OFFSET 0
    ) r WHERE c.id = ANY(%(people)s) AND (r.deleted OR r.successor_id <> '')
"""
UNLINK = "UPDATE unsubscribes_syncrecord SET contact_id = NULL, named_on = NULL WHERE id = ANY(%(records)s)"
GONE = "(deleted OR successor_id <> '')"
OF_PEOPLE = f"{GONE} AND id = ANY(%(records)s)"
OLD = statement(__file__, "erased_long_ago")
FORGET_RECORDS_OF_PEOPLE = statement(__file__, "forget_records", which=OF_PEOPLE)
FORGET_OLD_RECORDS = statement(__file__, "forget_records", which=OLD)
# The hash is removed where neither a suppression nor an erased address needs it.
FORGET_ADDRESS = """
    UPDATE unsubscribes_syncrecord r SET address_hash = NULL
    WHERE {which} AND r.erased_at IS NOT NULL AND r.contact_id IS NULL AND r.address_hash IS NOT NULL
    AND (SELECT true FROM compliance_suppression s WHERE s.address_hash = r.address_hash LIMIT 1) IS NULL
    AND (SELECT true FROM compliance_erasedaddress e WHERE e.address_hash = r.address_hash LIMIT 1) IS NULL
"""
WAITING = Q(erased_at__isnull=False, erased_there_at=None, deleted=False, contact_id=None, successor_id="")


def lock_sync() -> None:
    """Take the lock of the sync before any card, in the order of the sync: `mark` runs when the cards are locked."""
    outbox.lock()


@act
def mark(people: Sequence[int]) -> int:
    """Leave a task for each record of people who are being erased, and enqueue their opt-outs; returns how many tasks.

    Records that are already deleted in the CRM are forgotten, and so are hashes that nothing needs.
    """
    outbox.lock()
    with connection.cursor() as cursor:
        cursor.execute(OWN, {"people": list(people)})
        gone = [row[0] for row in cursor]
        if not (gone or records_of(people)):
            return 0
        outbox.register_known_ids(people)
        records = outbox.affected_records(people)
        cursor.execute(MARK, {"people": list(people), "records": records})
        marked = cursor.rowcount
        cursor.execute(UNLINK, {"records": gone})
        cursor.execute(FORGET_RECORDS_OF_PEOPLE, {"records": gone})
        cursor.execute(fill(FORGET_ADDRESS, which="r.id = ANY(%(records)s)"), {"records": records})
    outbox.enqueue(records, True)
    return marked


@act
def forget(before: dt.datetime) -> int:
    """Forget records of erased people: those deleted in the CRM, and all erased `before` a moment. Returns how many."""
    outbox.lock()
    with connection.cursor() as cursor:
        cursor.execute(FORGET_OLD_RECORDS, {"before": before})
        forgotten: int = cursor.fetchone()[0]
        cursor.execute(fill(FORGET_ADDRESS, which="true"))
    return forgotten


def records_of(people: Sequence[int]) -> set[str]:
    """Return the CRM IDs of these people's records."""
    known = SyncRecord.objects.filter(pk__in=outbox.affected_records(people), deleted=False)
    named = Contact.objects.among(people).exclude(salesforce_id="").values_list("salesforce_id", flat=True)
    crm = provider_registry.current()
    return {*known.values_list("sf_id", flat=True), *(each for each in named if crm.sobject_of(each))}


def erased_among(sf_ids: Iterable[str]) -> set[str]:
    return set(
        SyncRecord.objects.filter(sf_id__in=list(sf_ids), erased_at__isnull=False).values_list("sf_id", flat=True)
    )


def tasks() -> QuerySet[SyncRecord]:
    """Return the records of erased people, done or not."""
    return SyncRecord.objects.filter(erased_at__isnull=False, contact_id=None)


def waiting() -> QuerySet[SyncRecord]:
    """Return the records that somebody has to erase in the CRM."""
    return SyncRecord.objects.filter(WAITING)


@act
def settle(record_id: int, *, actor: Actor) -> SyncRecord:
    """Mark a record as erased in the CRM; one that is marked already stays so. Raises `Forbidden` and `Missing`."""
    actor.require("handle_requests")
    record = tasks().select_for_update().filter(pk=record_id).first()
    if record is None:
        raise Missing
    if record.erased_there_at is None:
        tasks().filter(pk=record_id).update(erased_there_at=Now(), erased_there_by=actor.name)
        record.refresh_from_db()
    return record

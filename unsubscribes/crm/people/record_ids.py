"""Writes the CRM ID of a linked record on its person, so that users can find the record.

Of several records a Contact comes before a Lead, then the oldest: Salesforce assigns ids in the order of creation. An
ID that was typed or imported is never changed. One that the sync wrote is replaced when a better record is linked, or
when its record is gone.
"""

from collections.abc import Iterable, Mapping, Sequence

from django.db import connection, transaction
from django.db.models import F, Q
from psycopg2.extras import Json

from compliance.card.card_changes import lock
from contacts.events import history
from contacts.models import Contact
from salesconnect.lib.actor import Actor, system
from salesconnect.lib.database.sql import statement
from unsubscribes.crm import provider_registry
from unsubscribes.crm.models import SyncRecord
from unsubscribes.crm.outbox import outbox

CHUNK = 5_000
GONE = Q(deleted=True) | ~Q(successor_id="")
WRONG = """
    SELECT c.id, c.salesforce_id, coalesce(best.sf_id, '') FROM contacts_contact c
    LEFT JOIN LATERAL (
        SELECT sf_id FROM unsubscribes_syncrecord
        WHERE contact_id = c.id AND NOT deleted AND successor_id = '' AND stamp IS NOT NULL
        ORDER BY sobject, sf_id LIMIT 1
    ) best ON true
    LEFT JOIN LATERAL (
        SELECT true AS ours FROM unsubscribes_syncrecord
        WHERE c.salesforce_id <> '' AND sf_id = c.salesforce_id AND named_on = c.id OFFSET 0
    ) own ON true
    WHERE c.id = ANY(%(people)s) AND (c.salesforce_id = '' OR own.ours)
    AND c.salesforce_id <> coalesce(best.sf_id, '')
"""
# No joins with records or people: the wanted ids are passed as one JSON object, in which each row is looked up. For a
# join, PostgreSQL may take a table without statistics for empty and choose a nested loop over both sides.
NAMED = """
    SELECT c.id, r.sf_id, '' FROM unsubscribes_syncrecord r CROSS JOIN LATERAL (
        SELECT id FROM contacts_contact WHERE salesforce_id = r.sf_id AND salesforce_id <> '' OFFSET 0
    ) c WHERE r.id = ANY(%(records)s) AND c.id = r.named_on
"""
WRITE = statement(__file__, "write_ids")
BROUGHT_IN = """
    UPDATE unsubscribes_syncrecord r SET named_on = coalesce((
        SELECT max(id) FROM (
            SELECT id FROM contacts_contact WHERE salesforce_id = r.sf_id AND salesforce_id <> '' OFFSET 0
        ) c
    ), named_on) WHERE r.sf_id = ANY(%s)
"""
Names = Sequence[tuple[int, str, str]]


def wrong(people: Iterable[int]) -> Names:
    """Return the people whose ID should change: their number, the present ID, the right one."""
    among = sorted(set(people))
    return _found(WRONG, {"people": among}) if among and provider_registry.current().names_people else ()


def wrong_of(sf_ids: Sequence[str], before: Iterable[SyncRecord]) -> Names:
    """Return the same for the people to whom these records are linked now, or were linked `before`."""
    now = SyncRecord.objects.filter(sf_id__in=sf_ids).exclude(contact_id=None).values_list("contact_id", flat=True)
    return wrong(person for person in (*now, *(record.contact_id for record in before)) if person)


def superseded(people: Sequence[int]) -> list[int]:
    """Return people who still have the ID of a record that is now linked to one of these people instead."""
    records = SyncRecord.objects.filter(contact_id__in=people).exclude(named_on=None).exclude(named_on=F("contact_id"))
    return [person for person in records.values_list("named_on", flat=True) if person]


def by_hand(person: Contact, records: Mapping[str, SyncRecord]) -> bool:
    """Tell whether a person's ID was typed or imported, judging by the given records."""
    record = records.get(person.salesforce_id)
    return record is None or record.named_on != person.pk


def write(names: Names, *, actor: Actor | None = None) -> None:
    """Write the IDs, with their events. The cards must be locked; a person whose ID has changed meanwhile keeps it."""
    if not names:
        return
    wanted = {person: (old, new) for person, old, new in names}
    values = history.event_values(actor or system("sync"), None)
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values | {"ids": list(wanted), "names": Json(wanted)})


def brought_in(sf_ids: Iterable[str]) -> None:
    """Record that the sync created the people with these IDs, and so wrote the IDs."""
    with connection.cursor() as cursor:
        cursor.execute(BROUGHT_IN, [list(sf_ids)])


def follow_the_gone() -> None:
    """Replace or clear the ID of people whose record was deleted, merged or converted."""
    while _follow_chunk():
        pass


@transaction.atomic
def _follow_chunk() -> bool:
    outbox.lock()
    gone = list(SyncRecord.objects.filter(GONE).exclude(named_on=None).values_list("pk", "named_on")[:CHUNK])
    if not gone:
        return False
    names = wrong(person for _, person in gone if person)
    lock(Contact.objects.among([person for person, _, _ in names]))
    write(names)
    SyncRecord.objects.filter(pk__in=[record for record, _ in gone]).update(named_on=None)
    return True


def take_back(*, actor: Actor) -> None:
    """Clear the IDs that the sync wrote, inside the transaction that deletes the records."""
    last = 0
    named = SyncRecord.objects.exclude(named_on=None).order_by("pk")
    while records := list(named.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK]):
        names = _found(NAMED, {"records": records})
        lock(Contact.objects.among([person for person, _, _ in names]))
        write(names, actor=actor)
        last = records[-1]


def _found(statement: str, values: dict[str, list[int]]) -> Names:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()

"""Links records to people after a person changed: was created, merged, or got a CRM ID or an address.

(A record that changes in the CRM is linked when it is read.) An existing link is kept, also when the address changes
later, until the CRM ID on a person says otherwise.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import connection
from django.db.models.functions import Now

from compliance.card import card_changes
from compliance.models import ComplianceCard
from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.lib.actor import system
from salesconnect.lib.database.sql import fill, statement
from salesconnect.lib.database.transactions import act
from unsubscribes.crm import provider_registry
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.people import record_ids

CHUNK = 5_000
# `updated_at` is before the commit: a transaction that was open at the last look may have committed since.
OVERLAP = dt.timedelta(minutes=5)
# The person who has a record's ID. An ID that the sync itself wrote follows from the link, so it must not create one.
HOLDER = """(
    SELECT min(id) FROM (
        SELECT id FROM contacts_contact WHERE salesforce_id = r.sf_id AND salesforce_id <> '' OFFSET 0
    ) holder WHERE id IS DISTINCT FROM r.named_on
)"""
# Each step looks records up person by person (LATERAL with OFFSET 0). For a plain join, a plan made with the statistics
# of an empty table scans all records for each person.
LINK = (
    statement(__file__, "link_merged"),
    """UPDATE unsubscribes_syncrecord r SET contact_id = (
           SELECT min(id) FROM (
               SELECT id FROM contacts_contact WHERE address_hash = r.address_hash OFFSET 0
           ) c WHERE id = ANY(%(people)s)
       ) WHERE id = ANY(ARRAY(
           SELECT own.id FROM contacts_contact c CROSS JOIN LATERAL (
               SELECT id, contact_id FROM unsubscribes_syncrecord WHERE address_hash = c.address_hash OFFSET 0
           ) own WHERE c.id = ANY(%(people)s) AND own.contact_id IS NULL
       ))""",
    fill(
        """UPDATE unsubscribes_syncrecord r SET contact_id = {holder} WHERE id = ANY(ARRAY(
           SELECT r.id FROM contacts_contact c CROSS JOIN LATERAL (
               SELECT id, sf_id, contact_id, named_on FROM unsubscribes_syncrecord
               WHERE sf_id = c.salesforce_id OFFSET 0
           ) r WHERE c.id = ANY(%(people)s) AND c.salesforce_id <> '' AND r.contact_id IS DISTINCT FROM c.id
           AND c.id = {holder}
       ))""",
        holder=HOLDER,
    ),
)
# The person of a merged or converted record is linked to each of its successors that has no person yet.
LINK_SUCCESSORS = """
    WITH RECURSIVE way AS (
        SELECT contact_id AS person, successor_id AS at FROM unsubscribes_syncrecord
        WHERE sf_id = ANY(%s) AND successor_id <> '' AND contact_id IS NOT NULL
        UNION SELECT way.person, r.successor_id FROM way JOIN unsubscribes_syncrecord r ON r.sf_id = way.at
        WHERE r.successor_id <> ''
    )
    UPDATE unsubscribes_syncrecord s SET contact_id = (SELECT min(way.person) FROM way WHERE way.at = s.sf_id)
    WHERE s.contact_id IS NULL AND s.sf_id IN (SELECT at FROM way)
"""
# The mark of an erasure is passed on in the same way: the data lives on in the successor, which must not come back as a
# new person.
ERASE_SUCCESSORS = """
    WITH RECURSIVE way AS (
        SELECT erased_at, successor_id AS at FROM unsubscribes_syncrecord
        WHERE sf_id = ANY(%s) AND successor_id <> '' AND erased_at IS NOT NULL
        UNION SELECT way.erased_at, r.successor_id FROM way JOIN unsubscribes_syncrecord r ON r.sf_id = way.at
        WHERE r.successor_id <> ''
    )
    UPDATE unsubscribes_syncrecord s SET erased_at = (SELECT min(way.erased_at) FROM way WHERE way.at = s.sf_id)
    WHERE s.contact_id IS NULL AND s.erased_at IS NULL AND s.sf_id IN (SELECT at FROM way)
"""
OPTED_OUT_THERE = """
    SELECT r.contact_id FROM unsubscribes_syncrecord r
    CROSS JOIN LATERAL (
        SELECT unsubscribed FROM compliance_compliancecard WHERE contact_id = r.contact_id OFFSET 0
    ) card
    LEFT JOIN LATERAL (
        SELECT true AS found FROM (
            SELECT state, desired FROM unsubscribes_outboxentry WHERE record_id = r.id OFFSET 0
        ) w WHERE NOT desired AND state IN ('pending', 'retry', 'leased', 'dead') LIMIT 1
    ) reconsent ON true
    WHERE r.contact_id = ANY(%s) AND r.opted_out AND NOT r.deleted AND r.successor_id = ''
    AND NOT r.ticked_for_other AND NOT card.unsubscribed AND reconsent.found IS NULL
"""


def link_changed() -> None:
    """Link the records of people who changed since the last call, and apply each side's opt-outs to the other."""
    row = SyncConnection.objects.annotate(asked_at=Now()).get()
    changed = ComplianceCard.objects.order_by("contact_id")
    if row.linked_at:
        changed = changed.filter(updated_at__gt=row.linked_at - OVERLAP)
    last = 0
    while ids := list(changed.filter(contact_id__gt=last).values_list("contact_id", flat=True)[:CHUNK]):
        link(ids)
        last = ids[-1]
    record_ids.follow_the_gone()
    SyncConnection.objects.update(linked_at=row.asked_at)


@act
def link(people: Sequence[int]) -> None:
    outbox.lock()
    outbox.collect()
    outbox.register_known_ids(people)
    with connection.cursor() as cursor:
        for step in LINK:
            cursor.execute(step, {"people": list(people)})
        cursor.execute(OPTED_OUT_THERE, [list(people)])
        opted_out = [found[0] for found in cursor]
    names = record_ids.wrong([*people, *record_ids.superseded(people)])
    card_changes.lock(Contact.objects.among([*opted_out, *(person for person, _, _ in names)]))
    record_ids.write(names)
    if opted_out:
        holders = Contact.objects.among(opted_out)
        suppression.unsubscribe(holders, actor=system("sync"), source=provider_registry.current().source)
    outbox.enqueue(outbox.without_dead_letter(outbox.affected_records(people)), True)


def link_successors(sf_ids: Sequence[str]) -> None:
    """Link the successors of these records to their people; marks of erasure are passed on too."""
    with connection.cursor() as cursor:
        cursor.execute(LINK_SUCCESSORS, [list(sf_ids)])
        cursor.execute(ERASE_SUCCESSORS, [list(sf_ids)])

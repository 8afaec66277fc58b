"""Whose a record is, where it is the person that changed: created, merged, given a record's ID or an address.

A record that changes in the CRM is linked when it is read. A link that stands is kept, also when the address is
changed later, until a record's ID on a person says otherwise.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import connection
from django.db.models.functions import Now

from compliance.card import services as compliance
from compliance.models import ComplianceCard, Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.lib.actor import system
from salesconnect.lib.database.sql import fill, statement
from salesconnect.lib.database.transactions import act
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.people import record_ids

CHUNK = 5_000
# Transactions that were open when it was looked last may have committed since.
OVERLAP = dt.timedelta(minutes=5)
# Who has a record's ID, apart from whom the sync itself wrote it on: such an ID follows the link, it does not make one.
HOLDER = """(
    SELECT min(id) FROM (
        SELECT id FROM contacts_contact WHERE salesforce_id = r.sf_id AND salesforce_id <> '' OFFSET 0
    ) holder WHERE id IS DISTINCT FROM r.named_on
)"""
# Each looks up records person by person, and the person of each record again. Of a join of the two, a plan that was
# made with statistics of an empty table reads all records for each person.
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
# Whoever is linked to a record that is gone is linked to every record on its way that is nobody's yet.
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
# So is the erasure of whoever has none of them: the data lives on there, and is no newcomer's.
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
    """Link the records of people who changed since this was done last, and let each side hear the other's "no"."""
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
    compliance.lock(Contact.objects.among([*opted_out, *(person for person, _, _ in names)]))
    record_ids.write(names)
    if opted_out:
        holders = Contact.objects.among(opted_out)
        suppression.unsubscribe(holders, actor=system("sync"), source=Suppression.Source.SALESFORCE_SYNC)
    outbox.enqueue(outbox.without_dead_letter(outbox.affected_records(people)), True)


def link_successors(sf_ids: Sequence[str]) -> None:
    """Link the records that live on from these to the people of these, also to those who were erased."""
    with connection.cursor() as cursor:
        cursor.execute(LINK_SUCCESSORS, [list(sf_ids)])
        cursor.execute(ERASE_SUCCESSORS, [list(sf_ids)])

"""Passes the opt-out of a merged or converted record on to the last of its successors, over any number of hops.

The records in between belong to the same person, and their people are opted out as well: the result must not depend on
whether each hop was read when it happened, or all of them afterwards.

Merges and conversions can follow each other before any of them is read. The hops arrive on different pages, of
different objects, in any order, and some never do. So an opted-out record that is gone is marked as owing (`owes`)
until its last successor is known, and passes its opt-out on once: a later re-consent of the successor holds. A chain
that is circular or leads nowhere has no end; the opt-out then stays with the address for which it was given.
"""

import datetime as dt
from uuid import UUID

from django.db import connection, transaction

from compliance.models import Suppression
from unsubscribes.crm.models import OutboxEntry, SyncRecord
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.reading import applying, known, overruling
from unsubscribes.crm.reading.rules import predates_reconsent

# Pairs of an owing record and the last of its successors, if that has been read; and the records in between once the
# last one has a person or an address, because the opt-out is passed on then. In between are also records whose address
# was forgotten with an erased person. UNION (not ALL) ends circular chains.
WAYS = """
    WITH RECURSIVE way AS (
        SELECT id AS owing, successor_id AS at FROM unsubscribes_syncrecord WHERE owes AND successor_id <> ''
        UNION SELECT way.owing, r.successor_id FROM way JOIN unsubscribes_syncrecord r ON r.sf_id = way.at
        WHERE r.successor_id <> ''
    ), stop AS (
        SELECT way.owing, r.id, r.successor_id = '' AND r.stamp IS NOT NULL AS ends,
               r.contact_id IS NOT NULL OR r.address_hash IS NOT NULL AS somebodys,
               r.erased_at IS NOT NULL AND r.address_hash IS NULL AS forgotten
        FROM way JOIN unsubscribes_syncrecord r ON r.sf_id = way.at
    )
    SELECT owing, id FROM stop
    WHERE ends OR (somebodys OR forgotten) AND owing IN (SELECT owing FROM stop WHERE ends AND somebodys)
"""


@transaction.atomic
def pass_on(*, our_user: str, now: dt.datetime | None) -> int:
    """Opt out the people and addresses of all successors; return how many people that changed.

    A last successor without address and person has nobody to opt out yet, so the opt-out stays owed. A successor whose
    address was forgotten gets the opt-out for it when it is read again; see `SyncRecord.owed_to_address`.
    """
    outbox.lock()
    outbox.collect()
    with connection.cursor() as cursor:
        cursor.execute(WAYS)
        pairs = cursor.fetchall()
    if not pairs:
        return 0
    records = SyncRecord.objects.in_bulk({each for pair in pairs for each in pair})
    stops = [stop for _owing, stop in pairs]
    given = known.reconsents(stops, our_user, now)
    people, hashes, overruled, paid, forgotten = set[int](), set[UUID](), dict[int, OutboxEntry](), [], []
    for owing, stop in ((records[owing], records[stop]) for owing, stop in pairs):
        if not stop.successor_id and (stop.contact_id or stop.address_hash):
            paid.append(owing.pk)
        entry, reconsent = given.get(stop.sf_id, (None, None))
        if reconsent and owing.stamp and predates_reconsent(owing.stamp, owing.modified_by, reconsent):
            continue
        if entry:
            overruled[entry.pk] = entry
        people |= {stop.contact_id} if stop.contact_id else set()
        hashes |= {stop.address_hash} if stop.address_hash else set()
        if stop.erased_at and not stop.address_hash:
            forgotten.append(stop.pk)
    SyncRecord.objects.filter(pk__in=paid).update(owes=False)
    SyncRecord.objects.filter(pk__in=forgotten).update(owed_to_address=True)
    changed = applying.opt_out(dict.fromkeys(people, ""), dict.fromkeys(_new(hashes), ""), {})
    overruling.overrule([*overruled.values(), *overruling.pending_reconsents(people, hashes)])
    outbox.enqueue(outbox.without_dead_letter(stops), True)
    return changed


def _new(hashes: set[UUID]) -> set[UUID]:
    """Leave out addresses that are opted out already, so that their own date and reason stay."""
    held = Suppression.objects.filter(address_hash__in=hashes).exclude(source=Suppression.Source.BOUNCE)
    return hashes - set(held.values_list("address_hash", flat=True))

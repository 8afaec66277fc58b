"""Where the opt-out of a merged or converted record lives on: at the end of the way, however many hops it has.

Whoever the records between belong to is the same person, and is opted out with the end: it must not matter whether
each hop was read when it happened, or all of them afterwards.

A merge may follow a merge, and a conversion a merge, before any of it is read; the hops come on different pages, of
different objects, in any order, and some are never read at all. So a record that is gone and said "no" owes it to its
successor until the end of the way is known, and hands it on once: a later re-consent of the end holds. A way that
leads in a circle, or into nothing, ends nowhere; the opt-out then stays with the address that it was given for.
"""

import datetime as dt
from uuid import UUID

from django.db import connection, transaction

from compliance.models import Suppression
from unsubscribes.crm.models import OutboxEntry, SyncRecord
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.reading import applying, known, overruling
from unsubscribes.crm.reading.rules import predates_reconsent

# Pairs of a record that owes its opt-out and the end of its way, as far as that has been read; and the records between,
# once the end has somebody to opt out, for then the opt-out is owed no longer.
WAYS = """
    WITH RECURSIVE way AS (
        SELECT id AS owing, successor_id AS at FROM unsubscribes_syncrecord WHERE owes AND successor_id <> ''
        UNION SELECT way.owing, r.successor_id FROM way JOIN unsubscribes_syncrecord r ON r.sf_id = way.at
        WHERE r.successor_id <> ''
    ), stop AS (
        SELECT way.owing, r.id, r.successor_id = '' AND r.stamp IS NOT NULL AS ends,
               r.contact_id IS NOT NULL OR r.address_hash IS NOT NULL AS somebodys
        FROM way JOIN unsubscribes_syncrecord r ON r.sf_id = way.at
    )
    SELECT owing, id FROM stop
    WHERE ends OR somebodys AND owing IN (SELECT owing FROM stop WHERE ends AND somebodys)
"""


@transaction.atomic
def hand_on(*, our_user: str, now: dt.datetime | None) -> int:
    """Opt out whoever the ends of all ways belong to, and the records between; return how many people that changed.

    An end without an address and without a person has nobody to opt out yet; it is owed until it has.
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
    people, hashes, overruled, paid = set[int](), set[UUID](), dict[int, OutboxEntry](), []
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
    SyncRecord.objects.filter(pk__in=paid).update(owes=False)
    changed = applying.opt_out(dict.fromkeys(people, ""), dict.fromkeys(_new(hashes), ""), {})
    overruling.overrule([*overruled.values(), *overruling.pending_reconsents(people, hashes)])
    outbox.enqueue(outbox.without_dead_letter(stops), True)
    return changed


def _new(hashes: set[UUID]) -> set[UUID]:
    """Leave out the addresses that are opted out already: what their own people said is not said again."""
    held = Suppression.objects.filter(address_hash__in=hashes).exclude(source=Suppression.Source.BOUNCE)
    return hashes - set(held.values_list("address_hash", flat=True))

"""The local state about the records of a page, read before the page is applied: their people and opt-outs."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Now

from compliance.models import Suppression
from contacts.models import Contact
from contacts.people.addresses import address_hash
from unsubscribes.crm.models import OutboxEntry, SyncRecord
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.people import record_ids
from unsubscribes.crm.reading import overruling
from unsubscribes.crm.reading.rules import PendingReconsent
from unsubscribes.crm.values import CrmRecord


@dataclass(slots=True)
class LocalState:
    records: dict[str, SyncRecord]
    hashes: dict[str, UUID | None]
    by_id: dict[int, Contact]
    by_hash: dict[UUID, Contact]
    by_record: dict[str, Contact]
    suppressed: dict[UUID, str]
    # Whether some record has yet to pass on an opt-out, which needs the address of its successor.
    owed: bool
    # Records whose box we are ticking at this moment.
    flying: set[int]

    def person(self, row: CrmRecord) -> Contact | None:
        """Return the person of a record: by the CRM ID on the person, else by an earlier link, else by address."""
        record, key = self.records.get(row.sf_id), self.hashes[row.sf_id]
        linked = record.contact_id if record else None
        return (
            self.by_record.get(row.sf_id)
            or (self.by_id.get(linked) if linked else None)
            or (self.by_hash.get(key) if key else None)
        )

    def says_no(self, row: CrmRecord) -> bool:
        """Tell whether person or address is opted out here. A bounce does not count: it is no wish of the person."""
        person, key = self.person(row), self.hashes[row.sf_id]
        held = self.suppressed.get(key) if key else None
        return held != Suppression.Source.BOUNCE and (held is not None or bool(person and person.card.unsubscribed))

    def says_no_of(self, key: UUID) -> bool:
        """Tell whether an address is opted out here, not counting bounces."""
        return self.suppressed.get(key, Suppression.Source.BOUNCE) != Suppression.Source.BOUNCE


def look_up(rows: Sequence[CrmRecord]) -> LocalState:
    """Return what is known of these records, without changing anything."""
    ids = {row.sf_id for row in rows} | {row.successor_id for row in rows if row.successor_id}
    hashes = {row.sf_id: address_hash(row.email_key) if row.email_key else None for row in rows}
    records = {record.sf_id: record for record in SyncRecord.objects.filter(sf_id__in=ids)}
    keys = {key for key in hashes.values() if key} | {r.address_hash for r in records.values() if r.address_hash}
    linked = {record.contact_id for record in records.values() if record.contact_id}
    by_address = Q(address_hash__in=keys) | Q(email_key__in={row.email_key for row in rows if row.email_key})
    # The index is partial (salesforce_id <> ''). With more than 100 values in a list PostgreSQL cannot prove that none
    # is empty and scans the table, so the condition is repeated.
    wanted = Q(pk__in=linked) | by_address | (Q(salesforce_id__in=ids) & ~Q(salesforce_id=""))
    found = Contact.objects.filter(wanted).prefetch_related("card").order_by("-pk")
    people = [person for person in found if hasattr(person, "card")]  # a person who was just merged away has no card
    suppressed = Suppression.objects.filter(address_hash__in=keys).values_list("address_hash", "source")
    return LocalState(
        records,
        hashes,
        {person.pk: person for person in people},
        {address_hash(person.email_key): person for person in people if person.email_key},
        {person.salesforce_id: person for person in sorted(people, key=lambda each: record_ids.by_hand(each, records))},
        dict(suppressed),
        any(row.successor_id for row in rows) or SyncRecord.objects.filter(owes=True).exists(),
        outbox.in_flight([record.pk for record in records.values()]),
    )


def reconsents(
    records: Sequence[int], our_user: str, now: dt.datetime | None
) -> dict[str, tuple[OutboxEntry, PendingReconsent]]:
    """Return the re-consents that are not written to the CRM yet, by record ID."""
    entries = OutboxEntry.objects.filter(record_id__in=records, desired=False, state__in=overruling.OPEN).order_by("pk")
    aged = entries.annotate(age=Now() - F("created_at")).select_related("record")
    flying = outbox.in_flight(records)
    return {entry.record.sf_id: (entry, reconsent_of(entry, our_user, now, flying)) for entry in aged}


def reconsent_of(
    entry: OutboxEntry, our_user: str, now: dt.datetime | None, flying: Collection[int] = ()
) -> PendingReconsent:
    """Return a re-consent with its time translated to the CRM's clock; `entry.age` is by the database's clock.

    There are two estimates: with the present clock difference, and with the one at the time of the re-consent. If a
    clock was adjusted in between they differ, and the earlier is used, so that an opt-out that may be newer wins.
    `flying` are the records that we are writing at this moment.
    """
    pushed = bool(entry.record.pushed) or entry.record_id in flying
    if now is None or entry.clock_ahead is None:
        return PendingReconsent(None, entry.known_stamp, pushed, our_user)
    by_age = now - entry.age  # type: ignore[attr-defined] # annotated
    given_at = min(by_age, entry.created_at + entry.clock_ahead)
    return PendingReconsent(given_at, entry.known_stamp, pushed, our_user)

"""What a page of Salesforce's records changes here, in one transaction. An opt-out is a join: local or remote.

1. Take the lock of links and wishes. 2. Read what is known of the records, and who their people are. 3. Collect the
notices, so that a re-consent that was just given is known before Salesforce's word is weighed against it. 4. Decide,
record by record. 5. Store records, opt-outs and wishes. Applying a page twice changes nothing.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from compliance import suppression
from compliance.models import Suppression
from compliance.services import lock
from contacts.addresses import address_hash
from contacts.models import Contact
from salesconnect.lib.actor import system
from unsubscribes.salesforce import outbox, troubles
from unsubscribes.salesforce.mapping import BY_PREFIX, Row
from unsubscribes.salesforce.models import SyncRecord, SyncWish
from unsubscribes.salesforce.rules import Reconsent, is_the_old_no

SOURCE = Suppression.Source.SALESFORCE_SYNC
OVERRULED = "OPT_OUT_WINS"
OPEN = (*outbox.WAITING, SyncWish.State.LEASED, SyncWish.State.DEAD)
UPDATED = (
    "sobject", "address_hash", "contact_id", "account_id", "person_account", "opted_out", "stamp", "modified_by",
    "deleted", "successor_id", "seen_in", "synced_at",
)  # fmt: skip


@dataclass(slots=True)
class Outcome:
    """How many records were read, how many people changed here, and how many boxes were found other than known."""

    read: int = 0
    changed: int = 0
    corrections: int = 0

    def __iadd__(self, other: "Outcome") -> "Outcome":
        self.read, self.changed = self.read + other.read, self.changed + other.changed
        self.corrections += other.corrections
        return self


@dataclass(slots=True)
class Known:
    """What is known here of a page's records."""

    records: dict[str, SyncRecord]
    hashes: dict[str, UUID | None]
    by_id: dict[int, Contact]
    by_hash: dict[UUID, Contact]
    by_record: dict[str, Contact]
    suppressed: dict[UUID, str]

    def person(self, row: Row) -> Contact | None:
        """Return whose record it is: by the id on the person, by an earlier link, by the address."""
        record, key = self.records.get(row.sf_id), self.hashes[row.sf_id]
        linked = record.contact_id if record else None
        return (
            self.by_record.get(row.sf_id)
            or (self.by_id.get(linked) if linked else None)
            or (self.by_hash.get(key) if key else None)
        )

    def says_no(self, row: Row) -> bool:
        """Tell whether person or address is opted out here for a reason that other records have to hear."""
        person, key = self.person(row), self.hashes[row.sf_id]
        held = self.suppressed.get(key) if key else None
        return held != Suppression.Source.BOUNCE and (held is not None or bool(person and person.card.unsubscribed))


@dataclass(slots=True)
class Decided:
    """What a page comes to."""

    rows: list[Row] = field(default_factory=list)
    # Whom to opt out, each with the reason.
    people: dict[int, str] = field(default_factory=dict)
    hashes: dict[UUID, str] = field(default_factory=dict)
    cleared: list[str] = field(default_factory=list)
    overruled: list[SyncWish] = field(default_factory=list)


def apply(
    rows: Sequence[Row],
    *,
    our_user: str,
    now: dt.datetime | None,
    seen_in: int | None = None,
    settled: dt.datetime | None = None,
    why: Mapping[str, str] | None = None,
) -> Outcome:
    """Take a page in, inside the caller's transaction. `now` is Salesforce's time.

    `seen_in` is the number of a read of everything; up to `settled` all should be known already. `why` tells the
    reason of an opt-out, by record.
    """
    outbox.lock()
    known = look_up(rows)
    outbox.collect()
    decided = _decide(rows, known, _reconsents(known, our_user, now), why or {})
    corrections = sum(_differs(row, known.records.get(row.sf_id), settled) for row in decided.rows)
    _store(decided.rows, known, seen_in)
    changed = _opt_out(decided.people, decided.hashes)
    _overrule(decided.overruled)
    _assert(decided, known)
    return Outcome(len(rows), changed, corrections)


def look_up(rows: Sequence[Row]) -> Known:
    """Return what is known of these records, without changing anything."""
    ids = {row.sf_id for row in rows} | {row.successor_id for row in rows if row.successor_id}
    hashes = {row.sf_id: address_hash(row.email_key) if row.email_key else None for row in rows}
    records = {record.sf_id: record for record in SyncRecord.objects.filter(sf_id__in=ids)}
    keys = {key for key in hashes.values() if key} | {r.address_hash for r in records.values() if r.address_hash}
    linked = {record.contact_id for record in records.values() if record.contact_id}
    wanted = Q(pk__in=linked) | Q(address_hash__in=keys) | Q(salesforce_id__in=ids)
    people = list(Contact.objects.filter(wanted).select_related("card").order_by("-pk"))
    suppressed = Suppression.objects.filter(address_hash__in=keys).values_list("address_hash", "source")
    return Known(
        records,
        hashes,
        {person.pk: person for person in people},
        {person.address_hash: person for person in people if person.address_hash},
        {person.salesforce_id: person for person in people if person.salesforce_id},
        dict(suppressed),
    )


def _reconsents(known: Known, our_user: str, now: dt.datetime | None) -> dict[str, tuple[SyncWish, Reconsent]]:
    """Return the re-consents of which Salesforce has not heard, by record."""
    ids = [record.pk for record in known.records.values()]
    wishes = SyncWish.objects.filter(record_id__in=ids, desired=False, state__in=OPEN).order_by("pk")
    aged = wishes.annotate(age=Now() - F("created_at")).select_related("record")
    return {wish.record.sf_id: (wish, reconsent_of(wish, our_user, now)) for wish in aged}


def reconsent_of(wish: SyncWish, our_user: str, now: dt.datetime | None) -> Reconsent:
    """Return a re-consent as the rules weigh it; `wish.age` is its age by the database's clock alone.

    When it was given by Salesforce's clock is told twice, by what the clocks differ now and by what they differed
    then; where a clock was set meanwhile, the earlier is taken, for an opt-out that may be newer wins.
    """
    if now is None or wish.clock_ahead is None:
        return Reconsent(None, wish.known_stamp, bool(wish.record.pushed), our_user)
    by_age = now - wish.age  # type: ignore[attr-defined] # annotated
    given_at = min(by_age, wish.created_at + wish.clock_ahead)
    return Reconsent(given_at, wish.known_stamp, bool(wish.record.pushed), our_user)


def _decide(
    rows: Sequence[Row], known: Known, given: dict[str, tuple[SyncWish, Reconsent]], why: Mapping[str, str]
) -> Decided:
    decided = Decided()
    heirs = _heirs(rows, known)
    for row in rows:
        record = known.records.get(row.sf_id)
        if record and record.stamp and row.stamp < record.stamp:
            continue
        decided.rows.append(row)
        if row.sf_id in heirs or (row.opted_out and _is_news(row, record)):
            wish, reconsent = given.get(row.sf_id, (None, None))
            if reconsent and is_the_old_no(row.stamp, row.modified_by, reconsent):
                continue
            if wish:
                decided.overruled.append(wish)
            _add(decided, row, known, why.get(row.sf_id, ""))
        elif record and not row.opted_out and (record.pushed or record.opted_out):
            decided.cleared.append(row.sf_id)
    for heir in heirs - {row.sf_id for row in rows}:
        _add_record(decided, known.records.get(heir))
    return decided


def _is_news(row: Row, record: SyncRecord | None) -> bool:
    """Tell whether a ticked box counts: always, but that of a record which is gone only once, when it goes.

    It can never be cleared again, and must not undo each re-consent that is given later.
    """
    if not row.deleted and not row.successor_id:
        return True
    return record is None or (record.deleted, record.successor_id) != (row.deleted, row.successor_id)


def _add(decided: Decided, row: Row, known: Known, reason: str) -> None:
    person, key = known.person(row), known.hashes[row.sf_id]
    if person and not person.card.unsubscribed:
        decided.people[person.pk] = reason
    if key and known.suppressed.get(key, Suppression.Source.BOUNCE) == Suppression.Source.BOUNCE:
        decided.hashes[key] = reason


def _add_record(decided: Decided, record: SyncRecord | None) -> None:
    if record and record.address_hash:
        decided.hashes.setdefault(record.address_hash, "")
    if record and record.contact_id:
        decided.people.setdefault(record.contact_id, "")


def _heirs(rows: Sequence[Row], known: Known) -> set[str]:
    """Return the records to which a merged or converted record has just left its opt-out.

    It is left once, when the merge is first seen or the winner is: a later re-consent of the winner holds.
    """
    heirs = set()
    for row in rows:
        record = known.records.get(row.sf_id)
        new = record is None or record.successor_id != row.successor_id
        if row.successor_id and new and (row.opted_out or known.says_no(row)):
            heirs.add(row.successor_id)
    unseen = [row.sf_id for row in rows if (r := known.records.get(row.sf_id)) is None or r.stamp is None]
    left = SyncRecord.objects.filter(successor_id__in=unseen, opted_out=True).exclude(successor_id="")
    return heirs | set(left.values_list("successor_id", flat=True))


def _differs(row: Row, record: SyncRecord | None, settled: dt.datetime | None) -> bool:
    """Tell whether a record differs from what is known, though it has not moved since `settled`."""
    if settled is None or row.stamp >= settled or row.deleted:
        return False
    return record is None or record.opted_out != row.opted_out


def _store(rows: Sequence[Row], known: Known, seen_in: int | None) -> None:
    """Store the records as they are in Salesforce, and the places to which they were merged or converted."""
    records = {row.sf_id: _record(row, known, seen_in) for row in rows}
    SyncRecord.objects.bulk_create(
        records.values(), update_conflicts=True, unique_fields=["sf_id"], update_fields=UPDATED, batch_size=1_000
    )
    stubs = [_stub(row.successor_id, records[row.sf_id].contact_id) for row in rows if row.successor_id]
    SyncRecord.objects.bulk_create(stubs, ignore_conflicts=True)
    for stub in stubs:
        if stub.contact_id:
            SyncRecord.objects.filter(sf_id=stub.sf_id, contact_id=None).update(contact_id=stub.contact_id)


def _record(row: Row, known: Known, seen_in: int | None) -> SyncRecord:
    person, old = known.person(row), known.records.get(row.sf_id)
    return SyncRecord(
        sf_id=row.sf_id,
        sobject=row.sobject,
        address_hash=known.hashes[row.sf_id],
        contact_id=person.pk if person else (old.contact_id if old else None),
        account_id=row.account_id,
        person_account=row.person_account,
        opted_out=row.opted_out,
        stamp=row.stamp,
        modified_by=row.modified_by,
        deleted=row.deleted,
        successor_id=row.successor_id,
        seen_in=seen_in or (old.seen_in if old else None),
        synced_at=Now(),
    )


def _stub(sf_id: str, contact_id: int | None) -> SyncRecord:
    return SyncRecord(sf_id=sf_id, sobject=BY_PREFIX[sf_id[:3]].name, contact_id=contact_id)


def _opt_out(people: Mapping[int, str], hashes: Mapping[UUID, str]) -> int:
    """Opt out these people, and whoever has these addresses; also the addresses that nobody here has.

    Each reason is an act of its own; all cards are locked before, in the one order in which everybody locks them.
    """
    changed = 0
    if not people and not hashes:
        return changed
    lock(Contact.objects.filter(Q(pk__in=list(people)) | Q(address_hash__in=list(hashes))))
    for reason in sorted({*people.values(), *hashes.values()}):
        ids = [pk for pk, why in people.items() if why == reason]
        keys = [key for key, why in hashes.items() if why == reason]
        holders = Contact.objects.filter(Q(pk__in=ids) | Q(address_hash__in=keys))
        changed += suppression.unsubscribe(holders, actor=system("sync"), source=SOURCE, reason=reason).changed
        suppression.suppress_hashes(keys, source=SOURCE, reason=reason)
    return changed


def _overrule(wishes: Sequence[SyncWish]) -> None:
    """Give up re-consents that somebody's newer opt-out in Salesforce has overtaken, and say so."""
    for wish in wishes:
        SyncWish.objects.filter(pk=wish.pk).update(
            state=SyncWish.State.SUPERSEDED, code=OVERRULED, finished_at=Now(), lease=None
        )
        troubles.note(wish.record, "pull", OVERRULED, dead=True)


def _assert(decided: Decided, known: Known) -> None:
    """Wish `true` for every box that is clear where the person is opted out here; but not for ever.

    A record that was given up is tried again when it has changed in Salesforce, not when it is merely read again.
    """
    moved = {row.sf_id for row in decided.rows if _moved(row, known.records.get(row.sf_id))}
    ids = [row.sf_id for row in decided.rows if not row.opted_out and not row.deleted and not row.successor_id]
    heirs = [row.successor_id for row in decided.rows if row.successor_id]
    clear = SyncRecord.objects.filter(sf_id__in=[*ids, *heirs]).exclude(opted_out=True)
    cleared = set(decided.cleared)
    outbox.wish([record.pk for record in clear if record.sf_id in moved], True)
    outbox.wish(outbox.not_given_up([record.pk for record in clear if record.sf_id not in moved]), True)
    if again := [record.pk for record in clear if record.sf_id in cleared]:
        _count(again)


def _moved(row: Row, record: SyncRecord | None) -> bool:
    return record is None or record.stamp != row.stamp


COUNT = """
    UPDATE unsubscribes_syncrecord SET
        reasserts = CASE WHEN reasserted_since > now() - interval '1 day' THEN reasserts + 1 ELSE 1 END,
        reasserted_since = CASE WHEN reasserted_since > now() - interval '1 day' THEN reasserted_since ELSE now() END,
        pushed = NULL
    WHERE id IN (SELECT record_id FROM unsubscribes_syncwish
                 WHERE record_id = ANY(%s) AND state = 'pending' AND desired AND created_at = now())
"""


def _count(records: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [list(records)])

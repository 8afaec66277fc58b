"""Applies a page of the CRM's records in one transaction. A person is opted out if either side says so.

1. Take the lock of links and outbox entries. 2. Turn notices into outbox entries, so that a re-consent that was just
given is compared with the CRM's state. 3. Read the local state of the records. 4. Decide record by record. 5. Store
records, opt-outs and outbox entries. Applying a page twice changes nothing (idempotent).
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from compliance.card.card_changes import lock
from compliance.suppression import address_locks, lookalikes, suppression
from contacts.models import Contact
from contacts.people.addresses import address_hashes, folded_hashes
from contacts.people.skeletons import skeleton_hashes
from salesconnect.lib.actor import system
from unsubscribes.crm import provider_registry
from unsubscribes.crm.models import OutboxEntry, SyncRecord
from unsubscribes.crm.outbox import outbox, sync_errors
from unsubscribes.crm.people import linking, record_ids
from unsubscribes.crm.reading import overruling
from unsubscribes.crm.reading.known import LocalState, look_up, reconsents
from unsubscribes.crm.reading.rules import PendingReconsent, predates_reconsent
from unsubscribes.crm.values import CrmRecord

Hashes = Mapping[UUID, str]
Looks = Mapping[UUID, UUID]
OTHER_ADDRESS = "OTHER_ADDRESS"
UPDATED = (
    "sobject", "address_hash", "contact_id", "account_id", "person_account", "opted_out", "stamp", "modified_by",
    "deleted", "successor_id", "owes", "owed_to_address", "ticked_for_other", "seen_in", "synced_at",
)  # fmt: skip


@dataclass(slots=True)
class ReadCounts:
    """Records read, people changed here, and corrections: boxes that a full read found different from the stored."""

    read: int = 0
    changed: int = 0
    corrections: int = 0

    def __iadd__(self, other: "ReadCounts") -> "ReadCounts":
        self.read, self.changed = self.read + other.read, self.changed + other.changed
        self.corrections += other.corrections
        return self


@dataclass(slots=True)
class PageDecisions:
    rows: list[CrmRecord] = field(default_factory=list)
    # People and addresses to opt out, each with the reason.
    people: dict[int, str] = field(default_factory=dict)
    hashes: dict[UUID, str] = field(default_factory=dict)
    # Records whose box we ticked for another address.
    for_other: set[str] = field(default_factory=set)
    # Records whose ticked box counts as an opt-out.
    said: set[str] = field(default_factory=set)
    cleared: list[str] = field(default_factory=list)
    overruled: list[OutboxEntry] = field(default_factory=list)

    def says_no(self, person: Contact | None, key: UUID | None) -> bool:
        return key in self.hashes or bool(person and person.pk in self.people)


def apply(
    rows: Sequence[CrmRecord],
    *,
    our_user: str,
    now: dt.datetime | None,
    seen_in: int | None = None,
    settled: dt.datetime | None = None,
    why: Mapping[str, str] | None = None,
) -> ReadCounts:
    """Apply a page inside the caller's transaction. `now` is the CRM's time.

    `seen_in` is the id of a full read. Changes before `settled` should be known already, and count as corrections if
    they are not. `why` gives the reason of an opt-out by record ID.
    """
    outbox.lock()
    suppressing = _hold_addresses(rows)
    suppression.move_to_newest_key({row.email_key for row in rows})
    lookalikes.to_newest_key(suppressing)
    outbox.collect()
    known = look_up(rows)
    given = reconsents([record.pk for record in known.records.values()], our_user, now)
    decided = _decide(rows, known, given, why or {}, our_user)
    corrections = sum(_differs(row, known.records.get(row.sf_id), settled) for row in decided.rows)
    _store(decided, known, seen_in)
    names = record_ids.wrong_of([row.sf_id for row in decided.rows], known.records.values())
    looks = {
        key: skeleton_hashes(row.email_key)[0] for row in rows if (key := known.hashes[row.sf_id]) in decided.hashes
    }
    changed = opt_out(decided.people, decided.hashes, looks, beside=[person for person, _, _ in names])
    record_ids.write(names)
    overruling.overrule([*decided.overruled, *overruling.pending_reconsents(decided.people, decided.hashes)])
    outbox.fulfil([row.sf_id for row in decided.rows if row.opted_out], our_user)
    _ask_about(decided, known)
    _assert(decided, known)
    return ReadCounts(len(rows), changed, corrections)


def _hold_addresses(rows: Sequence[CrmRecord]) -> set[str]:
    """Lock every address that may be suppressed below or given to a new person; return those that may be suppressed.

    Addresses are locked before cards.
    """
    ids = {row.sf_id for row in rows} | {row.successor_id for row in rows if row.successor_id}
    known = SyncRecord.objects.filter(Q(address_hash__isnull=False) | Q(owed_to_address=True), sf_id__in=ids)
    held = list(known.values_list("sf_id", "address_hash", "owed_to_address"))
    owed = {sf_id for sf_id, _hash, is_owed in held if is_owed}
    suppressing = {row.email_key for row in rows if row.opted_out or row.sf_id in owed}
    keys = {row.email_key for row in rows if row.email_key}
    hashes = (hashed for key in keys for hashed in (*address_hashes(key), *folded_hashes(key)))
    # Suppressing an address also marks people whose address looks like it, which is serialised by the skeleton.
    looks = (each for key in suppressing for each in skeleton_hashes(key))
    address_locks.hold([*(hashed for _id, hashed, _owed in held), *hashes, *looks])
    return suppressing


def _decide(
    rows: Sequence[CrmRecord],
    known: LocalState,
    given: dict[str, tuple[OutboxEntry, PendingReconsent]],
    why: Mapping[str, str],
    our_user: str,
) -> PageDecisions:
    decided = PageDecisions()
    for row in rows:
        record = known.records.get(row.sf_id)
        if record and record.stamp and row.stamp < record.stamp:
            continue
        decided.rows.append(row)
        key = known.hashes[row.sf_id]
        if record and record.owed_to_address and key and not known.says_no_of(key):
            decided.hashes[key] = ""
        flying = record is not None and record.pk in known.flying
        if for_other := _ticked_for_other(row, record, key, our_user, flying=flying):
            decided.for_other.add(row.sf_id)
        if row.opted_out and not for_other and _is_news(row, record):
            entry, reconsent = given.get(row.sf_id, (None, None))
            if reconsent and predates_reconsent(row.stamp, row.modified_by, reconsent):
                continue
            if entry:
                decided.overruled.append(entry)
            _add(decided, row, known, why.get(row.sf_id, ""))
            decided.said.add(row.sf_id)
        elif record and not row.opted_out and (record.pushed or record.opted_out):
            decided.cleared.append(row.sf_id)
    return decided


def _ticked_for_other(
    row: CrmRecord, record: SyncRecord | None, key: UUID | None, our_user: str, *, flying: bool
) -> bool:
    """Tell whether we ticked the box ourselves, for an address that the record no longer has.

    Somebody changed the address before our write arrived, so the opt-out belongs to the former address. The tick counts
    as an opt-out once somebody else saves the record: that person saw the tick and kept it.
    """
    if record is None or not row.opted_out:
        return False
    ours = row.modified_by == our_user
    if record.ticked_for_other and record.address_hash == key:
        return ours or record.stamp == row.stamp
    return ours and (bool(record.pushed) or flying) and record.address_hash != key


def _is_news(row: CrmRecord, record: SyncRecord | None) -> bool:
    """Tell whether a ticked box counts as an opt-out. That of a deleted, merged or converted record counts once.

    Such a box can never be cleared, so it must not undo every later re-consent. A deleted record whose stamp changed
    was restored and deleted again in between; the box of a converted Lead counts again if it was ticked since.
    """
    if (not row.deleted and not row.successor_id) or _has_gone(row, record) or record is None:
        return True
    return not row.deleted and not record.opted_out


def _has_gone(row: CrmRecord, record: SyncRecord | None) -> bool:
    """Tell whether a record was deleted, merged or converted since it was last read."""
    if record is None or (record.deleted, record.successor_id) != (row.deleted, row.successor_id):
        return row.deleted or bool(row.successor_id)
    return row.deleted and record.stamp != row.stamp


def _owes(row: CrmRecord, known: LocalState, decided: PageDecisions) -> bool:
    """Tell whether a merged or converted record still has to pass its opt-out on to its successor.

    This happens once, when the merge is first seen, so that a later re-consent of the winner holds.
    """
    record = known.records.get(row.sf_id)
    if not row.successor_id:
        return False
    no = known.says_no(row) or decided.says_no(known.person(row), known.hashes[row.sf_id])
    return row.sf_id in decided.said or (_has_gone(row, record) and no) or bool(record and record.owes)


def _add(decided: PageDecisions, row: CrmRecord, known: LocalState, reason: str) -> None:
    person, key = known.person(row), known.hashes[row.sf_id]
    if key is None and (record := known.records.get(row.sf_id)):
        key = record.address_hash  # ticked and emptied in one save: the opt-out belongs to the former address
    if person and not person.card.unsubscribed:
        decided.people[person.pk] = reason
    if key and not known.says_no_of(key):
        decided.hashes[key] = reason


def _differs(row: CrmRecord, record: SyncRecord | None, settled: dt.datetime | None) -> bool:
    """Tell whether a record differs from what we stored, though it has not changed since `settled`."""
    if settled is None or row.stamp >= settled or row.deleted:
        return False
    return record is None or record.opted_out != row.opted_out


def _store(decided: PageDecisions, known: LocalState, seen_in: int | None) -> None:
    rows = decided.rows
    records = [_record(row, known, decided, seen_in) for row in rows]
    SyncRecord.objects.bulk_create(
        records, update_conflicts=True, unique_fields=["sf_id"], update_fields=UPDATED, batch_size=1_000
    )
    gone = [row for row in rows if row.successor_id]
    stubs = [SyncRecord(sf_id=row.successor_id, sobject=row.successor_sobject) for row in gone]
    SyncRecord.objects.bulk_create(stubs, ignore_conflicts=True)
    if gone:
        linking.link_successors([row.sf_id for row in gone])


def _record(row: CrmRecord, known: LocalState, decided: PageDecisions, seen_in: int | None) -> SyncRecord:
    person, old, key = known.person(row), known.records.get(row.sf_id), known.hashes[row.sf_id]
    needed = person or known.owed or key in known.suppressed or key in decided.hashes
    if old and old.erased_at and not needed:
        key = None  # the person was erased here, and no opt-out needs the hash
    return SyncRecord(
        sf_id=row.sf_id,
        sobject=row.sobject,
        address_hash=key,
        contact_id=person.pk if person else (old.contact_id if old else None),
        account_id=row.account_id,
        person_account=row.person_account,
        opted_out=row.opted_out,
        stamp=row.stamp,
        modified_by=row.modified_by,
        deleted=row.deleted,
        successor_id=row.successor_id,
        owes=_owes(row, known, decided),
        owed_to_address=bool(old and old.owed_to_address and not key),
        ticked_for_other=row.sf_id in decided.for_other,
        seen_in=seen_in or (old.seen_in if old else None),
        synced_at=Now(),
    )


def opt_out(people: Mapping[int, str], hashes: Hashes, looks: Looks, *, beside: Collection[int] = ()) -> int:
    """Opt out people, the holders of addresses, and addresses that nobody here has; return how many people changed.

    `looks` maps address hashes to skeleton hashes, where known. There is one act per reason. All addresses and cards
    are locked first, in the global order; `beside` are people whose cards the caller will change too.
    """
    changed = 0
    if not people and not hashes and not beside:
        return changed
    source = provider_registry.current().source
    address_locks.hold(hashes)
    lock(Contact.objects.filter(Q(pk__in=[*people, *beside]) | Q(address_hash__in=list(hashes))))
    for reason in sorted({*people.values(), *hashes.values()}):
        ids = [pk for pk, why in people.items() if why == reason]
        keys = [key for key, why in hashes.items() if why == reason]
        holders = Contact.objects.filter(Q(pk__in=ids) | Q(address_hash__in=keys))
        changed += suppression.unsubscribe(holders, actor=system("sync"), source=source, reason=reason).changed
        suppression.suppress_hashes(keys, source=source, reason=reason, skeletons=[looks.get(key) for key in keys])
    return changed


def _ask_about(decided: PageDecisions, known: LocalState) -> None:
    """Leave a dead letter where we ticked the box of a record whose address had changed.

    Our write hides whether the new address had opted out as well, which only a person can find out.
    """
    for row in decided.rows:
        record, key = known.records.get(row.sf_id), known.hashes[row.sf_id]
        if record is None or record.ticked_for_other or not record.address_hash:
            continue
        if key and row.sf_id in decided.for_other and not known.says_no_of(key):
            sync_errors.record_error(record, "pull", OTHER_ADDRESS, dead=True)


def _assert(decided: PageDecisions, known: LocalState) -> None:
    """Enqueue an opt-out for every clear box of a person who is opted out here, up to `MAX_REASSERTS` times a day.

    A record with a dead letter is retried when it has changed in the CRM, not whenever it is read again.
    """
    moved = {row.sf_id for row in decided.rows if _moved(row, known.records.get(row.sf_id))}
    ids = [row.sf_id for row in decided.rows if not row.opted_out and not row.deleted and not row.successor_id]
    heirs = [row.successor_id for row in decided.rows if row.successor_id]
    clear = SyncRecord.objects.filter(sf_id__in=[*ids, *heirs]).exclude(opted_out=True)
    cleared = set(decided.cleared)
    outbox.enqueue([record.pk for record in clear if record.sf_id in moved], True)
    outbox.enqueue(outbox.without_dead_letter([record.pk for record in clear if record.sf_id not in moved]), True)
    if again := [record.pk for record in clear if record.sf_id in cleared]:
        _count(again)


def _moved(row: CrmRecord, record: SyncRecord | None) -> bool:
    return record is None or record.stamp != row.stamp


COUNT = """
    UPDATE unsubscribes_syncrecord SET
        reasserts = CASE WHEN reasserted_since > now() - interval '1 day' THEN reasserts + 1 ELSE 1 END,
        reasserted_since = CASE WHEN reasserted_since > now() - interval '1 day' THEN reasserted_since ELSE now() END,
        pushed = NULL
    WHERE id IN (SELECT record_id FROM unsubscribes_outboxentry
                 WHERE record_id = ANY(%s) AND state = 'pending' AND desired AND created_at = now())
"""


def _count(records: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [list(records)])

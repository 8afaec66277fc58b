"""What a page of the CRM's records changes here, in one transaction. An opt-out is a join: local or remote.

1. Take the lock of links and entries. 2. Collect the notices, so that a re-consent that was just given is known before
the CRM's word is weighed against it. 3. Read what is known of the records, and who their people are. 4. Decide,
record by record. 5. Store records, opt-outs and entries. Applying a page twice changes nothing.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from compliance.card.services import lock
from compliance.models import Suppression
from compliance.suppression import address_locks, lookalikes, suppression
from contacts.models import Contact
from contacts.people.addresses import address_hashes, folded_hashes
from contacts.people.lookalikes import skeleton_hashes
from salesconnect.lib.actor import system
from unsubscribes.crm.models import OutboxEntry, SyncRecord
from unsubscribes.crm.outbox import outbox, sync_errors
from unsubscribes.crm.people import linking, record_ids
from unsubscribes.crm.reading import overruling
from unsubscribes.crm.reading.known import LocalState, look_up, reconsents
from unsubscribes.crm.reading.rules import PendingReconsent, predates_reconsent
from unsubscribes.crm.values import CrmRecord

Hashes = Mapping[UUID, str]
Looks = Mapping[UUID, UUID]
SOURCE = Suppression.Source.SALESFORCE_SYNC
OTHER_ADDRESS = "OTHER_ADDRESS"
UPDATED = (
    "sobject", "address_hash", "contact_id", "account_id", "person_account", "opted_out", "stamp", "modified_by",
    "deleted", "successor_id", "owes", "ticked_for_other", "seen_in", "synced_at",
)  # fmt: skip


@dataclass(slots=True)
class ReadCounts:
    """How many records were read, how many people changed here, and how many boxes were found other than known."""

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
    # Whom to opt out, each with the reason.
    people: dict[int, str] = field(default_factory=dict)
    hashes: dict[UUID, str] = field(default_factory=dict)
    # Whose box we ticked for another address.
    for_other: set[str] = field(default_factory=set)
    # Whose ticked box counts as somebody's word.
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
    """Take a page in, inside the caller's transaction. `now` is the CRM's time.

    `seen_in` is the number of a read of everything; up to `settled` all should be known already. `why` tells the
    reason of an opt-out, by record.
    """
    outbox.lock()
    _hold_addresses(rows)
    suppression.move_to_newest_key({row.email_key for row in rows})
    lookalikes.to_newest_key(row.email_key for row in rows if row.opted_out)
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


def _hold_addresses(rows: Sequence[CrmRecord]) -> None:
    """Hold all addresses that may be suppressed below, or given to somebody who is created: before any card."""
    ids = {row.sf_id for row in rows} | {row.successor_id for row in rows if row.successor_id}
    known = SyncRecord.objects.filter(sf_id__in=ids).exclude(address_hash=None).values_list("address_hash", flat=True)
    keys = {row.email_key for row in rows if row.email_key}
    hashes = (hashed for key in keys for hashed in (*address_hashes(key), *folded_hashes(key)))
    # What the addresses look like that may be suppressed, which marks whoever looks like them.
    looks = (each for row in rows if row.opted_out for each in skeleton_hashes(row.email_key))
    address_locks.hold([*known, *hashes, *looks])


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
        flying = record is not None and record.pk in known.flying
        if for_other := _ticked_for_other(row, record, known.hashes[row.sf_id], our_user, flying=flying):
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
    """Tell whether a ticked box is our own writing for another address than the record has.

    Somebody changed the address before we wrote and knew of it: the opt-out was of whoever had the record before. It
    stays so until somebody else saves the record: whoever does, sees the tick and leaves it there.
    """
    if record is None or not row.opted_out:
        return False
    ours = row.modified_by == our_user
    if record.ticked_for_other and record.address_hash == key:
        return ours or record.stamp == row.stamp
    return ours and (bool(record.pushed) or flying) and record.address_hash != key


def _is_news(row: CrmRecord, record: SyncRecord | None) -> bool:
    """Tell whether a ticked box counts: always, but that of a record which is gone only once, when it goes.

    It can never be cleared again, and must not undo each re-consent that is given later. A deleted record whose stamp
    moved was restored and deleted again since it was seen; the box of a converted Lead counts again when it is new.
    """
    if (not row.deleted and not row.successor_id) or _has_gone(row, record) or record is None:
        return True
    return not row.deleted and not record.opted_out


def _has_gone(row: CrmRecord, record: SyncRecord | None) -> bool:
    """Tell whether a record has gone since it was seen last, or gone somewhere else, or come back and gone again."""
    if record is None or (record.deleted, record.successor_id) != (row.deleted, row.successor_id):
        return row.deleted or bool(row.successor_id)
    return row.deleted and record.stamp != row.stamp


def _owes(row: CrmRecord, known: LocalState, decided: PageDecisions) -> bool:
    """Tell whether a merged or converted record has to leave an opt-out to its successor.

    It is left once, when the merge is first seen: a later re-consent of the winner holds.
    """
    record = known.records.get(row.sf_id)
    if not row.successor_id:
        return False
    no = known.says_no(row) or decided.says_no(known.person(row), known.hashes[row.sf_id])
    return row.sf_id in decided.said or (_has_gone(row, record) and no) or bool(record and record.owes)


def _add(decided: PageDecisions, row: CrmRecord, known: LocalState, reason: str) -> None:
    person, key = known.person(row), known.hashes[row.sf_id]
    if key is None and (record := known.records.get(row.sf_id)):
        key = record.address_hash  # somebody ticked the box and took the address away: it is the address's "no"
    if person and not person.card.unsubscribed:
        decided.people[person.pk] = reason
    if key and not known.says_no_of(key):
        decided.hashes[key] = reason


def _differs(row: CrmRecord, record: SyncRecord | None, settled: dt.datetime | None) -> bool:
    """Tell whether a record differs from what is known, though it has not moved since `settled`."""
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
        key = None  # of somebody who was erased here nothing is kept that no opt-out needs
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
        ticked_for_other=row.sf_id in decided.for_other,
        seen_in=seen_in or (old.seen_in if old else None),
        synced_at=Now(),
    )


def opt_out(people: Mapping[int, str], hashes: Hashes, looks: Looks, *, beside: Collection[int] = ()) -> int:
    """Opt out these people, and whoever has these addresses; also the addresses that nobody here has.

    `looks` tells what the addresses look like, as far as that is known. Each reason is an act of its own; all addresses
    and cards are locked before, in the one order for everybody, the cards of those who are changed `beside` among them.
    """
    changed = 0
    if not people and not hashes and not beside:
        return changed
    address_locks.hold(hashes)
    lock(Contact.objects.filter(Q(pk__in=[*people, *beside]) | Q(address_hash__in=list(hashes))))
    for reason in sorted({*people.values(), *hashes.values()}):
        ids = [pk for pk, why in people.items() if why == reason]
        keys = [key for key, why in hashes.items() if why == reason]
        holders = Contact.objects.filter(Q(pk__in=ids) | Q(address_hash__in=keys))
        changed += suppression.unsubscribe(holders, actor=system("sync"), source=SOURCE, reason=reason).changed
        suppression.suppress_hashes(keys, source=SOURCE, reason=reason, skeletons=[looks.get(key) for key in keys])
    return changed


def _ask_about(decided: PageDecisions, known: LocalState) -> None:
    """Let somebody find out what the box of a changed address means: we wrote over whatever stood there."""
    for row in decided.rows:
        record, key = known.records.get(row.sf_id), known.hashes[row.sf_id]
        if record is None or record.ticked_for_other or not record.address_hash:
            continue
        if key and row.sf_id in decided.for_other and not known.says_no_of(key):
            sync_errors.record_error(record, "pull", OTHER_ADDRESS, dead=True)


def _assert(decided: PageDecisions, known: LocalState) -> None:
    """Enqueue an opt-out for every box that is clear where the person is opted out here; but not for ever.

    A record that was given up is tried again when it has changed in the CRM, not when it is merely read again.
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

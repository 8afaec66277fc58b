"""What became of each record of a write: done, again later, given up, or gone somewhere else."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from unsubscribes.crm.models import SyncRecord, SyncWish
from unsubscribes.crm.outbox import outbox, ticking, troubles
from unsubscribes.crm.provider import Session
from unsubscribes.crm.reading import page, successors
from unsubscribes.crm.trouble import PACES, Trouble, TroubleKind
from unsubscribes.crm.values import CrmRecord, Result

SOON = 60
PACE = 1.0
READ_ONLY_SHARE, READ_ONLY_LEAST = 0.2, 5
# Not the record's own fault: what it was told of one record is true of all, and stops the push.
OF_ALL = (TroubleKind.AUTH, TroubleKind.QUOTA, TroubleKind.PERMISSION)
Refusal = tuple[SyncWish, Result]


@dataclass(slots=True)
class Settled:
    """How many records were written, and how many were given up."""

    written: int = 0
    failed: int = 0


def settle(wishes: Sequence[SyncWish], results: Sequence[Result], session: Session) -> Settled:
    """Store the results, which belong to the wishes by position; then look where records went that are gone.

    Raises `Trouble` when a code says that no other record can be written either: `PERMISSION` when so many are
    read-only that a permission must have been taken away.
    """
    pairs = list(zip(wishes, results, strict=True))
    kinds = [session.provider.classify(result.code, result.message) for _wish, result in pairs]
    stop = _stop(pairs, kinds)
    settled, vanished = Settled(), list[Refusal]()
    with transaction.atomic():
        outbox.lock()
        settled.written = _store([wish for wish, result in pairs if not result.code])
        for (wish, result), kind in zip(pairs, kinds, strict=True):
            if not result.code:
                continue
            if kind is TroubleKind.GONE:
                vanished.append((wish, result))
            elif stop and (kind is stop.kind or (kind, stop.kind) == (TroubleKind.READ_ONLY, TroubleKind.PERMISSION)):
                put = Q(pk=wish.pk, lease=wish.lease)
                outbox.put_back(put, seconds=SOON, code=result.code, message=result.message)
            else:
                settled.failed += refused(wish, result, kind)
    settled.failed += follow(vanished, session)
    if stop:
        raise stop
    return settled


def _stop(pairs: Sequence[Refusal], kinds: Sequence[TroubleKind]) -> Trouble | None:
    """Return what the records' own codes say of all records; None when each speaks for itself."""
    for (_wish, result), kind in zip(pairs, kinds, strict=True):
        if result.code and kind in OF_ALL:
            return Trouble(kind, result.code, result.message)
    read_only = [result for (_wish, result), kind in zip(pairs, kinds, strict=True) if kind is TroubleKind.READ_ONLY]
    if len(read_only) > READ_ONLY_SHARE * len(pairs) and len(pairs) >= READ_ONLY_LEAST:
        return Trouble(TroubleKind.PERMISSION, read_only[0].code, read_only[0].message)
    return None


def written(wish: SyncWish, *, value: bool) -> None:
    with transaction.atomic():
        outbox.lock()
        _store([wish], value=value)


def _store(wishes: Sequence[SyncWish], *, value: bool = True) -> int:
    mine = SyncWish.objects.filter(
        pk__in=[wish.pk for wish in wishes], lease__in={wish.lease for wish in wishes}, state=SyncWish.State.LEASED
    )
    done = mine.update(state=SyncWish.State.DONE, finished_at=Now(), lease=None, code="", message="")
    records = [wish.record_id for wish in wishes]
    ticking.note_written(records, value=value)
    SyncWish.objects.filter(record_id__in=records, state=SyncWish.State.DEAD).update(
        state=SyncWish.State.SUPERSEDED, finished_at=Now()
    )
    troubles.resolve([wish.record.sf_id for wish in wishes])
    return done


def refused(wish: SyncWish, result: Result, kind: TroubleKind) -> bool:
    """Wait or give up; tell which. How long and how often a record is tried again depends on the kind of trouble."""
    pace = PACES.get(kind)
    if pace is None or wish.attempts + 1 >= pace.tries:
        troubles.mark_dead(wish, result.code, result.message)
        return True
    mine = Q(pk=wish.pk, lease=wish.lease)
    seconds = PACE * pace.seconds(wish.attempts)
    outbox.put_back(mine, seconds=seconds, code=result.code, message=result.message, counted=True)
    troubles.note(wish.record, "push", result.code, result.message)
    return False


def follow(refusals: Sequence[Refusal], session: Session) -> int:
    """Look what became of records that answer as if they were gone; return how many were given up.

    A merge or conversion is followed to the end of its way, so that the opt-out reaches where it leads. Only what
    the CRM shows as gone, or lists as deleted, is gone: a record that reads back alive, and one that is merely not
    seen, has refused the write, whatever the code says.
    """
    if not refusals:
        return 0
    rows = {each.sf_id: each for each in session.whereabouts([wish.record.sf_id for wish, _ in refusals])}
    listed = session.deleted([wish.record for wish, _ in refusals if wish.record.sf_id not in rows])
    failed = 0
    with transaction.atomic():
        outbox.lock()
        SyncRecord.objects.filter(sf_id__in=listed).update(deleted=True)
        for wish, result in refusals:
            row = rows.get(wish.record.sf_id)
            if wish.record.sf_id in listed or (row and _needs_nothing(row, wish)):
                _end(wish)
            else:
                failed += refused(wish, result, TroubleKind.GONE)
        # Only now: a wish that is settled already is not wished again beside itself.
        page.apply(list(rows.values()), our_user=session.connection.user_id, now=session.now)
    successors.hand_on(our_user=session.connection.user_id, now=session.now)
    return failed


def still_needed(wishes: Sequence[SyncWish], session: Session) -> list[SyncWish]:
    """Read records before they are written for somebody else than their own address, and leave out who is ticked.

    Our tick would hide one that somebody made since the record was read, which is of the address that it has.
    """
    unsure = ticking.unsure([wish.record_id for wish in wishes])
    asked = {wish.record.sf_id for wish in wishes if wish.record_id in unsure}
    if not asked:
        return list(wishes)
    rows = session.whereabouts(sorted(asked))
    known = {wish.record.sf_id: wish.record.stamp for wish in wishes}
    moved = [row for row in rows if known.get(row.sf_id) != row.stamp]
    ticked = asked & {row.sf_id for row in rows if row.opted_out and not (row.deleted or row.successor_id)}
    with transaction.atomic():
        outbox.lock()
        for wish in wishes:
            if wish.record.sf_id in ticked:
                _end(wish, "")
        page.apply(moved, our_user=session.connection.user_id, now=session.now)
    successors.hand_on(our_user=session.connection.user_id, now=session.now)
    return [wish for wish in wishes if wish.record.sf_id not in ticked]


def _needs_nothing(row: CrmRecord, wish: SyncWish) -> bool:
    return row.deleted or bool(row.successor_id) or row.opted_out == wish.desired


def _end(wish: SyncWish, code: str = "GONE") -> None:
    SyncWish.objects.filter(pk=wish.pk, lease=wish.lease, state=SyncWish.State.LEASED).update(
        state=SyncWish.State.SUPERSEDED, lease=None, finished_at=Now(), code=code
    )


def note_object(sobject: str, trouble: Trouble) -> None:
    """Remember that an object as a whole cannot be written."""
    troubles.note(
        SyncRecord(sf_id="", sobject=sobject), "push", f"{trouble.code}:{sobject}", trouble.message, dead=True
    )

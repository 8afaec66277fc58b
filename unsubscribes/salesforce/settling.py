"""What became of each record of a write: done, again later, given up, or gone somewhere else."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from unsubscribes.salesforce import outbox, page, troubles
from unsubscribes.salesforce.client import Client, Result
from unsubscribes.salesforce.mapping import BY_NAME, Class, record_class, row, with_ids
from unsubscribes.salesforce.models import SyncConnection, SyncRecord, SyncWish
from unsubscribes.salesforce.trouble import Trouble

TRIES = 5
SOON, HOUR = 60, 3_600
PACE = 1.0
READ_ONLY_SHARE = 0.2
IDS = 400
GIVES_UP = (Class.RULE, Class.READ_ONLY, Class.DATA, Class.SCHEMA)


@dataclass(slots=True)
class Settled:
    """How many records were written, and how many were given up."""

    written: int = 0
    failed: int = 0


def settle(
    wishes: Sequence[SyncWish], results: Sequence[Result], client: Client, connection: SyncConnection
) -> Settled:
    """Store the results, which belong to the wishes by position; then look where records went that are gone.

    Raises `Trouble` of the class `PERMISSION` when so many are read-only that a permission must have been taken away.
    """
    pairs = list(zip(wishes, results, strict=True))
    read_only = sum(record_class(result.code) is Class.READ_ONLY for result in results if result.code)
    withdrawn = read_only > READ_ONLY_SHARE * len(pairs) and len(pairs) >= TRIES
    settled = Settled()
    with transaction.atomic():
        outbox.lock()
        settled.written = _store([wish for wish, result in pairs if not result.code])
        for wish, result in pairs:
            kind = record_class(result.code)
            if not result.code or kind is Class.GONE:
                continue
            if withdrawn and kind is Class.READ_ONLY:
                outbox.put_back(Q(pk=wish.pk, lease=wish.lease), seconds=SOON, code=result.code, message=result.message)
            else:
                settled.failed += _refused(wish, result, kind)
    follow([wish for wish, result in pairs if record_class(result.code) is Class.GONE], client, connection)
    if withdrawn:
        first = next(result for result in results if record_class(result.code) is Class.READ_ONLY)
        raise Trouble(Class.PERMISSION, first.code, first.message)
    return settled


def written(wish: SyncWish, *, value: bool) -> None:
    """Store that one record holds the value."""
    with transaction.atomic():
        outbox.lock()
        _store([wish], value=value)


def _store(wishes: Sequence[SyncWish], *, value: bool = True) -> int:
    mine = SyncWish.objects.filter(
        pk__in=[wish.pk for wish in wishes], lease__in={wish.lease for wish in wishes}, state=SyncWish.State.LEASED
    )
    done = mine.update(state=SyncWish.State.DONE, finished_at=Now(), lease=None, code="", message="")
    records = [wish.record_id for wish in wishes]
    SyncRecord.objects.filter(pk__in=records).update(opted_out=value, pushed=value, pushed_at=Now(), synced_at=Now())
    SyncWish.objects.filter(record_id__in=records, state=SyncWish.State.DEAD).update(
        state=SyncWish.State.SUPERSEDED, finished_at=Now()
    )
    troubles.resolve([wish.record.sf_id for wish in wishes])
    return done


def _refused(wish: SyncWish, result: Result, kind: Class) -> bool:
    """Wait or give up; tell which. A passing trouble gets five tries, each later than the one before."""
    if kind in GIVES_UP or (kind is not Class.SLOW and wish.attempts + 1 >= TRIES):
        troubles.bury(wish, result.code, result.message)
        return True
    seconds = HOUR if kind is Class.SLOW else PACE * 2**wish.attempts
    mine = Q(pk=wish.pk, lease=wish.lease)
    outbox.put_back(mine, seconds=seconds, code=result.code, message=result.message, counted=kind is not Class.SLOW)
    troubles.note(wish.record, "push", result.code, result.message)
    return False


def follow(wishes: Sequence[SyncWish], client: Client, connection: SyncConnection) -> None:
    """Read records that are gone: a merge or conversion is followed, so that the opt-out reaches where they went."""
    for name in sorted({wish.record.sobject for wish in wishes}):
        mine = [wish for wish in wishes if wish.record.sobject == name]
        for start in range(0, len(mine), IDS):
            _follow(name, mine[start : start + IDS], client, connection)


def _follow(name: str, wishes: Sequence[SyncWish], client: Client, connection: SyncConnection) -> None:
    sobject, field = BY_NAME[name], connection.opt_out_field
    select = sobject.select(field, persons=connection.person_accounts)
    ids = [wish.record.sf_id for wish in wishes]
    found = [each for part in client.query(with_ids(select, ids)) for each in part.records]
    rows = [row(sobject, each, field) for each in found]
    with transaction.atomic():
        page.apply(rows, our_user=connection.user_id, now=client.now)
        there = {each.sf_id for each in rows}
        SyncRecord.objects.filter(sf_id__in=set(ids) - there).update(deleted=True)
        SyncWish.objects.filter(pk__in=[wish.pk for wish in wishes], state=SyncWish.State.LEASED).update(
            state=SyncWish.State.SUPERSEDED, lease=None, finished_at=Now(), code="GONE"
        )
        heirs = {each.successor_id for each in rows if each.successor_id}
        outbox.wish(list(SyncRecord.objects.filter(sf_id__in=heirs).values_list("pk", flat=True)), True)


def note_object(sobject: str, trouble: Trouble) -> None:
    """Remember that an object as a whole cannot be written."""
    troubles.note(
        SyncRecord(sf_id="", sobject=sobject), "push", f"{trouble.code}:{sobject}", trouble.message, dead=True
    )

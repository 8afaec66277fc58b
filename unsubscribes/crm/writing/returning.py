"""A re-consent on its way to Salesforce: read, weigh, and clear the box only if nothing has moved since."""

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from unsubscribes.crm.models import SyncConnection, SyncWish
from unsubscribes.crm.outbox import outbox, troubles
from unsubscribes.crm.reading import page
from unsubscribes.crm.reading.rules import is_the_old_no
from unsubscribes.crm.salesforce import conditional, gone
from unsubscribes.crm.salesforce.client import Client, Result
from unsubscribes.crm.salesforce.mapping import BY_NAME, Class, Row, record_class, with_ids
from unsubscribes.crm.salesforce.targets import target
from unsubscribes.crm.trouble import Trouble
from unsubscribes.crm.writing import settling

READS = 3
HOUR = 3_600
FAULTS = (Class.UNKNOWN, Class.BUG)


def clear(wish: SyncWish, client: Client, connection: SyncConnection) -> bool | None:
    """Clear one box: True when it is clear, False when the record refuses it, None when it is not to be cleared.

    A newer opt-out in Salesforce wins: it is taken over here. Between reading and writing the record may move: the
    write then fails, and the record is read and weighed anew. Raises `Trouble` when Salesforce cannot be asked.
    """
    for _read in range(READS):
        found = _read_now(wish, client, connection)
        if found is None or found.deleted or found.successor_id:
            return _followed(wish, Trouble(Class.GONE, "NOT_FOUND"), client, connection)
        if found.opted_out and not _may_clear(wish, found, client, connection):
            return None
        try:
            if found.opted_out and not _cleared(found, client, connection):
                return _held_back(wish)
        except Trouble as trouble:
            if trouble.kind is Class.MOVED_ON:
                continue
            return _refused(wish, trouble, client, connection)
        settling.written(wish, value=False)
        return True
    return _left(wish, Trouble(Class.MOVED_ON, "KEEPS_MOVING"), Class.MOVED_ON)


def _cleared(found: Row, client: Client, connection: SyncConnection) -> bool:
    """Clear the box unless the record has moved; False where the org would not keep us from writing over that."""
    place = target(found, connection.opt_out_field)
    if not conditional.holds(place, client, value=True):
        return False
    client.change(place.sobject, place.sf_id, {place.field: False}, unmodified_since=found.stamp)
    return True


def _held_back(wish: SyncWish) -> bool:
    """Let the re-consent wait: where a newer opt-out could be written over, none is cleared."""
    mine = Q(pk=wish.pk, lease=wish.lease)
    outbox.put_back(mine, seconds=HOUR, code=conditional.CODE)
    troubles.note(wish.record, "push", conditional.CODE)
    return False


def _read_now(wish: SyncWish, client: Client, connection: SyncConnection) -> Row | None:
    sobject, field = BY_NAME[wish.record.sobject], connection.opt_out_field
    select = sobject.select(field, persons=connection.person_accounts)
    for part in client.query(with_ids(select, [wish.record.sf_id])):
        if rows := gone.rows_of(sobject, part, field):
            return rows[0]
    return None


def _may_clear(wish: SyncWish, found: Row, client: Client, connection: SyncConnection) -> bool:
    """Weigh the opt-out that stands in Salesforce against the re-consent; take it over when it is newer."""
    with transaction.atomic():
        outbox.lock()
        current = SyncWish.objects.select_related("record").annotate(age=Now() - F("created_at")).get(pk=wish.pk)
        if current.lease != wish.lease:
            return False
        given = page.reconsent_of(current, connection.user_id, client.now)
        if is_the_old_no(found.stamp, found.modified_by, given):
            if not outbox.says_no(wish.record_id):
                return True
            SyncWish.objects.filter(pk=wish.pk).update(state=SyncWish.State.SUPERSEDED, lease=None, finished_at=Now())
            return False
        page.apply([found], our_user=connection.user_id, now=client.now)
    return False


def _refused(wish: SyncWish, trouble: Trouble, client: Client, connection: SyncConnection) -> bool | None:
    """Count a failure of this record alone; what hinders every record stops the push."""
    kind = record_class(trouble.code, trouble.message)
    if Class.GONE in (trouble.kind, kind):
        return _followed(wish, trouble, client, connection)
    if kind in settling.OF_ALL or (kind is Class.UNKNOWN and trouble.kind not in FAULTS):
        raise trouble
    return _left(wish, trouble, kind)


def _followed(wish: SyncWish, trouble: Trouble, client: Client, connection: SyncConnection) -> bool | None:
    refusal = (wish, Result(trouble.code, trouble.message))
    return False if settling.follow([refusal], client, connection) else None


def _left(wish: SyncWish, trouble: Trouble, kind: Class) -> bool | None:
    """Let the record be tried again later, or give it up: False then."""
    with transaction.atomic():
        return False if settling.refused(wish, Result(trouble.code, trouble.message), kind) else None

"""The history: writes an event for each person that an act touches, and reads them."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.models import BooleanField, Func, Max, QuerySet, Value
from django.utils import timezone
from psycopg2.extras import Json

from contacts.models import Batch, ContactEvent
from contacts.people.queries import ContactQuerySet, array, inlined
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import statement

Changes = Mapping[str, tuple[Any, Any]]

CREATED = "created"
EDITED = "edited"
AUTHORIZATION = "authorization"
SOURCE = "source"
UNSUBSCRIBED = "unsubscribed"
RESUBSCRIBED = "resubscribed"
MAILED = "mailed"
MAIL_HELD = "mail_held"
MAIL_FAILED = "mail_failed"
MAIL_ARRIVED = "mail_arrived"
MAIL_ALLOWED = "mail_allowed"
EXPORTED = "exported"
DELETED = "deleted"
MERGED = "merged"
UNMERGED = "unmerged"
RESTRICTED = "restricted"
UNRESTRICTED = "unrestricted"
INFORMED = "informed"
REVIEWED = "reviewed"
CORRECTED = "corrected"
SCRUBBED = "scrubbed"
REQUESTED = "requested"
VIEWED = "viewed"
ANSWERED = "answered"
LOOKED_ALIKE = "looked_alike"
LOOKED_APART = "looked_apart"
TOLD_APART = "told_apart"

LOOKALIKE_ACTIONS = (LOOKED_ALIKE, LOOKED_APART, TOLD_APART)
"""What tells whether a person's address looks like one that said no: by the last of them it does, or no longer does."""

CHANGES_NOTHING = (MAILED, MAIL_HELD, MAIL_FAILED, MAIL_ARRIVED, MAIL_ALLOWED, EXPORTED, REQUESTED, VIEWED, ANSWERED)
"""Acts that touch a person and leave what is held of the person as it is."""

CLOCK_SKEW = dt.timedelta(days=1)
"""No event is newer than now and this; the bound keeps statements off the partitions made for the months ahead."""

COLUMNS = "contact_id, batch_id, actor_id, action, door, actor_name, changes"

# The ids of people and, recursively, of the records that were merged into them.
MERGED_IDS = """
    WITH RECURSIVE numbers (id) AS (
        SELECT unnest(%(expressions)s::bigint[])
        UNION SELECT absorbed_id FROM contacts_merge JOIN numbers ON survivor_id = numbers.id WHERE undone_at IS NULL
    ) SELECT id FROM numbers
"""


class IsEventOf(Func):
    """The condition that an event belongs to these people or to records merged into them.

    `ARRAY(…)` makes the ids one value that is computed once, so that the index on `contact_id` serves it.
    """

    template = f"(contacts_contactevent.contact_id = ANY(ARRAY({MERGED_IDS})))"
    output_field = BooleanField()


def event_values(actor: Actor, batch_id: int | None) -> dict[str, Any]:
    """Return the parameters that every event of one act shares, for a set-based INSERT."""
    return {"batch_id": batch_id, "actor_id": actor.user_id, "door": actor.door, "actor_name": actor.name}


def record(
    contact_ids: Iterable[int],
    action: str,
    *,
    actor: Actor,
    batch_id: int | None = None,
    changes: Changes | None = None,
) -> None:
    """Add one event for each person, all with the same changes; inside the transaction of the act itself."""
    whose = inlined("SELECT unnest(%s::bigint[])", (array(contact_ids),))
    _record(whose, action, actor=actor, batch_id=batch_id, changes=changes)


def record_found(
    contacts: ContactQuerySet, action: str, *, actor: Actor, batch_id: int | None = None, changes: Changes | None = None
) -> int:
    """Add the event as `record` does for those of `contacts` who exist; returns their number."""
    return _record(inlined(*contacts.ids_sql()), action, actor=actor, batch_id=batch_id, changes=changes)


def _record(whose: str, action: str, *, actor: Actor, batch_id: int | None, changes: Changes | None) -> int:
    values: dict[str, Any] = {"action": action, "changes": Json(changes or {})}
    with connection.cursor() as cursor:
        cursor.execute(statement(__file__, "record", ids=whose), values | event_values(actor, batch_id))
        return cursor.rowcount


def of_contact(contact_id: int) -> QuerySet[ContactEvent]:
    """Return the events of one person, newest first, those of merged records among them."""
    until = timezone.now() + CLOCK_SKEW
    return ContactEvent.objects.filter(IsEventOf(Value([contact_id])), at__lt=until).order_by("-at", "-id")


def merged_ids(contact_ids: Iterable[int]) -> list[int]:
    """Return these people's numbers and those of the records that were merged into them."""
    with connection.cursor() as cursor:
        cursor.execute(MERGED_IDS % {"expressions": "%s"}, [list(contact_ids)])
        return [row[0] for row in cursor]


def undone_batches(events: Iterable[ContactEvent]) -> dict[int | None, int | None]:
    """Return which bulk change each bulk change among the events takes back, for those that do; one query."""
    numbers = {event.batch_id for event in events if event.batch_id}
    if not numbers:
        return {}
    return dict(Batch.objects.filter(pk__in=numbers, undoes__isnull=False).values_list("pk", "undoes_id"))


def newest_id(contact_id: int) -> int:
    return ContactEvent.objects.filter(contact_id=contact_id).aggregate(newest=Max("id"))["newest"] or 0

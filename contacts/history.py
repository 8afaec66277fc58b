"""The history: what is written when an act touches a person, and how it is read."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from psycopg2.extras import Json, execute_values

from contacts.models import ContactEvent
from salesconnect.lib.actor import Actor

Changes = Mapping[str, tuple[Any, Any]]

CREATED = "created"
EDITED = "edited"
AUTHORIZATION = "authorization"
SOURCE = "source"
UNSUBSCRIBED = "unsubscribed"
RESUBSCRIBED = "resubscribed"
EXPORTED = "exported"
DELETED = "deleted"

COLUMNS = "contact_id, batch_id, actor_id, action, door, actor_name, changes"


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
    shared = (batch_id, actor.user_id, action, actor.door, actor.name, Json(changes or {}))
    with connection.cursor() as cursor:
        execute_values(
            cursor.cursor,
            f"INSERT INTO contacts_contactevent ({COLUMNS}) VALUES %s",
            [(contact_id, *shared) for contact_id in contact_ids],
            page_size=5_000,
        )


def of_contact(contact_id: int) -> QuerySet[ContactEvent]:
    """Return the events of one person, newest first."""
    return ContactEvent.objects.filter(contact_id=contact_id).order_by("-at", "-id")

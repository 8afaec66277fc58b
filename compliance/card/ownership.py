"""Who is the owner of people: the one of the team whose queues they are in. It decides nothing else."""

from django.db import connection
from psycopg2.extras import Json

from compliance.card import card_changes
from contacts.events import history
from contacts.jobs.bulk_undo import LATER, TOUCHED, undo_values
from contacts.models import Batch, User
from contacts.people.queries import ContactQuerySet, array
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import statement
from salesconnect.lib.database.transactions import act
from salesconnect.lib.outcome import Outcome

CHANGE = statement(__file__, "change_owner")
ASSIGN = statement(__file__, "assign_owner", change=CHANGE)
GIVE_BACK = statement(__file__, "give_owner_back", touched=TOUCHED, later=LATER, change=CHANGE)


@act
def assign(contacts: ContactQuerySet, owner: User | None, *, actor: Actor, batch_id: int | None = None) -> Outcome:
    """Give all `contacts` to an owner, or to nobody; restricted people are refused."""
    actor.require("edit_people")
    ids, restricted = card_changes.lock_unrestricted(contacts)
    values = {"ids": array(ids), "owner": owner.pk if owner else None, "names": _names(), "action": history.EDITED}
    with connection.cursor() as cursor:
        cursor.execute(ASSIGN, values | history.event_values(actor, batch_id))
        changed = cursor.fetchone()[0]
    return Outcome(changed=changed, unchanged=len(ids) - changed).refuse("restricted", restricted)


def give_back(contacts: ContactQuerySet, undone: Batch, batch: Batch, actor: Actor) -> Outcome:
    """Give one chunk back to the owners before the order `undone`, also to one whose account was closed since."""
    ids, restricted = card_changes.lock_unrestricted(contacts)
    values = undo_values(ids, undone, batch, actor, ["owner_id"]) | {"names": _names()}
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, values)
        restored, changed_since = cursor.fetchone()
    untouched = len(ids) - restored - len(changed_since)
    outcome = Outcome(changed=restored, unchanged=untouched).refuse("restricted", restricted)
    return outcome.refuse("changed_since", changed_since)


def _names() -> Json:
    return Json({str(user.pk): str(user) for user in User.objects.all()})

"""Who is the owner of people: the one of the team whose queues they are in. It decides nothing else."""

from django.db import connection
from psycopg2.extras import Json

from compliance.card import services
from contacts.events import history
from contacts.jobs.bulk_undo import LATER, TOUCHED, undo_values
from contacts.models import Batch, User
from contacts.people.queries import ContactQuerySet, array
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome
from salesconnect.lib.transactions import act

# `wanted` says who gets which owner. The version and the time of change live on the card for the whole person; the
# event holds the names beside the numbers, for a user may be called something else later.
CHANGE = f"""
    given AS (
        UPDATE contacts_contact SET owner_id = wanted.owner_id FROM wanted WHERE id = wanted.contact_id
    ), touched_cards AS (
        UPDATE compliance_compliancecard card SET version = version + 1, updated_at = now()
        FROM wanted WHERE card.contact_id = wanted.contact_id
    ), logged AS (
        INSERT INTO contacts_contactevent ({history.COLUMNS})
        SELECT contact_id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s, jsonb_build_object(
            'owner', jsonb_build_array(%(names)s::jsonb -> was_id::text, %(names)s::jsonb -> owner_id::text),
            'owner_id', jsonb_build_array(was_id, owner_id))
        FROM wanted ORDER BY contact_id
    )
"""
ASSIGN = f"""
    WITH wanted AS MATERIALIZED (
        SELECT id AS contact_id, owner_id AS was_id, %(owner)s::bigint AS owner_id
        FROM contacts_contact WHERE id = ANY(%(ids)s) AND owner_id IS DISTINCT FROM %(owner)s::bigint
    ), {CHANGE}
    SELECT count(*) FROM wanted
"""
GIVE_BACK = f"""
    WITH {TOUCHED}, wanted AS MATERIALIZED (
        SELECT contact_id, contact.owner_id AS was_id,
               (SELECT holder.id FROM contacts_user holder WHERE holder.id = (changes -> 'owner_id' ->> 0)::bigint)
               AS owner_id
        FROM touched JOIN contacts_contact contact ON contact.id = contact_id WHERE NOT {LATER}
    ), {CHANGE}
    SELECT (SELECT count(*) FROM wanted),
           ARRAY(SELECT contact_id FROM touched EXCEPT SELECT contact_id FROM wanted ORDER BY contact_id)
"""


@act
def assign(contacts: ContactQuerySet, owner: User | None, *, actor: Actor, batch_id: int | None = None) -> Outcome:
    """Give all `contacts` to an owner, or to nobody; restricted people are refused."""
    actor.require("edit_people")
    ids, restricted = services.lock_unrestricted(contacts)
    values = {"ids": array(ids), "owner": owner.pk if owner else None, "names": _names(), "action": history.EDITED}
    with connection.cursor() as cursor:
        cursor.execute(ASSIGN, values | history.event_values(actor, batch_id))
        changed = cursor.fetchone()[0]
    return Outcome(changed=changed, unchanged=len(ids) - changed).refuse("restricted", restricted)


def give_back(contacts: ContactQuerySet, undone: Batch, batch: Batch, actor: Actor) -> Outcome:
    """Give one chunk back to the owners before the order `undone`, also to one whose account was closed since."""
    ids, restricted = services.lock_unrestricted(contacts)
    values = undo_values(ids, undone, batch, actor, ["owner_id"]) | {"names": _names()}
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, values)
        restored, changed_since = cursor.fetchone()
    untouched = len(ids) - restored - len(changed_since)
    outcome = Outcome(changed=restored, unchanged=untouched).refuse("restricted", restricted)
    return outcome.refuse("changed_since", changed_since)


def _names() -> Json:
    return Json({str(user.pk): str(user) for user in User.objects.all()})

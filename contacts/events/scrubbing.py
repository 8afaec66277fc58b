"""Scrubbing, the one change that the append-only history allows (GDPR art. 17): readable values are removed.

Time, actor, action, codes and dates stay. It needs an event that says so in the same transaction: a trigger refuses it
otherwise, and the verification of the history looks for that event.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from contacts.events import history
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill

EVENTS_OF_PEOPLE = "contact_id = ANY(%(numbers)s)"
# While a merge lasted that was undone later, events of the survivor could hold values of the absorbed person.
EVENTS_DURING_UNDONE_MERGES = """
    EXISTS (SELECT FROM contacts_merge m WHERE m.absorbed_id = ANY(%(numbers)s) AND m.undone_at IS NOT NULL
            AND m.survivor_id = contact_id AND contacts_contactevent.at BETWEEN m.at AND m.undone_at)
    AND contact_id IN (SELECT survivor_id FROM contacts_merge WHERE absorbed_id = ANY(%(numbers)s))
"""
FIND = """
    SELECT id, contact_id FROM contacts_contactevent
    WHERE {condition} AND contacts_contactevent.at < %(until)s AND changes <> contacts_scrubbed(changes)
"""
SCRUB = """
    UPDATE contacts_contactevent SET changes = contacts_scrubbed(changes)
    WHERE contact_id = ANY(%(people)s) AND id = ANY(%(events)s) AND at < %(until)s
"""


def scrub_people(numbers: Sequence[int], *, actor: Actor, batch_id: int | None = None) -> None:
    """Take the words out of all events of people who are being erased, which is on record, and what others heard.

    A trigger takes the salts of the seals with the words.
    """
    values = {"numbers": list(numbers)}
    told = scrub(EVENTS_OF_PEOPLE, values, actor=actor, batch_id=batch_id, recorded=numbers)
    scrub(EVENTS_DURING_UNDONE_MERGES, values, actor=actor, batch_id=batch_id, recorded=told)


def scrub(
    condition: str,
    values: Mapping[str, Any],
    *,
    actor: Actor,
    batch_id: int | None = None,
    recorded: Collection[int] = (),
) -> set[int]:
    """Take the words out of the events for which the SQL `condition` holds.

    Each history that loses words says so first, but for those of which this transaction has `recorded` it already.
    Returns all of which it has by now.
    """
    told = set(recorded)
    until = timezone.now() + history.CLOCK_SKEW
    with connection.cursor() as cursor:
        cursor.execute(fill(FIND, condition=condition), {**values, "until": until})
        found = cursor.fetchall()
        if not found:
            return told
        people = {contact_id for _event, contact_id in found}
        if others := sorted(people - told):
            history.record(others, history.SCRUBBED, actor=actor, batch_id=batch_id)
        cursor.execute(SCRUB, {"people": list(people), "events": [event for event, _person in found], "until": until})
    return told | people

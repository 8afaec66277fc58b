"""The one change that history allows: what an event says in words goes; when, who, which act, codes and dates stay."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from contacts import history

OF_PEOPLE = "contact_id = ANY(%(numbers)s)"
# What the survivor of a merge that was undone heard of the other meanwhile.
OF_UNDONE_MERGES = """
    EXISTS (SELECT FROM contacts_merge m WHERE m.absorbed_id = ANY(%(numbers)s) AND m.undone_at IS NOT NULL
            AND m.survivor_id = contact_id AND contacts_contactevent.at BETWEEN m.at AND m.undone_at)
    AND contact_id IN (SELECT survivor_id FROM contacts_merge WHERE absorbed_id = ANY(%(numbers)s))
"""


def scrub_people(numbers: Sequence[int]) -> list[int]:
    """Take the words out of all events of people who are being erased; return who else had heard of them.

    A trigger takes the salts of the seals with the words.
    """
    values = {"numbers": list(numbers)}
    scrub(OF_PEOPLE, values)
    return scrub(OF_UNDONE_MERGES, values)


def scrub(condition: str, values: Mapping[str, Any]) -> list[int]:
    """Take the words out of the events for which the SQL `condition` holds; return whose events they were."""
    statement = f"""
        WITH scrubbed AS (
            UPDATE contacts_contactevent SET changes = contacts_scrubbed(changes)
            WHERE {condition} AND contacts_contactevent.at < %(until)s AND changes <> contacts_scrubbed(changes)
            RETURNING contact_id
        ) SELECT DISTINCT contact_id FROM scrubbed ORDER BY 1
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {"until": timezone.now() + history.CLOCKS_DIFFER, **values})
        return [row[0] for row in cursor]

"""Collects the strings that identify people, present and past, from every place that keeps them."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from django.db import connection
from django.utils import timezone

from contacts.events import history
from contacts.models import Contact, User
from contacts.people.field_registry import Trace, traced_by
from contacts.people.queries import InArray
from exports.erasure.traces import WHOLE, Traces, words
from salesconnect.lib.database.sql import fill

DETAILS = (*traced_by(Trace.NAME, Trace.ADDRESS), "email_key", *WHOLE)
NOW = fill("SELECT id, {details} FROM contacts_contact WHERE id = ANY(%s)", details=", ".join(DETAILS))
# Former values: from the history, from merged records, and the addresses that mail went to.
BEFORE = """
    SELECT contact_id, key, value->>side
    FROM contacts_contactevent, jsonb_each(changes) each, (VALUES (0), (1)) s (side)
    WHERE contact_id = ANY(%(numbers)s) AND at < %(until)s AND action IN ('edited', 'merged', 'created')
    AND key = ANY(%(details)s) AND jsonb_typeof(value) = 'array' AND value->>side <> ''
    UNION SELECT absorbed_id, key, value FROM contacts_merge, jsonb_each_text(absorbed->'details') each
    WHERE absorbed_id = ANY(%(numbers)s) AND absorbed ? 'details' AND value <> ''
    UNION SELECT contact_id, 'email', email FROM unsubscribes_message
    WHERE contact_id = ANY(%(numbers)s) AND email <> ''
"""


def traces_of(ids: Sequence[int], numbers: Sequence[int]) -> Traces:
    """Return the traces of these people; `numbers` are their ids and those of the records merged into them."""
    people: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for number, name, value in _values(ids, numbers):
        people[number][name].append(value)
    traces = Traces(_shared(ids))
    for values in people.values():
        traces.add(values)
    return traces


def _values(ids: Sequence[int], numbers: Sequence[int]) -> Iterator[tuple[int, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(NOW, [list(ids)])
        for number, *values in cursor:
            yield from ((number, name, value) for name, value in zip(DETAILS, values, strict=True) if value)
        until = timezone.now() + history.CLOCK_SKEW
        cursor.execute(BEFORE, {"numbers": list(numbers), "details": list(DETAILS), "until": until})
        yield from cursor


def _shared(ids: Sequence[int]) -> Callable[[str], bool]:
    """Return a function that tells whether a word is also a name or company of another person, or a user's name."""
    colleagues = {
        word
        for names in User.objects.values_list("first_name", "last_name", "username")
        for name in names
        for word in words(name)
    }

    @cache
    def shared(word: str) -> bool:
        return word in colleagues or Contact.objects.matching(word).exclude(InArray(ids)).exists()

    return shared

"""Building blocks of the record checks: how differences are found, and corrected where there is one right answer."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from django.db import connection, transaction

from compliance.card import card_changes
from contacts.events import history
from contacts.models import Contact
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill
from salesconnect.lib.text import Text
from unsubscribes.crm import provider_registry

T = TypeVar("T")

CHUNK = 1_000
"""Rows that are corrected in one transaction."""
COUNT = "SELECT count(*), min(id)::text FROM ({rows}) AS found (id)"
ALL = "SELECT id FROM ({rows}) AS found (id) ORDER BY id"
AMONG = "SELECT id FROM ({rows}) AS found (id) WHERE id = ANY(%(ids)s) ORDER BY 1"


@dataclass(frozen=True, slots=True)
class DifferenceCount:
    """How many differences there are, and the id of one of them as an example; never an address or a name."""

    count: int = 0
    example: str = ""

    def __add__(self, other: "DifferenceCount") -> "DifferenceCount":
        return DifferenceCount(self.count + other.count, self.example or other.example)


Mend = Callable[[Actor], int]


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of difference.

    `words` is its label; `%(crm)s` in it stands for the name of the CRM. `find` counts it. Checks that share one pass
    over the data have the same `find`, which returns a count for each of them by name. `mend` returns how many it
    corrected; None if a person must decide.
    """

    name: str
    words: Text
    find: Callable[[], DifferenceCount | Mapping[str, DifferenceCount]]
    mend: Mend | None = None

    def in_words(self) -> str:
        return str(self.words) % {"crm": provider_registry.spoken_of()}


def counted(rows: str, values: Mapping[str, Any] | None = None) -> DifferenceCount:
    with connection.cursor() as cursor:
        cursor.execute(fill(COUNT, rows=rows), values or {})
        count, example = cursor.fetchone()
    return DifferenceCount(count, example or "")


def finder(rows: str) -> Callable[[], DifferenceCount]:
    return lambda: counted(rows)


def ids_of(query: str, values: Mapping[str, Any] | None = None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, values or {})
        return [row[0] for row in cursor]


def changed(statement: str, values: Mapping[str, Any] | None = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or {})
        return int(cursor.rowcount)


def chunks(rows: str, values: Mapping[str, Any] | None = None) -> Iterator[list[int]]:
    """Yield the ids that a query finds in chunks, each in a transaction of its own that lasts while the chunk is used.

    The query may read whole tables, so it runs once and the ids are kept in memory, eight bytes each. By the time a
    chunk is used its rows may have changed: ask `still_found` again.
    """
    found = array("q")
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(fill(ALL, rows=rows), values or {})
        found.extend(row[0] for row in cursor)
    for start in range(0, len(found), CHUNK):
        with transaction.atomic():
            yield list(found[start : start + CHUNK])


def still_found(rows: str, ids: Sequence[int]) -> list[int]:
    """Return those of the ids that the query still finds."""
    return ids_of(fill(AMONG, rows=rows), {"ids": list(ids)})


def pieces(all_of_them: Iterable[T], number: int) -> Iterator[list[T]]:
    rest = iter(all_of_them)
    while piece := list(islice(rest, number)):
        yield piece


def mender(rows: str, act: Callable[[list[int], Actor], int]) -> Mend:
    """Return a `mend` for the people whom a query finds. It locks their cards and checks again before it acts."""

    def mend(actor: Actor) -> int:
        total = 0
        for ids in chunks(rows):
            card_changes.lock(Contact.objects.among(ids))
            total += act(still_found(rows, ids), actor)
        return total

    return mend


def record_correction(ids: list[int], what: str, actor: Actor) -> int:
    """Record a correction of `what` in these people's histories, for corrections that have no event of their own."""
    history.record(ids, history.CORRECTED, actor=actor, changes={"mended": (None, what)})
    return len(ids)

"""Answers of queries that are read page by page: which rows, in which order, until when."""

from array import array
from dataclasses import dataclass

from tests.salesforce_org.clock import Clock
from tests.salesforce_org.ids import QUERY_LOCATOR, make_id
from tests.salesforce_org.schema import Field
from tests.salesforce_org.settings import Settings


@dataclass(frozen=True)
class Cursor:
    """The rows that a query found, by number; their values are read when their page is."""

    object: str
    fields: list[Field]
    numbers: array
    ends: float = 0


class Locators:
    """Cursors by locator; a page can be asked for again until its cursor ends."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self.clock, self.settings = clock, settings
        self._cursors: dict[str, Cursor] = {}
        self._count = 0

    def keep(self, cursor: Cursor) -> str:
        """Keep a cursor; return its locator."""
        self._count += 1
        locator = make_id(QUERY_LOCATOR, self._count)
        ends = self.clock.time() + self.settings.locator_seconds
        self._cursors[locator] = Cursor(cursor.object, cursor.fields, cursor.numbers, ends)
        return locator

    def find(self, locator: str) -> Cursor | None:
        """Return the cursor of a locator that has not ended."""
        cursor = self._cursors.get(locator)
        return cursor if cursor and cursor.ends > self.clock.time() else None

    def expire(self) -> None:
        """End all of them."""
        self._cursors = {}

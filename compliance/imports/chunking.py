"""From the records of a file to people, a chunk at a time: what can be judged without the database."""

import datetime as dt
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.utils import translation
from django.utils.translation import get_language

from compliance.card.staging import NewPerson, copy_line
from compliance.imports.mapping import Mapping, apply
from compliance.imports.row_optouts import RowOptOut, find_optout
from compliance.imports.rows import clean_row
from salesconnect.lib.csv import RowError, Table

Row = tuple[int, list[str] | RowError]

CHUNK_ROWS = 10_000
CHUNK_CHARACTERS = 2_000_000
"""A chunk ends at either, so that rows of a megabyte cannot fill the memory."""


@dataclass(slots=True)
class RejectedRow:
    """A row that is not taken: its line, why, and its cells as far as they could be read."""

    line: int
    reason: str
    cells: list[str]


@dataclass(slots=True)
class Chunk:
    """Rows that are taken in together: people as COPY takes them, the cells of each by line, and the other rows."""

    people: list[str] = field(default_factory=list)
    cells: dict[int, list[str]] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)
    # The "no" of rows, by line: it is taken also from a rejected row.
    said_no: dict[int, RowOptOut] = field(default_factory=dict)
    last_line: int = 0

    @property
    def rows(self) -> int:
        return len(self.cells) + len(self.rejected)


def rows_after(table: Table, line: int) -> Generator[Row]:
    """Yield the rows of a file that begin after a line: all after 0, else from where an earlier reading stopped."""
    for row in table:
        if row[0] > line:
            yield row


def chunks(rows: Iterator[Row], mapping: Mapping, today: dt.date) -> Generator[Chunk]:
    """Yield the rows in chunks. A thread reads the next one while the caller, and so the database, works on this one.

    `today` is the last day on which a consent can have been given.
    """
    language = get_language()

    def ahead() -> Chunk | None:
        with translation.override(language):  # which is the thread's own
            return next_chunk(rows, mapping, today)

    with ThreadPoolExecutor(max_workers=1) as reader:
        reading = reader.submit(ahead)
        while (chunk := reading.result()) is not None:
            reading = reader.submit(ahead)
            yield chunk


def next_chunk(rows: Iterator[Row], mapping: Mapping, today: dt.date) -> Chunk | None:
    """Read on until the chunk is full or the file ends; None at the end."""
    chunk = Chunk()
    characters = count = 0
    for line, cells in rows:
        chunk.last_line = line
        if isinstance(cells, RowError):
            chunk.rejected.append(RejectedRow(line, cells.reason, cells.cells))
            if heard := find_optout(mapping, cells.cells or cells.glimpse):
                chunk.said_no[line] = heard
            characters += sum(map(len, cells.cells))
        else:
            _add(chunk, line, cells, mapping, today)
            characters += sum(map(len, cells))
        count += 1
        if count >= CHUNK_ROWS or characters >= CHUNK_CHARACTERS:
            break
    return chunk if count else None


def _add(chunk: Chunk, line: int, cells: list[str], mapping: Mapping, today: dt.date) -> None:
    row = clean_row(apply(mapping, cells), today=today)
    heard = find_optout(mapping, cells)
    if heard:
        chunk.said_no[line] = heard
    if isinstance(row, RowError):
        chunk.rejected.append(RejectedRow(line, row.reason, cells))
        return
    reason = heard.reason if heard else ""
    person = NewPerson(row.details, row.authorization, row.source, line, heard is not None, reason)
    chunk.people.append(copy_line(person))
    chunk.cells[line] = cells

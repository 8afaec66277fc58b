"""CSV records with a bound on their length: `csv.reader` fed with lines of limited size."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

from django.utils.translation import gettext as _

LINE_LIMIT = 1 << 20
"""Characters of one record, 1 MB."""
PREVIEW_LENGTH = 1 << 12
"""Characters kept from both ends of an unreadable record: an opt-out may still be found there."""

# The csv module limits a cell to 128 KB for the whole process; raised, because LINE_LIMIT is checked before it.
csv.field_size_limit(max(csv.field_size_limit(), LINE_LIMIT + 1))


class FileRefused(Exception):  # noqa: N818
    """The file cannot be imported; the message says why, translated."""


@dataclass(frozen=True, slots=True)
class RowError:
    """Why one record cannot be used, and its cells as far as they could be read.

    Of a record without cells `glimpse` has those at its beginning and those at its end, which are not to be kept.
    """

    reason: str
    cells: list[str] = field(default_factory=list)
    glimpse: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Record:
    """The state of the record being read, shared by the line source and `records`."""

    length: int = 0
    last_line: str = ""
    has_nul: bool = False
    head: str = ""
    tail: str = ""

    def glimpse(self, delimiter: str) -> list[str]:
        """Return the cells at both ends, as far as they can be told apart."""
        parts = (
            [self.head] if len(self.head) < PREVIEW_LENGTH and self.length <= PREVIEW_LENGTH else [self.head, self.tail]
        )
        return [cell for part in parts for cell in next(csv.reader([part.replace("\0", "")], delimiter=delimiter), [])]


def records(text: TextIO, delimiter: str) -> Iterator[tuple[int, list[str] | RowError]]:
    """Yield (line on which the record starts, its cells or what is wrong with it); blank records are left out.

    Raises FileRefused at a quote that is never closed: it would swallow all that follows into one cell.
    """
    record = _Record()
    reader = csv.reader(_lines(text, record), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        record.length, record.head, record.tail = 0, "", ""
        try:
            cells = next(reader, None)
        except csv.Error:
            _refuse_unclosed(record, number, reader.line_num)
            reason = _("A quotation mark stands in the middle of a quoted cell.")
            yield number, RowError(reason, glimpse=record.glimpse(delimiter))
            continue
        if cells is None:
            return
        if record.length > LINE_LIMIT:
            yield number, RowError(_("The row is longer than 1 MB."), glimpse=record.glimpse(delimiter))
        elif record.has_nul:
            yield (
                number,
                RowError(
                    _("The row contains NUL characters."),
                    [cell.replace("\0", "\N{REPLACEMENT CHARACTER}") for cell in cells],
                ),
            )
        elif any(cells):
            yield number, cells
        record.has_nul = False


def _lines(text: TextIO, record: _Record) -> Iterator[str]:
    """Yield physical lines. An overlong record is reduced to the parity of its quotes, so that csv finds its end."""
    while line := text.readline(LINE_LIMIT + 1):
        record.length += len(line)
        record.head = record.head or line[:PREVIEW_LENGTH]
        record.tail = line[-PREVIEW_LENGTH:]
        if record.length > LINE_LIMIT:
            quotes, record.tail = _quotes_to_line_end(line, text)
            line = '"' * (quotes % 2)
        elif "\0" in line:
            record.has_nul = True
        record.last_line = line
        yield line
    record.last_line = '"'


def _quotes_to_line_end(piece: str, text: TextIO) -> tuple[int, str]:
    """Read to the end of a line; return how many quotation marks came, and the line's last characters."""
    quotes, tail = piece.count('"'), piece[-PREVIEW_LENGTH:]
    while piece and piece[-1] not in "\r\n":
        piece = text.readline(LINE_LIMIT)
        quotes += piece.count('"')
        tail = (tail + piece)[-PREVIEW_LENGTH:]
    return quotes, tail


def _refuse_unclosed(record: _Record, first: int, last: int) -> None:
    """Raise `FileRefused` when a quote was never closed; a stray quote within one line spoils only that row."""
    if last > first or record.last_line.count('"') % 2:
        raise FileRefused(_("A quotation mark opened on line %(line)d is not closed.") % {"line": first})

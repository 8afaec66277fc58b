"""Reads CSV files of any common dialect and encoding in constant memory."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

from django.utils.translation import gettext as _

from salesconnect.lib.csv.bounded_reader import FileRefused, RowError, records
from salesconnect.lib.csv.encoding import detect
from salesconnect.lib.csv.writing import BOM, unsafe_cell

FILE_LIMIT = 200 << 20
"""Bytes of a file, 200 MB."""
COLUMN_LIMIT = 200
DELIMITERS = (",", ";", "\t")

_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # zip (xlsx, ods) and OLE (xls)
_SAMPLE = 64 << 10
_LEAST_FOR_FOOTER = 3

Source = str | Path | BinaryIO
TableRow = tuple[int, list[str] | RowError]


@dataclass(frozen=True)
class Table:
    """A CSV file that was found readable: its dialect, header and number of rows; iteration yields the rows.

    Each iteration reads the source anew, so only one may run at a time over an open file.
    """

    source: Source
    encoding: str
    delimiter: str
    headers: list[str]
    total: int

    def __iter__(self) -> Iterator[TableRow]:
        """Yield (physical line on which the row starts, a cell for each header or what is wrong with the row)."""
        with _text(self.source, self.encoding) as text:
            rows = records(text, self.delimiter)
            next(rows)
            width = len(self.headers)
            for number, cells in rows:
                if isinstance(cells, RowError):
                    yield number, cells
                else:
                    plain = [unsafe_cell(cell) if cell[:1] == "'" else cell for cell in cells]
                    yield number, plain if len(plain) == width else _fit_to_width(plain, width)


def open_table(source: Source, encoding: str | None = None) -> Table:
    """Return the table in a file, given by its path or open for binary reading (and seekable).

    The file is read once from end to end, so that `total` is known and nothing has been imported from a file that
    must be refused. Raises FileRefused for what is too large, empty, no text, a spreadsheet, a header alone or too
    wide, or has a quote that is never closed. `encoding` overrules what is recognised.
    """
    with _binary(source) as file:
        _refuse_early(file)
        codec = encoding or detect(file)
    if codec is None:
        raise FileRefused(_("The file is not text in UTF-8, UTF-16 or Windows-1252."))
    try:
        delimiter = _delimiter(source, codec)
        headers, total = _survey(source, codec, delimiter)
    except UnicodeError as error:
        raise FileRefused(_("The file is not text in the chosen encoding.")) from error
    return Table(source, codec, delimiter, headers, total)


@contextmanager
def _binary(source: Source) -> Iterator[BinaryIO]:
    if isinstance(source, str | Path):
        with Path(source).open("rb") as file:
            yield file
    else:
        source.seek(0)
        yield source


@contextmanager
def _text(source: Source, encoding: str) -> Iterator[TextIO]:
    with _binary(source) as file:
        text = io.TextIOWrapper(file, encoding, newline="")
        try:
            yield text
        finally:
            text.detach()  # otherwise the wrapper would close the caller's file


def _refuse_early(file: BinaryIO) -> None:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > FILE_LIMIT:
        raise FileRefused(_("The file is larger than 200 MB."))
    if file.read(8).startswith(_SPREADSHEETS):
        raise FileRefused(_("The file is a spreadsheet. Save it as CSV and import that file."))


def _delimiter(source: Source, encoding: str) -> str:
    with _text(source, encoding) as text:
        sample = text.read(_SAMPLE)
    return max(DELIMITERS, key=lambda delimiter: _delimiter_score(sample, delimiter))


def _delimiter_score(sample: str, delimiter: str) -> tuple[float, int]:
    """Return how well a delimiter fits: the share of rows as wide as the header, then the number of header cells.

    A header cell that starts with a space is not counted, because there the comma is part of a sentence.
    """
    rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    header, *others = islice(filter(None, rows), 21) if sample.strip() else ([],)
    even = sum(len(row) == len(header) for row in others) / (len(others) or 1)
    return (even if len(header) > 1 else -1, sum(cell[:1] != " " for cell in header))


def _survey(source: Source, encoding: str, delimiter: str) -> tuple[list[str], int]:
    with _text(source, encoding) as text:
        rows = records(text, delimiter)
        header = next(rows, None)
        if header is None:
            raise FileRefused(_("The file is empty."))
        cells = header[1]
        if isinstance(cells, RowError):
            raise FileRefused(_("The header cannot be read: %(reason)s") % {"reason": cells.reason})
        if len(cells) > COLUMN_LIMIT:
            raise FileRefused(_("The file has more than 200 columns."))
        total = sum(1 for _row in rows)
    if not total:
        raise FileRefused(_("The file has a header and no rows."))
    return [unsafe_cell(cell.lstrip(BOM)).strip() for cell in cells], total


def _fit_to_width(cells: list[str], width: int) -> list[str] | RowError:
    """Return the cells padded or cut to the width of the header; an error where that could misplace a value."""
    if len(cells) > width:
        if any(cells[width:]):
            return RowError(_("The row has more cells than the header."), cells[:COLUMN_LIMIT])
        return cells[:width]
    if any("\n" in cell or "\r" in cell for cell in cells):
        return RowError(_("Several lines were read as one short row: is a quotation mark missing?"), cells)
    if len(cells) == 1 and width >= _LEAST_FOR_FOOTER:
        # Reports end with such lines ("Confidential Information"); they must not become people.
        return RowError(_("The row has a single cell."), cells)
    return cells + [""] * (width - len(cells))

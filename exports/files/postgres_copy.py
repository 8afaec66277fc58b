"""People as CSV rows, written by PostgreSQL's COPY. The guard against spreadsheet formulas is part of the SELECT."""

from collections.abc import Sequence
from io import BufferedWriter, RawIOBase
from typing import IO, TYPE_CHECKING

from django.db import connections, transaction

from contacts.people.queries import array, id_range
from exports.files.csv_column_registry import ALL_COLUMNS, CsvColumn
from salesconnect.lib.csv import PHONE
from salesconnect.lib.database.sql import fill

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# The same guard as salesconnect.lib.csv.safe_cell, in SQL. White space is listed, because \s depends on the locale.
SPACE = " \t\n\r\f\v\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u200b"
AT_ONCE = "\t\r\n=+-@＝＋－＠"
PERHAPS = "'" + SPACE.replace("-", "\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009")
RUNS = rf"^'*(?:[\t\r\n]|[{SPACE}]*[=+\-@＝＋－＠])"

# Ids that lie close together are read as one range of both tables, which is faster than many single look-ups.
STRETCH = "id BETWEEN %(first)s AND %(last)s AND contact_id BETWEEN %(first)s AND %(last)s AND id <> ALL(%(gaps)s)"
EACH = "id = ANY(%(ids)s)"

# Buffer size in bytes, small enough to stay in the CPU's cache.
PIECE = 1 << 17

COPY = """
    COPY (SELECT {cells} FROM contacts_contact JOIN compliance_compliancecard ON contact_id = id
          WHERE {people} ORDER BY id)
    TO STDOUT (FORMAT csv, NULL '{null}')
"""
# COPY quotes values that equal the NULL marker. With a marker that never occurs, empty cells stay unquoted.
NO_NULLS = "\x01"


def append(ids: Sequence[int], file: IO[bytes], *, using: str = "default") -> tuple[int, int]:
    """Append a row for each person who exists to `file`, in the order of their ids, from the database `using`.

    Returns the number of rows and of bytes.
    """
    if not ids:
        return 0, 0
    near = id_range(ids)
    cells = ", ".join(_cell(column) for column in ALL_COLUMNS)
    # Closing `lines` on an error keeps BufferedWriter from flushing half a row into the file when it is collected.
    with _Lines(file) as lines, transaction.atomic(using=using), connections[using].cursor() as cursor:
        query = cursor.mogrify(
            fill(COPY, cells=cells, people=STRETCH if near else EACH, null=NO_NULLS),
            {
                **({"first": near.first, "last": near.last, "gaps": array(near.gaps)} if near else {"ids": array(ids)}),
                "at_once": AT_ONCE,
                "perhaps": PERHAPS,
                "runs": RUNS,
                "phone": f"^{PHONE}$",
            },
        )
        # The events of the same people are inserted at the same time by another connection, which needs the other CPU.
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        out = BufferedWriter(lines, PIECE)
        cursor.copy_expert(query, out)
        out.flush()
        return cursor.rowcount, lines.size


class _Lines(RawIOBase):
    """Turns COPY's LF at the end of rows into CRLF (RFC 4180). Line feeds inside quotes belong to the data and stay."""

    def __init__(self, file: IO[bytes]) -> None:
        """Write to `file`; `size` counts the bytes."""
        self.file, self.size, self.quoted = file, 0, False

    def writable(self) -> bool:
        return True

    def write(self, rows: "ReadableBuffer") -> int:
        """Write the next piece of the output, which may end anywhere, also inside quotes."""
        piece = bytes(rows)
        pieces = piece.split(b'"')
        outside = slice(1 if self.quoted else 0, None, 2)
        pieces[outside] = [text.replace(b"\n", b"\r\n") for text in pieces[outside]]
        self.quoted ^= len(pieces) % 2 == 0  # an odd number of quotes: the next piece begins on the other side
        self.size += self.file.write(b'"'.join(pieces))
        return len(piece)


def _cell(column: CsvColumn) -> str:
    """Return SQL for a cell. Most are empty or begin with an ASCII letter, so these cheap tests come first."""
    key = column.key
    guarded = f"'''' || {key}"
    return column.form.sql.format(key) or (
        f"CASE WHEN {key} = '' THEN {key} WHEN {key} COLLATE \"C\" BETWEEN 'A' AND '~' THEN {key}"
        f" WHEN strpos(%(at_once)s, left({key}, 1)) > 0 THEN CASE WHEN {key} ~ %(phone)s THEN {key} ELSE {guarded} END"
        f" WHEN strpos(%(perhaps)s, left({key}, 1)) > 0 AND {key} ~ %(runs)s THEN {guarded} ELSE {key} END"
    )

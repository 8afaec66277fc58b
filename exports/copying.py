"""People to CSV inside PostgreSQL: COPY writes the rows, guarded against formulas in the SELECT itself."""

from typing import IO

from django.db import connections

from compliance.rules import AuthorizationType, SourceType
from exports.columns import ALL_COLUMNS

# What salesconnect.lib.csv.safe_cell guards, in PostgreSQL's words: white space is spelt out, for \s depends on locale.
SPACE = " \t\n\r\f\v\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\u200b"
FIRST = "'" + SPACE.replace("-", "\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009") + "=+-@＝＋－＠"
RUNS = rf"^'*(?:[\t\r\n]|[{SPACE}]*[=+\-@＝＋－＠])"

TIME = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
CODES = {
    "authorization_type": f"(ARRAY{AuthorizationType.slugs()!r})[authorization_type]",
    "source_type": f"(ARRAY{SourceType.slugs()!r})[source_type]",
    "unsubscribed": "CASE WHEN unsubscribed THEN 'true' ELSE 'false' END",
    "exported_at": TIME.format("now()"),
    "updated_at": TIME.format("updated_at"),
    "created_at": TIME.format("created_at"),
    "consent_date": "consent_date",
    "id": "id",
}


class CrlfFile:
    """Gives each row COPY hands over, which ends in a line feed, the line end of RFC 4180, and counts the bytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.size = 0

    def write(self, row: bytes) -> None:
        """Write one row."""
        self.size += self.file.write(row[:-1] + b"\r\n")


def append(ids: list[int], file: IO[bytes], *, using: str = "default") -> int:
    """Append a row for each person to `file`, read from the database `using`; returns the number of bytes."""
    out = CrlfFile(file)
    cells = ", ".join(_cell(column.key) for column in ALL_COLUMNS)
    with connections[using].cursor() as cursor:
        query = cursor.mogrify(
            f"COPY (SELECT {cells} FROM contacts_contact JOIN compliance_compliancecard ON contact_id = id"
            " WHERE id = ANY(%(ids)s) ORDER BY id) TO STDOUT (FORMAT csv)",
            {"ids": ids, "first": FIRST, "runs": RUNS},
        )
        cursor.copy_expert(query, out)
    return out.size


def _cell(key: str) -> str:
    return CODES.get(key) or (
        f"CASE WHEN strpos(%(first)s, left({key}, 1)) > 0 AND {key} <> '' AND {key} ~ %(runs)s"
        f" THEN '''' || {key} ELSE {key} END"
    )

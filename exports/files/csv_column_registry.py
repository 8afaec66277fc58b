"""The columns of exported CSV files, their text form, and the names of the files. Pure."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from contacts.people.field_registry import BY_NAME, DETAILS, FieldKind

NAME_LIMIT = 80
_GAPS = re.compile(r"[\s\-‐-―_/]+")
_UNSAFE = re.compile(r"[^\w-]+")


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _time(value: dt.datetime | None) -> str:
    return "" if value is None else f"{value.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _authorization(code: int | None) -> str:
    return "" if code is None else AuthorizationType(code).slug


def _source(code: int | None) -> str:
    return "" if code is None else SourceType(code).slug


def _yes_or_no(value: bool) -> str:
    return "true" if value else "false"


class Form(NamedTuple):
    """How a value is written: as text by Python, and in SQL, where `{}` is the column; text of strangers has none.

    What people wrote is guarded against formulas, by `salesconnect.lib.csv` and by `postgres_copy`.
    """

    text: Callable[[Any], str]
    sql: str = ""


_TIME_SQL = "coalesce(to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), '')"
TEXT = Form(_text)
CODE = Form(_text, "{}")
DAY = Form(_text, "coalesce({}::text, '')")
TIME = Form(_time, _TIME_SQL)
NOW = Form(_time, f"(SELECT {_TIME_SQL.format('now()')})")
YES_OR_NO = Form(_yes_or_no, "CASE WHEN {} THEN 'true' ELSE 'false' END")
AUTHORIZATION = Form(_authorization, f"coalesce((ARRAY{AuthorizationType.slugs()!r})[{{}}], '')")
SOURCE = Form(_source, f"coalesce((ARRAY{SourceType.slugs()!r})[{{}}], '')")


class CsvColumn(NamedTuple):
    """A column: its header, which is part of the interface and never translated; the key of its value, and its form.

    The key is a column of the person or of the card.
    """

    header: str
    key: str
    form: Form = TEXT


# The order is part of the public interface, so a new column is put before the last one.
_FIRST = ("first_name", "last_name", "company", "title", "email", "phone", "website", "other")
_LATER = ("facebook", "twitter", "linkedin")
_ADDED = tuple(name for name in DETAILS if name not in {*_FIRST, "salesforce_id", *_LATER})


def _details(*names: str) -> tuple[CsvColumn, ...]:
    fields = [BY_NAME[name] for name in names]
    return tuple(
        CsvColumn(field.header, field.name, CODE if field.kind == FieldKind.CODE else TEXT) for field in fields
    )


COLUMNS = (
    *_details(*_FIRST),
    CsvColumn("Updated At", "updated_at", TIME),
    CsvColumn("Created At", "created_at", TIME),
    *_details("salesforce_id"),
    CsvColumn("Person ID", "id", CODE),
    *_details(*_LATER, *_ADDED),
    CsvColumn("Exported At", "exported_at", NOW),
)
"""The columns of a single person's export."""

CARD_COLUMNS = (
    CsvColumn("Authorization Type", "authorization_type", AUTHORIZATION),
    CsvColumn("Authorization Other", "authorization_other"),
    CsvColumn("Date of Consent", "consent_date", DAY),
    CsvColumn("Purpose of Processing", "consent_purpose"),
    CsvColumn("Source Type", "source_type", SOURCE),
    CsvColumn("Source Other", "source_other"),
    CsvColumn("Unsubscribed", "unsubscribed", YES_OR_NO),
)
"""The compliance card; bulk exports have these after the person's columns."""

ALL_COLUMNS = COLUMNS + CARD_COLUMNS


def header(columns: tuple[CsvColumn, ...]) -> list[str]:
    return [column.header for column in columns]


def cells(values: Mapping[str, Any], columns: tuple[CsvColumn, ...]) -> list[str]:
    """Return one row: times (aware) in UTC as 2026-11-23T10:15:00Z, dates in ISO 8601, card types as their slugs."""
    return [column.form.text(values[column.key]) for column in columns]


def file_name(first: str, last: str, day: dt.date, person_id: int) -> str:
    """Return the name of one person's file, such as `Anna-Berg-2026-11-23.csv`: letters, digits and hyphens only.

    If nothing of the name is left, it is `person-<id>-…`.
    """
    name = _UNSAFE.sub("", _GAPS.sub("-", unicodedata.normalize("NFC", f"{first} {last}"))).strip("-")
    return f"{name[:NAME_LIMIT].strip('-') or f'person-{person_id}'}-{day.isoformat()}.csv"


def content_disposition(name: str) -> str:
    """Return the `Content-Disposition` header for a download (RFC 6266): the name in UTF-8 and an ASCII fallback.

    Django's helper sends one of the two; clients that do not know `filename*` would get no name at all.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    plain = plain.encode("ascii", "replace").decode().replace("?", "_")
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'

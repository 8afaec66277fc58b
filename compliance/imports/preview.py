"""What an import would make of a file: its columns with an example each, and the first rows as they will be read."""

from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO, cast

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from compliance.imports.chunking import Row
from compliance.imports.headers import FULL_NAME
from compliance.imports.import_jobs import columns_of
from compliance.imports.mapping import Mapping, apply
from compliance.imports.rows import LABELS, CleanRow, clean_row
from compliance.models import ImportJob
from salesconnect.lib.csv import RowError, Table

ROWS = 10
EXAMPLE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row as it will be read: the texts of the shown fields, or why it will be rejected."""

    number: int
    texts: list[str]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """The labels of the fields that the file fills, its first rows, and the first text in each column."""

    labels: list[str] = field(default_factory=list)
    lines: list[PreviewRow] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


def preview(job: ImportJob) -> Preview:
    """Read the beginning of the file; empty when the file is no longer there."""
    try:
        with job.file.open("rb") as file:
            rows = list(islice(Table(cast("BinaryIO", file), total=job.total, **job.table), ROWS))
    except (OSError, ValueError):
        return Preview()
    mapping = columns_of(job)
    fields = _fields(mapping)
    cells = [row for _number, row in rows if not isinstance(row, RowError)]
    columns = range(len(job.table["headers"]))
    return Preview(
        labels=[str(LABELS[name]) for name in fields],
        lines=[_line(row, mapping, fields) for row in rows],
        examples=[next((row[index] for row in cells if row[index].strip()), "")[:EXAMPLE_LENGTH] for index in columns],
    )


def _fields(mapping: Mapping) -> list[str]:
    filled = set(mapping.columns.values())
    if FULL_NAME in filled:
        filled |= {"first_name", "last_name"}
    return [name for name in LABELS if name in filled]


def _line(row: Row, mapping: Mapping, fields: list[str]) -> PreviewRow:
    number, cells = row
    if isinstance(cells, RowError):
        return PreviewRow(number, [], cells.reason)
    values = apply(mapping, cells)
    person = clean_row(values, today=timezone.localdate())
    if isinstance(person, RowError):
        return PreviewRow(number, [values.get(name, "").strip()[:EXAMPLE_LENGTH] for name in fields], person.reason)
    texts = _texts(person)
    return PreviewRow(number, [texts.get(name, "")[:EXAMPLE_LENGTH] for name in fields])


def _texts(person: CleanRow) -> dict[str, str]:
    authorization, source = person.authorization, person.source
    return {
        **person.details,
        "authorization_type": str(authorization.type.label) if authorization.type else "",
        "authorization_other": authorization.other,
        "consent_date": date_format(authorization.consent_date) if authorization.consent_date else "",
        "consent_purpose": authorization.consent_purpose,
        "source_type": str(source.type.label) if source.type else "",
        "source_other": source.other,
        "opted_out": _("Yes") if person.opted_out else "",
    }

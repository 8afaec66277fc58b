"""Import of a file: new people, then the same file again, against COPY of the same rows into equal tables."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from django.core.files import File
from django.db import connection
from django.utils import timezone

from compliance.imports import import_jobs
from salesconnect.bench.bulk import ACTOR
from salesconnect.bench.measure import Measure, compared, limited, once
from salesconnect.bench.plans import Scans
from salesconnect.bench.site import in_a_worker
from salesconnect.demo import fictitious
from salesconnect.lib import csv
from salesconnect.lib.database.sql import fill

HEADER = ("First Name", "Last Name", "Company", "Title", "Email ID", "Phone Number", "Website")
FIELDS = ("first_name", "last_name", "company", "title", "email", "phone", "website")
SEED = 99
SHADOW = """
    CREATE TABLE bench_contact (LIKE contacts_contact INCLUDING ALL);
    CREATE TABLE bench_card (LIKE compliance_compliancecard INCLUDING ALL);
"""
SOME = "COPY (SELECT {columns} FROM {table} ORDER BY {key} LIMIT {people}) TO STDOUT"
COPIES = (("contacts_contact", "bench_contact"), ("compliance_compliancecard", "bench_card"))


def measures(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the measures of an import of `people` rows: new ones, then the same again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        _write(path, people)
        # A busy moment of the machine meets both: the yardstick is taken before and after.
        before = _copy_in(people, Path(folder))
        first, peak = _import(path)
        after = _copy_in(people, Path(folder))
        again, _peak = _import(path)
    yield compared(f"import of {people:,} rows", first, (before + after) / 2, 2.5)
    yield compared("the same file again", again, first, 0.5)
    yield limited("peak memory of the import", peak, 300, "MB")


def _write(path: Path, people: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(csv.line(HEADER))
        # Numbered beyond everybody who is there, so that all are new.
        newcomers = fictitious.people(people, seed=SEED, first=10**8, today=timezone.localdate())
        file.writelines(csv.line([person.details[name] for name in FIELDS]) for person in newcomers)


def _import(path: Path) -> tuple[float, float]:
    """Import the file in a worker; return its seconds and its peak memory in MB."""
    with path.open("rb") as file:
        job = import_jobs.start(File(file, name=path.name), path.name, actor=ACTOR)
    return in_a_worker("import", job.pk)


def _copy_in(people: int, folder: Path) -> float:
    """Return how long COPY takes to bring as many rows into equal tables with equal indexes."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_contact, bench_card")
        cursor.execute(SHADOW)
        total = 0.0
        for table, shadow in COPIES:
            columns = _stored_columns(table)
            key = "id" if table == "contacts_contact" else "contact_id"
            with (folder / table).open("w+b") as rows:
                some = fill(SOME, columns=columns, table=table, key=key, people=str(people))
                cursor.copy_expert(some, rows)
                total += once(_copy(shadow, columns, rows))
        cursor.execute("DROP TABLE bench_contact, bench_card")
    return total


def _copy(table: str, columns: str, rows: BinaryIO) -> Callable[[], None]:
    def run() -> None:
        rows.seek(0)
        with connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", rows)

    return run


def _stored_columns(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(column_name, ', ' ORDER BY ordinal_position) FROM information_schema.columns"
            " WHERE table_name = %s AND is_generated = 'NEVER'",
            [table],
        )
        return cursor.fetchone()[0]

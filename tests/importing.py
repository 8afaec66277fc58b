"""Files of people as tests write them."""

from collections.abc import Callable

import pytest
from django.core.files.base import ContentFile

from compliance.imports import import_jobs, working
from compliance.imports.import_jobs import CardDefaults
from compliance.models import ImportJob
from salesconnect.lib.csv import line


@pytest.fixture
def take_in(member) -> Callable[..., ImportJob]:
    """Return a function that imports a header and rows, or the bytes of a file, and returns the ended job."""

    def run(
        header: str | bytes, *rows: str, card: CardDefaults | None = None, mapping=None, dry_run=False
    ) -> ImportJob:
        text = header if isinstance(header, bytes) else "".join(f"{row}\r\n" for row in (header, *rows)).encode()
        file = ContentFile(text)
        job = import_jobs.start(file, "people.csv", actor=member, card=card, mapping=mapping, dry_run=dry_run)
        while working.run(job.pk):
            pass
        job.refresh_from_db()
        return job

    return run


def cells(*values: str) -> str:
    """Return one row of a file."""
    return line(values).rstrip("\r\n")


def counts(job: ImportJob) -> tuple[int, int, int, int, int]:
    """Return what became of the rows: total, created, updated, unchanged, rejected."""
    return (job.total, job.created, job.updated, job.unchanged, job.rejected)

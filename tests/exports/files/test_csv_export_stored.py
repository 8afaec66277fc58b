"""No file stays whose row was never stored: a refusal removes it, and the sweep what a killed process left."""

import errno
import os
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from compliance.imports import import_jobs
from compliance.models import ImportJob
from contacts.models import Contact
from exports import tasks
from exports.erasure import erasure
from exports.files import csv_export
from salesconnect.lib.errors import Conflict, Invalid
from tests.evidence import evidence
from unsubscribes.evidence.reconsent import reconsent


@pytest.fixture(autouse=True)
def folder(settings, tmp_path, db):
    """Give the test files and a ledger of its own."""
    own = {"default": settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path / "files"}}}
    settings.STORAGES = settings.STORAGES | own
    settings.ERASURE_LEDGER = str(tmp_path / "ledger" / "erasures.jsonl")
    return tmp_path / "files"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_that_is_refused_after_it_was_stored_is_gone(folder, member):
    with pytest.raises(Invalid):
        import_jobs.start(ContentFile(b"Shoe size,Colour\n42,blue\n"), "shoes.csv", actor=member)
    assert (ImportJob.objects.count(), files(folder)) == (0, [])


class TooLong(ContentFile):
    """A file of which the disk takes the beginning."""

    def chunks(self, chunk_size=None):
        yield b"Email"
        raise OSError(errno.ENOSPC, "No space left on device")


def test_of_a_file_that_does_not_fit_on_the_disk_no_part_stays(folder, member):
    with pytest.raises(OSError, match="No space left"):
        import_jobs.start(TooLong(b"Email\nanna@example.com\n"), "people.csv", actor=member)
    assert (ImportJob.objects.count(), files(folder)) == (0, [])


def test_an_export_that_does_not_fit_on_the_disk_leaves_no_file(folder, person, member, monkeypatch):
    person()
    monkeypatch.setattr("exports.files.csv_export.ContentFile", TooLong)
    with pytest.raises(OSError, match="No space left"):
        csv_export.order_export(Contact.objects.all(), actor=member, reason="")
    assert files(folder) == []


def test_an_export_that_fails_after_its_file_was_made_leaves_none(folder, person, member, monkeypatch):
    person()

    def refuse(*_args, **_how):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("exports.files.csv_export.postgres_copy.append", refuse)
    with pytest.raises(OSError, match="No space left"):
        csv_export.order_export(Contact.objects.all(), actor=member, reason="")
    assert files(folder) == []


def test_an_export_whose_file_is_not_there_is_said_to_be_removed(folder, person, member):
    person()
    job = csv_export.order_export(Contact.objects.all(), actor=member, reason="")
    default_storage.delete(str(job.file.name))
    with pytest.raises(Conflict) as refusal:
        csv_export.read_file(job, actor=member)
    assert refusal.value.code == "expired"


def test_the_api_keeps_nothing_of_a_refused_file(folder, api):
    file = ContentFile(b"Shoe size,Colour\n42,blue\n", name="shoes.csv")
    assert api.post("/api/v1/imports/", {"file": file}).status_code == 400
    assert files(folder) == []


def test_a_file_that_is_taken_stays(folder, member):
    import_jobs.start(ContentFile(b"Email\nanna@example.com\n"), "people.csv", actor=member)
    assert len(files(folder)) == 1


def test_an_erasure_that_fails_leaves_no_second_file_of_an_export(folder, person, member, monkeypatch):
    anna = person()
    csv_export.order_export(Contact.objects.all(), actor=member, reason="")
    before = files(folder)

    def refuse(lines):
        raise OSError("no space left")

    monkeypatch.setattr("exports.erasure.erasure.ledger_file.append", refuse)
    with pytest.raises(OSError, match="no space left"), transaction.atomic():
        erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert files(folder) == before


def test_a_document_of_a_consent_that_cannot_be_stored_goes(folder, person, administrator):
    anna = person(email="anna@example.com")
    document = ContentFile(b"Yes, please", name="yes.txt")
    with pytest.raises(Conflict), transaction.atomic():
        reconsent(anna.pk, evidence(document=document), actor=administrator)
    assert files(folder) == []


@pytest.mark.parametrize("place", ["imports/2026/12", "evidence", "exports", "sync"])
def test_the_sweep_removes_old_files_without_a_row_in_every_folder(folder, place):
    old, new = (default_storage.save(f"{place}/{name}", ContentFile(b"x")) for name in ("old", "new"))
    os.utime(default_storage.path(old), (0, 0))
    os.utime(default_storage.path(new), (time.time(), time.time()))  # a disk has its own clock
    tasks.remove_stray_files()
    assert [default_storage.exists(name) for name in (old, new)] == [False, True]


def test_the_sweep_leaves_files_with_a_row(folder, member):
    job = import_jobs.start(ContentFile(b"Email\nanna@example.com\n"), "people.csv", actor=member)
    os.utime(job.file.path, (0, 0))
    tasks.remove_stray_files()
    assert Path(job.file.path).exists()

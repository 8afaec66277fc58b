"""What is answered when a request cannot be carried out for reasons that are nobody's mistake."""

import errno

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import OperationalError
from rest_framework.test import APIClient

from compliance.models import ImportJob
from contacts.accounts import tokens
from salesconnect.pages.people import people

FULL = OSError(errno.ENOSPC, "No space left on device")
FILE = b"Email\nanna@example.com\n"


def _refuse(*_args, **_kwargs):
    raise FULL


@pytest.fixture
def program(bob) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(bob, 'tests')}")
    return client


@pytest.mark.parametrize("kind", [FileSystemStorage, TemporaryUploadedFile])
def test_an_import_that_no_disk_can_hold_answers_507(kind, program, monkeypatch):
    content = FILE if kind is FileSystemStorage else FILE + b"x" * 3_000_000
    monkeypatch.setattr(kind, "_save" if kind is FileSystemStorage else "__init__", _refuse)
    answer = program.post("/api/v1/imports/", {"file": SimpleUploadedFile("people.csv", content)}, "multipart")
    assert (answer.status_code, "disk" in answer.json()["detail"]) == (507, True)
    assert answer.headers["Retry-After"] == "10"
    assert not ImportJob.objects.exists()


def test_a_page_on_a_full_disk_says_so(signed_in, monkeypatch):
    signed_in.raise_request_exception = False
    monkeypatch.setattr(FileSystemStorage, "_save", _refuse)
    answer = signed_in.post("/people/import/", {"file": ContentFile(FILE, "people.csv")})
    assert answer.status_code == 507
    assert "The disk of this system is full" in answer.content.decode()


def test_a_page_without_the_database_says_that_it_is_away(signed_in, monkeypatch):
    def away(*_args: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    signed_in.raise_request_exception = False
    monkeypatch.setattr(people, "page_actor", away)
    answer = signed_in.get("/people/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "The database is away" in answer.content.decode()

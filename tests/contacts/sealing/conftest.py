"""Histories to seal, and hands that may do what no user may."""

import pytest
from django.db import connection

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from contacts.models import ContactEvent, Verification
from contacts.sealing import sealing, verification


@pytest.fixture
def forged():
    """Return a function that does as the database's superuser what the triggers refuse to everybody else."""

    def forge(*statements, values=()):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                cursor.execute(statement, values or None)
            cursor.execute("SET LOCAL session_replication_role = origin")

    return forge


@pytest.fixture
def history(person, db):
    """Return the numbers of seven events of seven people, sealed."""
    said = Authorization(AuthorizationType.OTHER, "Asked at the fair")
    for number in range(7):
        person(last_name=f"Berg {number}", email=f"berg{number}@example.com", authorization=said)
    sealing.seal_open()
    return sorted(ContactEvent.objects.values_list("id", flat=True))


@pytest.fixture(autouse=True)
def files_of_their_own(settings, tmp_path):
    """Keep what a test writes to files away from what others write."""
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    }


@pytest.fixture
def verdict(administrator):
    """Return a function that verifies everything and tells what is wrong with which event, or that all is good."""

    def verify():
        row = verification.begin(actor=administrator)
        while verification.work(row.pk):
            continue
        row = Verification.objects.get(pk=row.pk)
        return "good" if row.good else (row.problem, row.bad_event)

    return verify

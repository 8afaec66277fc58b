"""What we export we can import: into an empty database it gives equal data."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import connection

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from compliance.suppression import suppression
from contacts.models import Contact
from exports.files import csv_export
from tests.importing import counts

FILES = Path(__file__).parents[2] / "data" / "imports"
CARD = ("authorization_type", "authorization_other", "consent_date", "consent_purpose", "source_type", "source_other")
DETAILS = (
    "first_name", "last_name", "company", "title", "email", "phone", "website", "other", "facebook", "twitter",
    "linkedin", "salesforce_id", "email_key", "sort_company",
)  # fmt: skip


def everybody():
    fields = (*DETAILS, *(f"card__{name}" for name in (*CARD, "unsubscribed", "sort_last", "sort_first")))
    return sorted(Contact.objects.values_list(*fields), key=repr)


def exported(actor) -> bytes:
    job = csv_export.order_export(Contact.objects.all(), actor=actor, reason="round trip")
    return b"".join(csv_export.read_file(job, actor=actor))


def test_our_own_bulk_export_comes_back_equal(take_in, person, member):
    consent = Authorization(AuthorizationType.CONSENT, "", dt.date(2026, 3, 1), 'Newsletter, "monthly"')
    person(first_name="Åsa", last_name="Öberg", email="Asa@Example.se", phone="+46 8 1", authorization=consent)
    person(first_name="=1+1", last_name="'=x", company="Berg, Ek; \nAB", source=Source(SourceType.OTHER, "-fair"))
    person(
        email="bo@exempel.se",
        other="@bo\tx",
        salesforce_id="001A0000006Vm9uIAC",
        authorization=Authorization(AuthorizationType.OTHER, "by law"),
        source=Source(SourceType.CRM_SYNC),
    )
    person(email="cia@example.se", source=Source(SourceType.MANUAL_UPLOAD))
    suppression.unsubscribe(Contact.objects.filter(email="cia@example.se"), actor=member, source="manual")
    before, file = everybody(), exported(member)
    forget_everybody()
    job = take_in(file)
    # A source that nobody had recorded becomes Import, the door through which these people came now.
    imported = [(*row[:18], SourceType.IMPORT, *row[19:]) if row[18] is None else row for row in before]
    assert counts(job) == (4, 4, 0, 0, 0)
    assert everybody() == sorted(imported, key=repr)
    assert counts(take_in(exported(member))) == (4, 1, 0, 3, 0)


@pytest.mark.parametrize("name", sorted(path.name for path in FILES.glob("*.csv")))
def test_the_files_of_other_programs_come_in_and_change_nothing_the_second_time(take_in, name):
    first = take_in((FILES / name).read_bytes())
    assert (first.state, first.created + first.rejected) == ("done", first.total)
    assert first.created > 0
    known = Contact.objects.exclude(email="").count()
    again = take_in((FILES / name).read_bytes())
    assert (again.unchanged, again.updated) == (known, 0)


def forget_everybody() -> None:
    with connection.cursor() as cursor:
        # The triggers refuse that a suppression goes; an empty database has none.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM compliance_suppression")
        cursor.execute("SET session_replication_role = origin")
    ComplianceCard.objects.all().delete()
    Contact.objects.all().delete()

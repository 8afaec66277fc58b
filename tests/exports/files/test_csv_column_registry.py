import datetime as dt
import io
import re
from urllib.parse import unquote

import pytest
from django.db.models import CharField
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from contacts.models import Contact
from exports.files import csv_export, postgres_copy
from exports.files.csv_column_registry import (
    ALL_COLUMNS,
    CARD_COLUMNS,
    COLUMNS,
    TEXT,
    TIME,
    CsvColumn,
    cells,
    content_disposition,
    file_name,
    header,
)
from exports.files.csv_column_registry import DAY as DAY_FORM

DAY = dt.date(2026, 11, 23)
STOCKHOLM = dt.timezone(dt.timedelta(hours=1))


def test_one_person_has_sixteen_columns_in_the_agreed_order():
    assert ", ".join(header(COLUMNS)) == (
        "First Name, Last Name, Company, Title, Email ID, Phone Number, Website, Other, Updated At, Created At, "
        "Salesforce ID, Person ID, Facebook, Twitter, LinkedIn, Exported At"
    )


def test_a_bulk_export_adds_the_card():
    assert header(ALL_COLUMNS)[16:] == [
        "Authorization Type",
        "Authorization Other",
        "Date of Consent",
        "Purpose of Processing",
        "Source Type",
        "Source Other",
        "Unsubscribed",
    ]


def test_times_are_utc_and_empty_details_empty():
    values = dict.fromkeys((column.key for column in COLUMNS), "") | {
        "first_name": "Åsa",
        "id": 17,
        "salesforce_id": None,
        "created_at": dt.datetime(2026, 11, 23, 0, 15, 0, 999999, STOCKHOLM),
        "updated_at": dt.datetime(2026, 11, 23, 11, 15, tzinfo=STOCKHOLM),
        "exported_at": dt.datetime(2026, 11, 23, 10, 15, tzinfo=dt.UTC),
    }
    assert cells(values, COLUMNS) == [
        "Åsa", "", "", "", "", "", "", "", "2026-11-23T10:15:00Z", "2026-11-22T23:15:00Z", "", "17", "", "", "",
        "2026-11-23T10:15:00Z",
    ]  # fmt: skip


def test_the_card_is_written_in_slugs_and_iso_dates():
    consent = {
        "authorization_type": AuthorizationType.CONSENT,
        "authorization_other": "",
        "consent_date": DAY,
        "consent_purpose": "newsletter",
        "source_type": SourceType.OTHER.value,
        "source_other": "fair",
        "unsubscribed": True,
    }
    assert cells(consent, CARD_COLUMNS) == ["consent", "", "2026-11-23", "newsletter", "other", "fair", "true"]
    empty = dict.fromkeys(consent) | {"unsubscribed": False}
    assert cells(empty, CARD_COLUMNS) == ["", "", "", "", "", "", "false"]


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("Anna", "Berg", "Anna-Berg-2026-11-23.csv"),
        ("Anna-Karin", "af Ek", "Anna-Karin-af-Ek-2026-11-23.csv"),
        ("Åsa", "Öberg", "Åsa-Öberg-2026-11-23.csv"),
        ("A\u030asa", "", "Åsa-2026-11-23.csv"),
        ("", "O'Brien", "OBrien-2026-11-23.csv"),
        ("../../etc", "pass\x00wd\r\n", "etc-passwd-2026-11-23.csv"),
        ("x" * 300, "Berg", "x" * 80 + "-2026-11-23.csv"),
        ("", "", "person-7-2026-11-23.csv"),
        ("...", '"', "person-7-2026-11-23.csv"),
    ],
)
def test_a_file_is_named_after_the_person_and_the_day(first, last, name):
    assert file_name(first, last, DAY, 7) == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Anna-Berg.csv", 'attachment; filename="Anna-Berg.csv"'),
        ("Åsa-Öberg.csv", "attachment; filename=\"Asa-Oberg.csv\"; filename*=UTF-8''%C3%85sa-%C3%96berg.csv"),
        ("王.csv", "attachment; filename=\"_.csv\"; filename*=UTF-8''%E7%8E%8B.csv"),
    ],
)
def test_a_download_has_its_true_name_and_a_plain_one(name, value):
    assert content_disposition(name) == value


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_name_breaks_out_of_the_header(first, last):
    name = file_name(first, last, DAY, 7)
    value = content_disposition(name)
    assert re.fullmatch(r"""attachment; filename="[\w.-]+"(; filename\*=UTF-8''[\w.%~-]+)?""", value, re.ASCII)
    if "''" in value:
        assert unquote(value.partition("''")[2]) == name


@pytest.mark.parametrize("column", ALL_COLUMNS, ids=lambda column: column.key)
def test_each_column_is_of_the_person_or_the_card_and_only_text_needs_no_sql(column):
    fields = {field.name: field for model in (ComplianceCard, Contact) for field in model._meta.fields}
    if column.key != "exported_at":
        assert bool(column.form.sql) != (isinstance(fields[column.key], CharField) and column.form is TEXT)


def test_a_new_column_is_one_entry(person, monkeypatch):
    anna = person(email="anna@example.com")
    ComplianceCard.objects.update(informed_at=dt.datetime(2026, 5, 1, 8, 0, tzinfo=dt.UTC))
    columns = (
        *ALL_COLUMNS,
        CsvColumn("Informed At", "informed_at", TIME),
        CsvColumn("Reviewed", "reviewed_on", DAY_FORM),
    )
    monkeypatch.setattr(postgres_copy, "ALL_COLUMNS", columns)
    file = io.BytesIO()
    assert postgres_copy.append([anna.pk], file)[0] == 1
    assert file.getvalue().decode().rstrip().split(",")[-2:] == ["2026-05-01T08:00:00Z", ""]
    monkeypatch.setattr(csv_export.csv_column_registry, "COLUMNS", columns)
    assert csv_export.csv_of(Contact.objects.get(), timezone.now()).rstrip().endswith(",2026-05-01T08:00:00Z,")

import datetime as dt
import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.card.rules import AuthorizationType, SourceType
from exports.files.csv_columns import ALL_COLUMNS, CARD_COLUMNS, COLUMNS, cells, content_disposition, file_name, header

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

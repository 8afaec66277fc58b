import datetime as dt
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.imports.headers import FIELDS
from compliance.imports.mapping import apply, recognise
from compliance.imports.rows import LABELS, CleanRow, clean_row
from contacts.people.field_registry import LIMITS
from exports.files.csv_column_registry import ALL_COLUMNS, cells, header
from salesconnect.lib.csv import RowError, line, open_table
from salesconnect.lib.web import parsing

TODAY = dt.date(2026, 11, 23)
ANNA = {"first_name": "Anna", "last_name": "Berg", "email": "anna@example.se"}
CONSENT = {"authorization_type": "consent", "consent_date": "2026-03-01", "consent_purpose": "newsletter"}


def reason(**values):
    found = clean_row(ANNA | values, today=TODAY)
    assert isinstance(found, RowError)
    return found.reason


def test_a_row_is_trimmed_and_blank_cells_say_nothing():
    row = clean_row({"first_name": " Anna ", "company": " ", "email": "Anna@Example.se", "phone": ""}, today=TODAY)
    assert row == CleanRow({"first_name": "Anna", "email": "Anna@Example.se"})


def test_a_salesforce_id_is_completed():
    row = clean_row(ANNA | {"salesforce_id": "001A0000006Vm9u"}, today=TODAY)
    assert row.details["salesforce_id"] == "001A0000006Vm9uIAC"


@pytest.mark.parametrize("values", [{"first_name": "Bo"}, {"last_name": "Ek"}, {"email": "bo@example.se"}])
def test_a_row_needs_a_name_or_an_address(values):
    assert clean_row(values, today=TODAY) == CleanRow(values)


def test_a_row_with_neither_is_rejected():
    assert clean_row({"company": "Ek AB", "first_name": " "}, today=TODAY) == RowError(
        "Last name: Give a name or an email address."
    )


def test_a_rejected_row_names_all_that_is_wrong():
    assert reason(email="anna", company="x" * 201, opted_out="maybe") == (
        "Company: Use at most 200 characters. "
        "Email: An email address has a name, an @ and a domain, as in anna@example.com. "
        "Unsubscribed: “maybe” is neither yes nor no."
    )


@pytest.mark.parametrize("name", sorted(set(LIMITS) - {"email", "salesforce_id"}))
def test_each_detail_has_its_limit(name):
    assert clean_row(ANNA | {name: "x" * LIMITS[name]}, today=TODAY).details[name] == "x" * LIMITS[name]
    assert reason(**{name: "x" * (LIMITS[name] + 1)}) == f"{LABELS[name]}: Use at most {LIMITS[name]} characters."


@pytest.mark.parametrize(
    ("values", "start"),
    [
        ({"salesforce_id": "123"}, "Salesforce ID: "),
        ({"first_name": "An\x01na"}, "First name: "),
        ({"authorization_type": "perhaps"}, "Authorization Type: “perhaps”"),
        (CONSENT | {"consent_date": "2026-11-24"}, "Date of Consent: The date of consent cannot lie in the future"),
        (CONSENT | {"consent_date": "1/3 2026"}, "Date of Consent: “1/3 2026” is not a date"),
        (CONSENT | {"consent_purpose": "x" * 501}, "Purpose of Processing: Use at most 500"),
        (CONSENT | {"consent_purpose": "x\x02"}, "Purpose of Processing: Remove the characters"),
        (CONSENT | {"authorization_type": "contract"}, "Date of Consent: Only Consent has a date"),
        ({"authorization_type": "contract", "authorization_other": "x"}, "Authorization, other: Only Other"),
        ({"source_type": "Web"}, "Source Type: “Web”"),
        ({"source_type": "import", "source_other": "fair"}, "Source, other: Only Other"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected(values, start):
    assert reason(**values).startswith(start)


def test_the_card_of_a_row_is_read():
    row = clean_row(ANNA | CONSENT | {"source_type": "Annat", "source_other": "fair", "opted_out": "1"}, today=TODAY)
    assert row == CleanRow(
        ANNA,
        Authorization(AuthorizationType.CONSENT, "", dt.date(2026, 3, 1), "newsletter"),
        Source(SourceType.OTHER, "fair"),
        opted_out=True,
    )


@pytest.mark.parametrize(
    ("values", "authorization"),
    [
        ({"authorization_type": "consent"}, Authorization(AuthorizationType.CONSENT)),
        ({"consent_purpose": "newsletter"}, Authorization(consent_purpose="newsletter")),
        ({"consent_date": "2026-03-01"}, Authorization(consent_date=dt.date(2026, 3, 1))),
        ({"authorization_other": "by law"}, Authorization(other="by law")),
    ],
)
def test_what_blank_cells_leave_open_is_for_the_card_to_say(values, authorization):
    assert clean_row(ANNA | values, today=TODAY) == CleanRow(ANNA, authorization)


def test_no_import_opts_anybody_in():
    assert [clean_row(ANNA | {"opted_out": text}, today=TODAY) for text in ("false", "", "no")] == [CleanRow(ANNA)] * 3


def test_every_field_has_a_label_for_its_reasons():
    assert set(LABELS) == set(FIELDS) - {"name"}


@given(st.dictionaries(st.sampled_from(sorted(LABELS)), st.text(st.characters(exclude_categories=()), max_size=20)))
def test_any_row_is_taken_or_rejected_with_a_reason(values):
    found = clean_row(values, today=TODAY)
    assert found.reason if isinstance(found, RowError) else found.details


text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).map(
    lambda raw: unicodedata.normalize("NFC", raw).strip()
)
details = st.fixed_dictionaries(dict.fromkeys(set(LIMITS) - {"email", "salesforce_id", "first_name"}, text))
authorizations = st.one_of(
    st.builds(
        Authorization,
        st.just(AuthorizationType.CONSENT),
        consent_date=st.dates(parsing.FIRST, TODAY),
        consent_purpose=text.filter(bool),
    ),
    st.builds(Authorization, st.just(AuthorizationType.OTHER), text),
    st.builds(Authorization, st.sampled_from([None, AuthorizationType.CONTRACT])),
)
sources = st.one_of(
    st.builds(Source, st.just(SourceType.OTHER), text), st.builds(Source, st.sampled_from([None, *SourceType]))
)


@given(details, st.emails(), authorizations, sources, st.booleans())
def test_what_we_export_we_import_unchanged(details, email, authorization, source, opted_out):
    person = details | {"first_name": "=Anna", "email": email, "salesforce_id": "001A0000006Vm9uIAC"}
    now = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    values = person | {
        **dict.fromkeys(("updated_at", "created_at", "exported_at"), now),
        "id": 17,
        "authorization_type": authorization.type,
        "authorization_other": authorization.other,
        "consent_date": authorization.consent_date,
        "consent_purpose": authorization.consent_purpose,
        "source_type": source.type,
        "source_other": source.other,
        "unsubscribed": opted_out,
    }
    file = line(header(ALL_COLUMNS)) + line(cells(values, ALL_COLUMNS))
    table = open_table(io.BytesIO(file.encode("utf-8-sig")))
    [(_number, row)] = table
    stored = {name: value for name, value in person.items() if value}
    expected = CleanRow(stored, authorization, source, opted_out)
    assert clean_row(apply(recognise(table.headers), row), today=TODAY) == expected

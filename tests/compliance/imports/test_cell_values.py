import datetime as dt

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.imports import cell_values


@pytest.mark.parametrize("code", AuthorizationType)
def test_an_authorization_is_named_by_slug_or_label(code):
    with translation.override("en"):
        assert [cell_values.authorization_type(name) for name in (code.slug, str(code.label).upper())] == [code, code]


@pytest.mark.parametrize("code", SourceType)
def test_a_source_is_named_by_slug_or_label(code):
    with translation.override("en"):
        assert [cell_values.source_type(name) for name in (code.slug, f" {code.label} ")] == [code, code]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Samtycke", AuthorizationType.CONSENT),
        ("Berättigat intresse", AuthorizationType.LEGITIMATE_INTEREST),
        ("Fullgörande av avtal", AuthorizationType.CONTRACT),
        ("Rättslig förpliktelse", AuthorizationType.LEGAL_OBLIGATION),
        ("Skydd av grundläggande intressen", AuthorizationType.VITAL_INTERESTS),
        ("Allmänt intresse/myndighetsutövning", AuthorizationType.PUBLIC_INTEREST),
        ("Annat", AuthorizationType.OTHER),
        ("Freely given consent from contact", AuthorizationType.CONSENT),
        ("Legitimate interest - prospect/lead;Legitimate interest – other", AuthorizationType.LEGITIMATE_INTEREST),
        ("", None),
        ("Not recorded", None),
        ("not_recorded", None),
        ("Not applicable", None),
    ],
)
def test_authorizations_are_read_in_swedish_and_as_hubspot_writes_them(text, code):
    assert cell_values.authorization_type(text) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CRM-synkronisering", SourceType.CRM_SYNC),
        ("Manuell uppladdning", SourceType.MANUAL_UPLOAD),
        ("Chrome-tillägg", SourceType.CHROME_EXTENSION),
        ("Annat", SourceType.OTHER),
        ("", None),
    ],
)
def test_sources_are_read_in_swedish(text, code):
    assert cell_values.source_type(text) == code


@pytest.mark.parametrize("text", ["perhaps", "1", "Performance of a contract;Freely given consent from contact"])
def test_an_unclear_authorization_is_refused(text):
    with pytest.raises(ValueError, match=text):
        cell_values.authorization_type(text)


@pytest.mark.parametrize("text", ["Web", "consent", "2"])
def test_an_unknown_source_is_refused(text):
    with pytest.raises(ValueError, match=text):
        cell_values.source_type(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01",
        " 2026-03-01 ",
        "20260301",
        "2026/03/01",
        "2026.03.01",
        "2026-03-01 09:30",
        "2026-03-01 09.30",
        "2026-03-01T09:30:15.123456+01:00",
        "2026-03-01T23:59:59Z",
        "20260301 09:30:00",
    ],
)
def test_a_date_is_read_where_the_year_comes_first(text):
    assert cell_values.consent_date(text) == dt.date(2026, 3, 1)


@pytest.mark.parametrize(
    "text",
    [
        "01/03/2026",
        "1.3.2026",
        "260301",
        "2026-03",
        "2026-3-1",
        "2026-13-01",
        "2026-02-30",
        "0000-01-01",
        "2026-03/01",
        "2026-03-01x",
        "46082",
        "yesterday",
    ],
)
def test_a_date_that_would_have_to_be_guessed_is_refused(text):
    with pytest.raises(ValueError, match="“"):
        cell_values.consent_date(text)


@given(st.dates())
def test_every_iso_date_is_read(day):
    assert cell_values.consent_date(day.isoformat()) == day


@pytest.mark.parametrize("read", [cell_values.authorization_type, cell_values.source_type, cell_values.consent_date])
@given(text=st.text(max_size=30))
def test_any_text_is_read_or_refused_with_a_reason(read, text):
    try:
        found = read(text)
    except ValueError as problem:
        found = str(problem)
    assert isinstance(found, AuthorizationType | SourceType | dt.date | None) or found.startswith("“")


@pytest.mark.parametrize("text", ["1", "true", "TRUE", "Yes", "ja", "x", "Opted out"])
def test_a_no_is_understood(text):
    assert cell_values.opted_out(text) is True


@pytest.mark.parametrize("text", ["", "0", "False", "no", "Nej"])
def test_the_absence_of_a_no_is_understood(text):
    assert cell_values.opted_out(text) is False


def test_an_unclear_no_is_refused():
    with pytest.raises(ValueError, match="maybe"):
        cell_values.opted_out("maybe")


def test_a_text_with_unseen_characters_is_refused():
    assert cell_values.text("two\nlines") == "two\nlines"
    with pytest.raises(ValueError, match="seen"):
        cell_values.text("a\x01b")

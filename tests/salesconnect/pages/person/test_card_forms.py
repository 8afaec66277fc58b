import datetime as dt

import pytest

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from salesconnect.pages.person.card_forms import AuthorizationForm, CardForm, SourceForm, card_values

CONSENT = {"authorization_type": "consent", "consent_date": "2026-03-01", "consent_purpose": "Newsletter"}


def test_the_form_builds_the_legal_basis():
    form = AuthorizationForm(CONSENT)
    assert form.is_valid()
    assert form.to_authorization() == Authorization(AuthorizationType.CONSENT, "", dt.date(2026, 3, 1), "Newsletter")


def test_not_recorded_is_a_choice_and_no_choice_is_an_error():
    form = AuthorizationForm({"authorization_type": "not_recorded"})
    assert form.is_valid()
    assert form.to_authorization() == Authorization()
    assert list(AuthorizationForm({"authorization_type": ""}).errors) == ["authorization_type"]


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({"authorization_type": "consent"}, ["consent_date", "consent_purpose"]),
        ({**CONSENT, "consent_date": "9999-01-01"}, ["consent_date"]),
        ({**CONSENT, "consent_date": "1 March"}, ["consent_date"]),
        ({**CONSENT, "authorization_type": "contract"}, ["consent_date", "consent_purpose"]),
        ({"authorization_type": "contract", "authorization_other": "x"}, ["authorization_other"]),
        ({**CONSENT, "consent_purpose": "x" * 501}, ["consent_purpose"]),
        ({"authorization_type": "nonsense"}, ["authorization_type"]),
    ],
)
def test_an_error_stands_once_beside_its_field_and_the_first_takes_the_focus(values, fields):
    form = AuthorizationForm(values)
    assert sorted(form.errors) == sorted(fields)
    assert [len(messages) for messages in form.errors.values()] == [1] * len(fields)
    assert [name for name, field in form.fields.items() if field.widget.attrs.get("autofocus")] == fields[:1]


def test_the_source_is_described_only_when_it_is_other():
    assert SourceForm({"source_type": "import", "source_other": "fair"}).errors.keys() == {"source_other"}
    form = SourceForm({"source_type": "other", "source_other": "fair"})
    assert form.is_valid()
    assert form.to_source() == Source(SourceType.OTHER, "fair")


def test_the_card_has_both_halves_and_starts_as_the_card_is(person):
    card = person(email="a@example.com", authorization=Authorization(AuthorizationType.CONTRACT)).card
    form = CardForm(initial=card_values(card))
    assert form["authorization_type"].value() == "contract"
    assert form["source_type"].value() == "not_recorded"
    assert [value for value, _ in form.fields["source_type"].choices] == [*SourceType.slugs(), "not_recorded"]
    assert list(form.fields)[:2] == ["authorization_type", "authorization_other"]

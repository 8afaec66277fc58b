"""The tables about legal bases and sources are whole: a new one that is missing somewhere is missing here by name."""

import datetime as dt

import pytest
from django.conf import settings
from django.utils import translation

from compliance.card.legal_basis_registry import ARTICLES, CONSENTS, STRICTEST_FIRST, AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import DIRECT_SOURCES, INDIRECT_SOURCES, SourceType
from compliance.imports import cell_values
from compliance.models import ComplianceCard
from exports.pack.contents import schema

TYPES = [*AuthorizationType, *SourceType]
READ = {AuthorizationType: cell_values.authorization_type, SourceType: cell_values.source_type}


@pytest.mark.parametrize("code", TYPES, ids=repr)
@pytest.mark.parametrize("language", dict(settings.LANGUAGES))
def test_an_import_knows_it_by_its_label_in_each_language(code, language):
    with translation.override(language):
        label = str(code.label)
    assert READ[type(code)](label) == code


@pytest.mark.parametrize("types", READ)
def test_the_slugs_stand_at_the_place_of_their_codes(types):
    """Statements find the slug of a code by its number, whatever the order in which the types are offered."""
    assert {code: types.slugs()[code - 1] for code in types} == {code: code.slug for code in types}


@pytest.mark.parametrize("code", TYPES, ids=repr)
def test_an_import_knows_it_by_its_slug_as_an_export_writes_it(code):
    assert READ[type(code)](code.slug) == code


@pytest.mark.parametrize("code", AuthorizationType)
def test_it_has_its_place_among_the_stricter_and_the_freer_ones(code):
    assert STRICTEST_FIRST.count(code) == 1


@pytest.mark.parametrize("code", SourceType)
def test_a_source_is_either_the_person_or_somebody_else(code):
    assert (*DIRECT_SOURCES, *INDIRECT_SOURCES).count(code) == 1


@pytest.mark.parametrize("code", TYPES, ids=repr)
@pytest.mark.django_db
def test_the_database_takes_it(code):
    [check] = [each for each in ComplianceCard._meta.constraints if each.name == "card_known_codes"]
    column = "authorization_type" if isinstance(code, AuthorizationType) else "source_type"
    check.validate(ComplianceCard, ComplianceCard(**{column: code}))


@pytest.mark.parametrize("code", AuthorizationType)
def test_the_article_of_a_basis_is_named(code):
    assert ARTICLES[code] in {"a", "b", "c", "d", "e", "f", ""}


@pytest.mark.parametrize("code", AuthorizationType)
def test_a_kind_of_consent_alone_has_date_and_purpose(code):
    given = Authorization(code, "", dt.date(2026, 1, 1), "Newsletter")
    assert (given.errors(dt.date(2026, 11, 27)) == {}) == (code in CONSENTS)
    assert (Authorization(code).errors(dt.date(2026, 11, 27)) == {}) == (code not in CONSENTS)


def test_the_evidence_pack_describes_all_of_them():
    card = schema()["properties"]["compliance"]["properties"]
    assert card["authorization_type"]["enum"] == [*AuthorizationType.slugs(), None]
    assert card["source_type"]["enum"] == [*SourceType.slugs(), None]


@pytest.mark.parametrize("code", [None, *AuthorizationType])
def test_a_basis_is_the_same_after_its_columns(code):
    basis = Authorization(code, "words", None, "a purpose")
    assert Authorization.from_values(basis.values()) == basis


@pytest.mark.parametrize("code", [None, *SourceType])
def test_a_source_is_the_same_after_its_columns(code):
    source = Source(code, "words")
    assert Source.from_values(source.values()) == source

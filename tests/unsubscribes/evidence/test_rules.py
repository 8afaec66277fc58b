import datetime as dt

import pytest
from django.core.files.base import ContentFile

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from tests.evidence import evidence
from unsubscribes.evidence.rules import stricter

TODAY = dt.date(2026, 11, 24)
LAST_NO = dt.date(2026, 11, 20)


def errors(**values):
    return evidence(**{"consent_date": TODAY} | values).errors(TODAY, LAST_NO)


def test_a_consent_with_all_that_shows_it_has_no_errors():
    assert errors() == {}
    assert errors(consent_date=LAST_NO) == {}
    assert errors(reference="", document=ContentFile(b"yes")) == {}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"consent_date": None}, "consent_date"),
        ({"consent_date": TODAY + dt.timedelta(days=1)}, "consent_date"),
        ({"consent_date": LAST_NO - dt.timedelta(days=1)}, "consent_date"),
        ({"channel": ""}, "channel"),
        ({"channel": "telepathy"}, "channel"),
        ({"wording": " \n"}, "wording"),
        ({"wording": "x" * 2001}, "wording"),
        ({"wording": "yes\0"}, "wording"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "x" * 501}, "purpose"),
        ({"reference": ""}, "evidence_reference"),
        ({"reference": "x" * 19 + "   "}, "evidence_reference"),
        ({"reference": "x" * 501}, "evidence_reference"),
    ],
)
def test_what_does_not_show_a_consent_is_named(values, field):
    assert list(errors(**values)) == [field]


def consent(day: int) -> Authorization:
    return Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, day), consent_purpose="News")


INTEREST = Authorization(AuthorizationType.LEGITIMATE_INTEREST)
CONTRACT = Authorization(AuthorizationType.CONTRACT)


@pytest.mark.parametrize(
    ("one", "other", "wins"),
    [
        (Authorization(), CONTRACT, Authorization()),
        (Authorization(AuthorizationType.OTHER), consent(1), Authorization(AuthorizationType.OTHER)),
        (INTEREST, consent(1), consent(1)),
        (CONTRACT, INTEREST, INTEREST),
        (consent(2), consent(1), consent(1)),
        (Authorization(AuthorizationType.OTHER, "a"), Authorization(AuthorizationType.OTHER, "b"), None),
    ],
)
def test_the_stricter_of_two_permissions_wins(one, other, wins):
    assert stricter(one, other) == (wins or one)
    if wins:
        assert stricter(other, one) == wins

import datetime as dt

import pytest
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from exports.overview import daily_figures


def test_the_figures_of_now(api, person):
    person(email="a@example.com", authorization=Authorization(AuthorizationType.CONTRACT))
    person(email="b@example.com", source=Source(SourceType.IMPORT))
    body = api.get("/api/v1/overview/").json()
    assert (body["as_of"], body["total"], body["unsubscribed"]) == (timezone.localdate().isoformat(), 2, 0)
    assert {slug: number for slug, number in body["authorization"].items() if number} == {
        "not_recorded": 1,
        "contract": 1,
    }
    assert body["source"]["import"] == 1
    assert api.get("/api/v1/overview/", {"as_of": timezone.localdate().isoformat()}).json() == body


def test_the_figures_of_a_past_day_are_those_that_were_kept(api, person):
    person(email="a@example.com")
    day = timezone.localdate() - dt.timedelta(days=2)
    daily_figures.keep_day(day)
    body = api.get("/api/v1/overview/", {"as_of": day.isoformat()}).json()
    assert (body["as_of"], body["total"]) == (day.isoformat(), 0)
    assert set(body) == set(api.get("/api/v1/overview/").json())


@pytest.mark.parametrize(
    ("as_of", "status"),
    [
        ("2020-01-01", 404), ("2020-01-01T12:00Z", 404), ("2999-01-01", 400), ("2999-01-01T00:00Z", 400),
        ("2020-01-01T12:00", 400), ("yesterday", 400), ("2026-02-30", 400), ("", 400), ("9999-12-31T23:59Z", 400),
    ],
)  # fmt: skip
def test_a_day_that_cannot_be_shown_is_refused_in_words(api, as_of, status):
    answer = api.get("/api/v1/overview/", {"as_of": as_of})
    assert answer.status_code == status
    assert answer.json() == {"detail": "No figures were kept of this day."} if status == 404 else answer.json()["as_of"]


def test_an_unknown_parameter_is_refused(api):
    assert api.get("/api/v1/overview/", {"asof": "2026-01-01"}).json() == {"asof": ["There is no such parameter."]}

import datetime as dt
import re

import pytest
from django.utils import timezone

from compliance.card import tallying
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from contacts.models import Contact
from exports.overview import daily_figures
from exports.overview.models import DailyFigure
from tests.exports.overview.acts import Team
from tests.exports.overview.numbers import numbers_of
from tests.soak import seeds


def length(client, url: str) -> int:
    count = re.search(r'data-(?:count|total)="([0-9]+)"', client.get(url).content.decode())
    return int(count[1]) if count else 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds(1, 10))
def test_every_number_is_as_long_as_the_list_it_leads_to(signed_in, administrator, seed):
    team = Team(seed, administrator)
    for number in range(30):
        team.act()
        if number % 15 == 14:
            tallying.settle()
            shown = numbers_of(signed_in.get("/compliance/").content.decode())
            assert len(shown) >= 14 + 6 + 24
            assert {url: number for url, number in shown if length(signed_in, url) != number} == {}


def test_the_first_line_says_whether_all_is_well(signed_in, person):
    assert "Nobody is here yet" in signed_in.get("/compliance/").content.decode()
    person(email="a@example.com", authorization=Authorization(AuthorizationType.CONTRACT))
    assert "All is well" in signed_in.get("/compliance/").content.decode()
    person(email="b@example.com")
    page = signed_in.get("/compliance/").content.decode()
    assert "1 thing needs attention" in page
    assert '<a href="/people/?authorization_type=not_recorded">1 person has no recorded authorization.</a>' in page


def test_a_past_day_shows_what_was_kept_and_leads_nowhere(signed_in, person):
    person(email="a@example.com")
    day = timezone.localdate() - dt.timedelta(days=3)
    assert daily_figures.keep_day(day)
    page = signed_in.get("/compliance/", {"as_of": day.isoformat()}).content.decode()
    assert "Nobody was here on this day." in page
    assert [url for url, _number in numbers_of(page) if url.startswith("/people/")] == []


def test_a_day_without_figures_is_404_and_a_day_to_come_400(signed_in, person):
    assert signed_in.get("/compliance/", {"as_of": "2020-01-01"}).status_code == 404
    assert "No figures of this day" in signed_in.get("/compliance/", {"as_of": "2020-01-01"}).content.decode()
    assert signed_in.get("/compliance/", {"as_of": "2999-01-01"}).status_code == 400
    assert signed_in.get("/compliance/", {"as_of": "yesterday"}).status_code == 400


def test_the_file_holds_every_figure(signed_in, person):
    person(email="a@example.com")
    answer = signed_in.get("/compliance/figures/")
    lines = answer.content.decode("utf-8-sig").splitlines()
    today = timezone.localdate().isoformat()
    assert answer["Content-Disposition"] == f'attachment; filename="compliance-{today}.csv"'
    assert lines[:3] == ["Day,Figure,Kind,Number", f"{today},total,,1", f"{today},unsubscribed,,0"]
    assert f"{today},authorization,not_recorded,1" in lines


def test_the_page_costs_the_same_whatever_there_is(signed_in, person, django_assert_num_queries):
    signed_in.get("/compliance/")
    person(email="0@example.com")
    with django_assert_num_queries(19):
        signed_in.get("/compliance/")
    for number in range(3):
        person(email=f"{number + 1}@example.com")
    with django_assert_num_queries(19):
        signed_in.get("/compliance/")


def test_nightly_figures_are_kept_once_and_catch_up(transactional_db, person, django_db_blocker):
    person(email="a@example.com")
    assert daily_figures.keep() == 0, "nothing happened before today"
    today = timezone.localdate()
    first = today - dt.timedelta(days=5)
    assert daily_figures.keep_day(first)
    assert not daily_figures.keep_day(first)
    assert daily_figures.keep() == 4
    assert daily_figures.keep() == 0
    days = DailyFigure.objects.filter(name="total").order_by("day").values_list("day", "number")
    assert list(days) == [(first + dt.timedelta(days=more), 0) for more in range(5)]
    assert Contact.objects.count() == 1

import datetime as dt
import re

import pytest
from django.test import Client

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.common import filters
from salesconnect.lib.actor import system
from salesconnect.pages.people import people as people_views

# Lately, so that it is not old under any calendar.
GIVEN = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=60)
CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=GIVEN, consent_purpose="Newsletter")


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def names(response) -> list[str]:
    return re.findall(r'class="row-link"[^>]*>([^<]*)</a>', response.content.decode())


@pytest.fixture
def three(person, bob):
    return (
        person(
            first_name="Anna",
            last_name="Berg",
            email="anna@example.com",
            title="Head of Sales",
            company="Exempel AB",
            authorization=CONSENT,
            source=Source(SourceType.IMPORT),
            owner=bob,
        ),
        person(first_name="Lars", last_name="Öberg", email="lars@example.com", company="Zeta"),
        person(first_name="Åsa", last_name="Dahl", email="asa@example.com", authorization=CONSENT),
    )


def test_a_row_tells_who_and_on_what_ground_and_whether_one_may_mail(signed_in, three):
    row = signed_in.get("/people/?search=anna").content.decode().split("<tbody>")[1].split("</tbody>")[0]
    assert text(row) == (
        f"Berg, Anna anna@example.com Head of Sales Exempel AB Consent {GIVEN:%Y-%m} Import No just now Yes"
    )
    assert f'href="/people/{three[0].pk}/"' in row
    assert f'value="{three[0].pk}" form="selection-bar" aria-label="Select Berg, Anna"' in row


def test_people_stand_in_the_order_of_swedish_names(signed_in, three):
    assert names(signed_in.get("/people/")) == ["Berg, Anna", "Dahl, Åsa", "Öberg, Lars"]
    assert names(signed_in.get("/people/?ordering=-last_name")) == ["Öberg, Lars", "Dahl, Åsa", "Berg, Anna"]


def test_values_are_written_so_that_no_markup_in_them_comes_alive(signed_in, person):
    person(last_name='<script>alert("x")</script>', company="<b>", title='" onclick="x', email="x@example.com")
    html = signed_in.get("/people/").content.decode()
    assert "<script>alert" not in html
    assert "<b>" not in html
    assert '" onclick="' not in html


def test_a_nameless_person_is_called_by_the_address(signed_in, person):
    person(email="only@example.com")
    assert names(signed_in.get("/people/")) == ["only@example.com"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=be", ["Berg, Anna"]),
        ("authorization_type=not_recorded", ["Öberg, Lars"]),
        ("authorization_type=consent", ["Berg, Anna", "Dahl, Åsa"]),
        ("authorization_type=consent,not_recorded", ["Berg, Anna", "Dahl, Åsa", "Öberg, Lars"]),
        ("authorization_type=consent&authorization_type=not_recorded", ["Berg, Anna", "Dahl, Åsa", "Öberg, Lars"]),
        ("source_type=import", ["Berg, Anna"]),
        ("unsubscribed=true", ["Dahl, Åsa"]),
        ("verdict=may", ["Berg, Anna"]),
        ("verdict=may_not", ["Dahl, Åsa"]),
        ("company=exempel", ["Berg, Anna"]),
        ("owner=null", ["Dahl, Åsa", "Öberg, Lars"]),
        pytest.param(
            f"consent_before={GIVEN + dt.timedelta(days=1)}",
            ["Berg, Anna", "Dahl, Åsa"],
            id="consent before the day after",
        ),
        pytest.param(f"consent_before={GIVEN}", [], id="consent before its day"),
        ("created_after=2020-01-01&created_before=2020-01-02", []),
        ("search=&authorization_type=&company=", ["Berg, Anna", "Dahl, Åsa", "Öberg, Lars"]),
    ],
)
def test_the_address_filters_under_the_names_of_the_api(signed_in, three, query, found):
    suppression.unsubscribe(Contact.objects.filter(first_name="Åsa"), actor=system("command"), source="manual")
    assert names(signed_in.get(f"/people/?{query}")) == found


def test_mine_are_those_that_i_own(signed_in, three, bob):
    assert f'href="/people/?owner={bob.pk}"' in signed_in.get("/people/").content.decode()
    assert names(signed_in.get(f"/people/?owner={bob.pk}")) == ["Berg, Anna"]


@pytest.mark.parametrize(
    "query",
    ["serach=anna", "authorization_type=nonsense", "ordering=title", "columns=nonsense", "cursor=nonsense", "owner=x"],
)
def test_a_slip_of_the_pen_in_the_address_is_refused(signed_in, three, query):
    assert signed_in.get(f"/people/?{query}").status_code == 400


def test_each_filter_in_force_is_a_chip_with_its_way_out(signed_in, three):
    html = signed_in.get("/people/?authorization_type=not_recorded,consent&search=a").content.decode()
    chips = re.findall(r'class="chip"><span>([^<]*)</span><a href="([^"]*)"', html)
    assert chips == [
        ("Search: a", "/people/?authorization_type=not_recorded%2Cconsent"),
        ("Authorization: Not recorded or Consent", "/people/?search=a"),
    ]


def test_the_head_says_the_order_and_a_click_turns_it_round(signed_in, three):
    html = signed_in.get("/people/?search=a").content.decode()
    assert re.findall(r'<th scope="col" class="col-(\w+)" aria-sort="(\w+)"', html) == [("name", "ascending")]
    assert 'id="sort-name" href="/people/?search=a&amp;ordering=-last_name"' in html
    assert 'id="sort-email" href="/people/?search=a&amp;ordering=email"' in html
    back = signed_in.get("/people/?ordering=-last_name").content.decode()
    assert 'id="sort-name" href="/people/"' in back


def test_pages_follow_one_another_without_gap_or_repetition(signed_in, person, monkeypatch):
    monkeypatch.setattr(people_views, "PAGE_SIZE", 2)
    for number in range(5):
        person(last_name=f"Berg {number}", email=f"{number}@example.com")
    first = signed_in.get("/people/")
    second = signed_in.get(_pager(first, "next"))
    third = signed_in.get(_pager(second, "next"))
    assert [names(one) for one in (first, second, third)] == [
        ["Berg 0", "Berg 1"],
        ["Berg 2", "Berg 3"],
        ["Berg 4"],
    ]
    assert names(signed_in.get(_pager(third, "prev"))) == ["Berg 2", "Berg 3"]
    assert 'id="people-count" role="status" data-total="5" data-capped="false">5<' in second.content.decode()


def _pager(response, rel: str) -> str:
    return re.search(rf'rel="{rel}" href="([^"]*)"', response.content.decode())[1].replace("&amp;", "&")


def test_a_long_count_is_left_to_a_question_of_its_own(signed_in, person, monkeypatch):
    monkeypatch.setattr(people_views, "PAGE_SIZE", 2)
    monkeypatch.setattr(filters, "SLOW_COST", -1)
    for number in range(3):
        person(last_name=f"Berg {number}", company="Exempel AB", email=f"{number}@example.com")
    html = signed_in.get("/people/?company=exempel").content.decode()
    assert 'hx-get="/people/count/?company=exempel"' in html
    assert "data-total" not in html
    counted = signed_in.get("/people/count/?company=exempel").content.decode()
    assert 'data-total="3" data-capped="false">3<' in counted
    assert 'data-total="3"' in signed_in.get("/people/").content.decode()


@pytest.mark.parametrize("people", [1, 3])
def test_the_list_asks_the_database_eight_times_whatever_its_length(
    signed_in, person, people, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(people_views, "PAGE_SIZE", people)
    for number in range(people + 1):
        person(last_name=f"Berg {number}", email=f"{number}@example.com")
    signed_in.get("/people/")
    # Session, user, owners, rows, count, saved views, those without a legal basis.
    with django_assert_num_queries(8):
        signed_in.get("/people/")


def test_columns_are_chosen_in_the_address_and_kept_for_the_session(signed_in, three):
    html = signed_in.get("/people/?columns=last_name,verdict&columns=first_name").content.decode()
    assert re.findall(r'class="col-(\w+)"', html) == ["first_name", "last_name", "verdict"]
    assert re.findall(r'class="col-(\w+)"', signed_in.get("/people/").content.decode()) == [
        "first_name",
        "last_name",
        "verdict",
    ]


def test_htmx_gets_the_list_with_what_belongs_to_it_and_the_address_to_show(signed_in, three):
    response = signed_in.get(
        "/people/?search=be&company=",
        headers={"HX-Request": "true", "HX-Target": "list", "HX-Trigger": "people-filters"},
    )
    html = response.content.decode()
    assert "<html" not in html
    assert re.findall(r'id="([\w-]+)"[^>]*hx-swap-oob', html) == [
        "people-count",
        "people-views",
        "people-chips",
        "people-columns",
    ]
    assert response.headers["HX-Push-Url"] == "/people/?search=be"
    assert "HX-Target" in response.headers["Vary"]


def test_a_list_that_asks_for_itself_again_is_no_step_of_the_history(signed_in, three):
    response = signed_in.get("/people/", headers={"HX-Request": "true", "HX-Target": "list", "HX-Trigger": "list"})
    assert (response.headers.get("HX-Replace-Url"), response.headers.get("HX-Push-Url")) == ("/people/", None)


def test_an_empty_list_says_what_to_do(signed_in, person):
    assert "Nobody here yet" in signed_in.get("/people/").content.decode()
    person()
    html = signed_in.get("/people/?search=zzz").content.decode()
    assert "Nobody matches" in html
    assert "Clear filters" in html


def test_an_auditor_may_export_and_is_offered_nothing_else(three, charlie):
    client = Client()
    client.force_login(charlie)
    html = client.get("/people/").content.decode()
    assert re.findall(r'formaction="/people/bulk/(\w+)/"', html) == ["export"]


def test_who_is_not_signed_in_sees_nobody(db):
    response = Client().get("/people/")
    assert (response.status_code, response.url) == (302, "/accounts/login/?next=/people/")

"""The opt-outs and opt-ins of everybody, in the API."""

import pytest

from compliance.suppression import suppression
from contacts.models import Contact
from exports.erasure.erasure import erase

LEDGER = "/api/v1/unsubscribes/"


@pytest.fixture
def three(person, member):
    """Return three people, two of whom said no: by hand, and by a link."""
    people = [person(first_name=name, email=f"{name}@example.com") for name in ("anna", "bo", "cia")]
    for somebody, source in zip(people, ("manual", "clicked_link"), strict=False):
        chosen = Contact.objects.filter(pk=somebody.pk)
        suppression.unsubscribe(chosen, actor=member, source=source, reason="Enough")
    return people


def found(answer) -> list[int | None]:
    assert answer.status_code == 200, answer.json()
    return [row["contact"] for row in answer.json()["results"]]


def test_the_list_tells_who_said_what_newest_first(api, three):
    [newest, oldest] = api.get(LEDGER).json()["results"]
    assert (newest["contact"], newest["source"], newest["kind"]) == (three[1].pk, "clicked_link", "unsubscribed")
    assert (oldest["reason"], oldest["actor"]) == ("Enough", "bob")


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("kind=unsubscribed", [1, 0]),
        ("kind=resubscribed", []),
        ("source=manual", [0]),
        ("source=re_consent", []),
        ("since=2020-01-01", [1, 0]),
        ("until=2020-01-01", []),
    ],
)
def test_the_list_is_narrowed(api, three, query, places):
    assert found(api.get(f"{LEDGER}?{query}")) == [three[place].pk for place in places]


@pytest.mark.parametrize("query", ["kind=addresses", "source=pigeon", "since=yesterday", "until=9999-12-31", "by=week"])
def test_a_wrong_or_unknown_filter_is_named(api, three, query):
    answer = api.get(f"{LEDGER}?{query}")
    assert (answer.status_code, list(answer.json())) == (400, [query.partition("=")[0]])


def test_somebody_who_was_erased_has_no_number(api, three, member):
    erase(three[1].pk, actor=member)
    assert found(api.get(LEDGER)) == [None, three[0].pk]


def test_pages_lead_on(api, three):
    first = api.get(f"{LEDGER}?page_size=1").json()
    assert found(api.get(first["next"])) == [three[0].pk]


def test_the_list_asks_as_much_for_two_as_for_one(api, three, django_assert_num_queries):
    api.get(LEDGER)  # the first use of a token is noted
    for size in (1, 2):
        with django_assert_num_queries(4):
            api.get(f"{LEDGER}?page_size={size}")

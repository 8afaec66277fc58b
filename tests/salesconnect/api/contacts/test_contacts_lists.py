"""Lists of the API: filters, orders, pages, and what they cost."""

import pytest

from compliance.card import card_changes, editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from contacts.accounts import tokens
from contacts.models import Contact

PEOPLE = "/api/v1/contacts/"
CONTRACT = Authorization(AuthorizationType.CONTRACT)


@pytest.fixture
def three(person):
    return [
        person(first_name="Anna", last_name="Öberg", email="a@example.com", company="Exempel", authorization=CONTRACT),
        person(first_name="Bo", last_name="Berg", email="b@example.com", source=Source(SourceType.IMPORT)),
        person(first_name="Cia", last_name="Zorn", email="c@example.com"),
    ]


def names(answer) -> list[str]:
    return [row["first_name"] for row in answer.json()["results"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Bo", "Cia", "Anna"]),
        ("ordering=-first_name", ["Cia", "Bo", "Anna"]),
        ("ordering=-company,email", ["Bo", "Cia", "Anna"]),
        ("search=exem%20ann", ["Anna"]),
        ("authorization_type=contract", ["Anna"]),
        ("authorization_type=not_recorded,consent&ordering=id", ["Bo", "Cia"]),
        ("source_type=import", ["Bo"]),
        ("verdict=may", ["Anna"]),
        ("unsubscribed=false&company=EXEM", ["Anna"]),
        ("authorization_type=contract,", ["Anna"]),
        ("authorization_type=,", []),
        ("created_before=2020-01-01", []),
        ("owner=null&created_after=2020-01-01T00:00:00Z&ordering=id", ["Anna", "Bo", "Cia"]),
    ],
)
def test_people_are_found_by_the_names_that_pages_use(api, three, query, found):
    assert names(api.get(f"{PEOPLE}?{query}")) == found


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("autorization_type=contract", "autorization_type"),
        ("authorization_type=kontrakt", "authorization_type"),
        ("authorization_type=contract&authorization_type=consent", "authorization_type"),
        ("created_after=yesterday", "created_after"),
        ("unsubscribed=perhaps", "unsubscribed"),
        ("owner=bob", "owner"),
        ("owner=999999999999999999999", "owner"),
        ("ordering=shoe_size", "ordering"),
        ("ordering=,", "ordering"),
        ("page_size=0", "page_size"),
        ("page_size=1001", "page_size"),
        ("page_size=many", "page_size"),
        ("page_size=%D9%A3", "page_size"),
        ("cursor=here", "cursor"),
        ("page=2", "page"),
        ("format=json", "format"),
        ("company=%00", "company"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(api, query, name):
    answer = api.get(f"{PEOPLE}?{query}")
    assert (answer.status_code, list(answer.json())) == (400, [name])


def test_pages_lead_forth_and_back_under_the_same_filter(api, three):
    first = api.get(f"{PEOPLE}?page_size=2&created_after=2020-01-01").json()
    second = api.get(first["next"]).json()
    assert (first["previous"], second["next"]) == (None, None)
    assert [row["first_name"] for row in first["results"] + second["results"]] == ["Bo", "Cia", "Anna"]
    assert api.get(second["previous"]).json()["results"] == first["results"]


@pytest.mark.parametrize("ordering", ["id", "email", "-company", "-created_at", "updated_at", "first_name"])
@pytest.mark.parametrize("other", ["-id", "-email", "company", "created_at", "last_name"])
def test_a_cursor_of_another_order_is_refused(api, three, ordering, other):
    following = api.get(f"{PEOPLE}?page_size=1&ordering={other}").json()["next"]
    answer = api.get(following.replace(f"ordering={other}", f"ordering={ordering}"))
    assert (answer.status_code, list(answer.json())) == (400, ["cursor"])


def test_count_takes_the_same_filters(api, three):
    assert api.get(f"{PEOPLE}count/?authorization_type=not_recorded").json() == {"count": 2, "capped": False}
    assert api.get(f"{PEOPLE}count/?ordering=id").status_code == 400


def test_the_history_tells_each_act_newest_first(api, member, three):
    anna = three[0]
    editing.edit(anna.pk, {"title": "CEO"}, actor=member)
    card_changes.set_source(Contact.objects.filter(pk=anna.pk), Source(SourceType.IMPORT), actor=member)
    body = api.get(f"{PEOPLE}{anna.pk}/history/").json()
    source, edited, created = body["results"]
    assert (body["next"], body["previous"]) == (None, None)
    assert set(source) == {"id", "at", "actor", "action", "door", "batch", "text", "changes"}
    assert source["changes"] == {"source_type": {"from": None, "to": "import"}}
    assert (edited["actor"], edited["door"], edited["batch"]) == ("bob", "page", None)
    assert edited["text"] == "bob changed Title from empty to “CEO”"
    assert created["changes"] == {"authorization_type": {"from": None, "to": "contract"}}


def test_the_history_comes_in_pages(api, three):
    for title in "abc":
        api.patch(f"{PEOPLE}{three[0].pk}/", {"title": title}, "json")
    first = api.get(f"{PEOPLE}{three[0].pk}/history/?page_size=3").json()
    rest = api.get(first["next"]).json()
    assert [row["action"] for row in first["results"] + rest["results"]] == ["edited", "edited", "edited", "created"]


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_of_people_takes_three_queries(api, person, rows, django_assert_num_queries):
    for number in range(rows):
        person(email=f"{number}@example.com", authorization=CONTRACT)
    api.get(PEOPLE)
    with django_assert_num_queries(3):  # the token, the policy and the people
        assert len(api.get(PEOPLE).json()["results"]) == rows


@pytest.mark.parametrize("rows", [1, 3])
def test_a_history_takes_four_queries(api, person, rows, django_assert_num_queries):
    anna = person()
    api.get(PEOPLE)
    for number in range(rows - 1):
        api.patch(f"{PEOPLE}{anna.pk}/", {"title": str(number)}, "json")
    with django_assert_num_queries(4):  # the token, the policy, the person and the events
        assert len(api.get(f"{PEOPLE}{anna.pk}/history/").json()["results"]) == rows


def test_words_come_in_the_users_language(api, bob, person):
    bob.language = "sv"
    bob.save()
    answer = api.get(f"{PEOPLE}{person().pk}/", headers={"Accept-Language": "en"})
    assert answer["Content-Language"] == "sv"


def test_a_revoked_token_opens_nothing(api, bob):
    tokens.revoke(bob, bob.tokens.get().pk)
    answer = api.get(PEOPLE)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")

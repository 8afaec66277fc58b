import pytest
from django.http import QueryDict

from salesconnect.common.selection import Selection
from salesconnect.lib.errors import Invalid


def chosen(selection: Selection, actor) -> list[str]:
    return sorted(selection.queryset(actor).values_list("email", flat=True))


@pytest.fixture
def three(person):
    return [person(email=f"{letter}@example.com", company=letter) for letter in "abc"]


def test_ids_name_people_and_unknown_ids_are_counted(three, member):
    selection = Selection.from_body({"ids": [three[0].pk, three[0].pk, 2**62]})
    assert (chosen(selection, member), selection.missing(member)) == (["a@example.com"], 1)


def test_a_filter_means_who_matches_but_for_the_exceptions(three, member):
    selection = Selection.from_body({"filter": {"authorization_type": ["not_recorded"]}, "exclude": [three[1].pk]})
    assert chosen(selection, member) == ["a@example.com", "c@example.com"]


def test_an_empty_filter_means_everyone(three, member):
    assert Selection.from_body({"filter": {}}).queryset(member).count() == 3


def test_a_form_names_people_or_a_query_string(three, member):
    assert chosen(Selection.from_query(QueryDict(f"ids={three[0].pk},{three[2].pk}")), member) == [
        "a@example.com",
        "c@example.com",
    ]
    form = QueryDict(mutable=True)
    form["filter"] = "company=b"
    assert chosen(Selection.from_query(form), member) == ["b@example.com"]


def test_100_000_ids_fit(three, member):
    selection = Selection.from_body({"ids": list(range(1, 100_001))})
    assert selection.queryset(member).count() + selection.missing(member) == 100_000


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"ids": []},
        {"ids": [1], "filter": {}},
        {"ids": [1], "exclude": [1]},
        {"ids": ["1"]},
        {"ids": [True]},
        {"ids": [0]},
        {"ids": [2**63]},
        {"ids": 5},
        {"filter": []},
        {"filter": {}, "exclude": "x"},
        {"filters": {}},
    ],
)
def test_anything_else_is_refused(body):
    with pytest.raises(Invalid):
        Selection.from_body(body)


@pytest.mark.parametrize("query", ["", "ids=", "ids=a", "ids=-1", "ids=١"])
def test_a_form_without_people_is_refused(query):
    with pytest.raises(Invalid):
        Selection.from_query(QueryDict(query))


@pytest.mark.parametrize("values", [{"serach": "x"}, {"authorization_type": "consnet"}, {"search": {"a": 1}}])
def test_a_slip_of_the_pen_never_means_everyone(db, member, values):
    with pytest.raises(Invalid):
        Selection.from_body({"filter": values}).queryset(member)

import datetime as dt

import pytest
from django.utils import timezone

from contacts.models import Contact
from exports.requests import deadlines

URL = "/api/v1/requests/"
RECEIVED = timezone.localdate() - dt.timedelta(days=17)
TODAY = timezone.localdate().isoformat()
COMPLEX = {"reason_kind": "complexity", "reason": "Complex", "told_on": TODAY}
ASKING = {"reason_kind": "identity", "reason": "Who?", "asked_on": TODAY}


def due(*, extended):
    return deadlines.due(RECEIVED, extended=extended, paused_days=0, country="SE").isoformat()


@pytest.fixture
def ask(api, person):
    """Return a function that registers a request through the API."""

    def act(**given):
        body = {"kind": "access", "received": RECEIVED.isoformat(), "identity_check": "Called back"} | given
        return api.post(URL, {"contact": person(last_name="Berg").pk} | body, "json")

    return act


def test_a_request_is_registered_shown_and_extended(api, ask):
    answer = ask()
    assert answer.status_code == 201
    body = answer.json()
    assert (body["due"], body["state"], body["overdue"], body["outcome"]) == (due(extended=False), "open", False, None)
    url = f"{URL}{body['id']}/"
    assert api.get(url).json() == body
    extended = api.post(f"{url}extend/", COMPLEX, "json").json()
    assert (extended["due"], extended["extension_reason"]) == (due(extended=True), "Complex")
    assert (extended["extension_kind"], extended["told_on"]) == ("complexity", TODAY)
    assert api.post(f"{url}extend/", COMPLEX, "json").status_code == 409


def test_every_act_answers_with_the_request(api, ask, alice):
    url = f"{URL}{ask(identity_check='').json()['id']}/"
    assert api.post(f"{url}pause/", ASKING, "json").json()["state"] == "paused"
    assert api.post(f"{url}resume/", {}, "json").json()["paused_days"] == 0
    assert api.post(f"{url}identity/", {"identity_check": "Passport"}, "json").json()["identity_check"] == "Passport"
    assert api.post(f"{url}assign/", {"handler": alice.pk}, "json").json()["handler"] == alice.pk
    assert api.post(f"{url}assign/", {"handler": None}, "json").json()["handler"] is None
    ended = api.post(f"{url}finish/", {"outcome": "refused", "answer": "Not ours"}, "json").json()
    assert (ended["state"], ended["outcome"]) == ("done", "refused")


def test_an_erasure_is_carried_out(api, ask):
    number = ask(kind="erasure").json()["id"]
    body = api.post(f"{URL}{number}/carry-out/", {}, "json").json()
    assert (body["contact"], body["outcome"], body["identity_check"]) == (None, "carried_out", "")
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "money"}, "kind"),
        ({"contact": 999}, "contact"),
        ({"contact": "x"}, "contact"),
        ({"received": "2999-01-01"}, "received"),
        ({"received": "10/11"}, "received"),
        ({"identity_check": "x" * 501}, "identity_check"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_wrong_is_named(ask, given, field):
    answer = ask(**given)
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_requests_are_listed_and_filtered(api, ask):
    first, second = ask().json(), ask(kind="erasure").json()
    assert [row["id"] for row in api.get(URL).json()["results"]] == [second["id"], first["id"]]
    for query in ("kind=erasure", f"contact={second['contact']}", "state=open&kind=erasure"):
        assert [row["id"] for row in api.get(f"{URL}?{query}").json()["results"]] == [second["id"]]
    for query in ("kind=x", "contact=x", "state=x", "handler=-1", "who=me"):
        assert api.get(f"{URL}?{query}").status_code == 400


def test_a_list_costs_the_same_for_one_and_three(api, ask, django_assert_num_queries):
    ask()
    with django_assert_num_queries(3):
        api.get(URL)
    ask()
    ask()
    with django_assert_num_queries(3):
        assert len(api.get(URL).json()["results"]) == 3


def test_overdue_is_said_and_kept(api, ask):
    late = ask(received=str(timezone.localdate() - dt.timedelta(days=60))).json()
    url = f"{URL}{late['id']}/"
    assert (late["overdue"], late["days_late"] > 20) == (True, True)
    for act, given in (
        ("extend", {"reason": "late"}),
        ("extend", COMPLEX),
        ("pause", {"reason": "x"}),
        ("pause", ASKING),
    ):
        answer = api.post(f"{url}{act}/", given, "json")
        assert (answer.status_code, answer.json()["code"]) == (409, "too_late")
    assert api.get(url).json() == late
    api.post(f"{url}finish/", {"outcome": "carried_out", "answer": "Sent"}, "json")
    done = api.get(url).json()
    assert (done["overdue"], done["days_late"]) == (False, late["days_late"])
    assert [row["days_late"] for row in api.get(URL).json()["results"]] == [late["days_late"]]


@pytest.mark.parametrize(
    ("act", "given", "fields"),
    [
        ("extend", {"reason": "Complex"}, ["reason_kind", "told_on"]),
        ("extend", COMPLEX | {"reason_kind": "holiday"}, ["reason_kind"]),
        ("extend", COMPLEX | {"told_on": "2999-01-01"}, ["told_on"]),
        ("extend", COMPLEX | {"told_on": "soon"}, ["told_on"]),
        ("extend", COMPLEX | {"asked_on": TODAY}, ["asked_on"]),
        ("pause", {"reason": "Who?"}, ["reason_kind", "asked_on"]),
        ("pause", ASKING | {"reason_kind": "holiday"}, ["reason_kind"]),
        ("pause", ASKING | {"asked_on": "2020-01-01"}, ["asked_on"]),
        ("pause", ASKING | {"reason": " "}, ["reason"]),
    ],
)
def test_a_clock_moves_only_for_what_the_law_knows(api, ask, act, given, fields):
    answer = api.post(f"{URL}{ask().json()['id']}/{act}/", given, "json")
    assert (answer.status_code, list(answer.json())) == (400, fields)


def test_every_note_on_the_identity_is_shown(api, ask):
    url = f"{URL}{ask().json()['id']}/"
    body = api.post(f"{url}identity/", {"identity_check": "Passport"}, "json").json()
    assert body["identity_check"] == "Passport"
    assert [(note["text"], note["actor"]) for note in body["identity_notes"]] == [
        ("Called back", "bob"),
        ("Passport", "bob"),
    ]

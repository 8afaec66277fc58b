import pytest
from rest_framework.test import APIClient

from contacts.accounts import tokens

RULES, RUN = "/api/v1/retention/rules/", "/api/v1/retention/run/"


@pytest.fixture
def root(alice) -> APIClient:
    """Return an API client with the administrator's token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(alice, 'tests')}")
    return client


def test_a_rule_is_made_shown_changed_and_removed(root):
    made = root.post(RULES, {"name": "Old leads", "age_months": 36, "source_type": "import"}, "json")
    assert made.status_code == 201
    body = made.json()
    assert body == {
        "id": body["id"],
        "name": "Old leads",
        "active": True,
        "source_type": "import",
        "authorization_type": None,
        "age_months": 36,
        "age_since": "created",
        "inactive_months": None,
        "step": "list",
        "warn_days": 30,
    }
    url = f"{RULES}{body['id']}/"
    assert root.get(url).json() == body
    assert root.patch(url, {"step": "erase"}, "json").json() == body | {"step": "erase"}
    put = root.put(url, {"name": "Silent", "inactive_months": 24}, "json").json()
    assert (put["age_months"], put["source_type"], put["inactive_months"]) == (None, None, 24)
    assert [row["id"] for row in root.get(RULES).json()["results"]] == [body["id"]]
    assert root.delete(url).status_code == 204
    assert root.get(url).status_code == 404


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"age_months": None}, "age_months"),
        ({"name": ""}, "name"),
        ({"source_type": "x"}, "source_type"),
        ({"step": "x"}, "step"),
        ({"warn_days": -1}, "warn_days"),
        ({"age": 3}, "age"),
    ],
)
def test_what_is_wrong_is_named(root, given, field):
    answer = root.post(RULES, {"name": "Old", "age_months": 36} | given, "json")
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_run_says_what_it_did_or_would_do(root, person):
    person()
    root.post(RULES, {"name": "Old", "age_months": 36, "step": "erase"}, "json")
    dry = root.post(RUN, {"dry_run": True}, "json").json()
    assert (dry["dry_run"], dry["batch"], dry["due"], dry["rules"][0]["meets"]) == (True, None, 0, 0)
    done = root.post(RUN, {}, "json")
    assert (done.status_code, done.json()["state"], done.json()["erased"]) == (200, "done", 0)


def test_members_read_rules_and_change_none(api, root):
    number = root.post(RULES, {"name": "Old", "age_months": 36}, "json").json()["id"]
    assert api.get(f"{RULES}{number}/").status_code == 200
    url = f"{RULES}{number}/"
    for method, address in (("post", RULES), ("patch", url), ("delete", url), ("post", RUN)):
        assert getattr(api, method)(address, {"garbage": 1}, "json").status_code == 403

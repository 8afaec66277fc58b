"""Which acts need a sign-in of the last ten minutes, through pages and through the API of a session."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from contacts.accounts import tokens
from contacts.models import ApiToken, Contact, User
from salesconnect.lib.role_registry import RIGHTS
from tests.sessions import age
from tests.test_page_rights import PAGES

PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def no_tries_counted(db):
    """Forget how often passwords were tried before."""
    cache.clear()


ADMINISTRATORS_ALONE = RIGHTS["administrator"] - RIGHTS["member"]
ASKED = {
    "approve-task",
    "deletion-settings",
    "policy",
    "mail-settings",
    "mail-template-informs",
    "processing-settings",
    "seals",
    "retention-new",
    "retention-rule",
    "retention-remove",
    "retention-run",
    "salesforce-settings",
    "salesforce-activate",
    "salesforce-pause",
    "salesforce-resume",
    "salesforce-disconnect",
    "users",
    "user",
}
"""Pages whose form sets what holds for everybody."""
NOT_ASKED = {
    "person-reconsent",  # its form has a field for the password
    "suppression-import",  # can only opt out
    "salesforce-now",
    "salesforce-retry",
    "salesforce-retry-all",
    "salesforce-test",
    "salesforce-try",  # these work with what is set
}


def test_every_page_of_administrators_is_in_one_of_the_lists():
    guarded = {name for name, (_get, post) in PAGES.items() if post in ADMINISTRATORS_ALONE}
    assert guarded == ASKED | NOT_ASKED


RULE = {"name": "Old", "active": True, "age_months": 36, "age_since": "created", "step": "list", "warn_days": 30}
FORMS = {
    "/settings/policy/": {
        "no_authorization": "block",
        "consent_old": "hold",
        "interest_due": "warn",
        "other_ground": "warn",
        "consent_months": 12,
        "interest_months": 12,
    },
    "/settings/proof/": {"webhook_url": "https://example.com/roots"},
    "/settings/retention/new/": RULE,
    "/settings/retention/run/": {},
    "/settings/salesforce/pause/": {},
    "/settings/salesforce/resume/": {},
    "/settings/salesforce/disconnect/": {},
    "/settings/salesforce/activate/": {},
    "/settings/users/": {"username": "mallory", "role": "administrator"},
    "/settings/record/": {"purposes": "Sales"},
    "/settings/profile/tokens/": {"name": "script"},
}


@pytest.mark.parametrize("address", FORMS)
def test_an_old_sign_in_is_asked_who_sits_there_and_then_goes_on(alice, address):
    client = Client()
    client.force_login(alice)
    answer = age(client).post(address, FORMS[address])
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/accounts/reauthenticate/")
    wrong = client.post(answer.url, {"password": "wrong"})
    assert (wrong.status_code, "Incorrect password" in wrong.text) == (200, True)
    done = client.post(answer.url, {"password": PASSWORD})
    assert (done.status_code, "reauthenticate" in done.headers.get("Location", "")) in {(200, False), (302, False)}


def test_what_was_sent_takes_effect_once_it_is_known_who_sits_there(alice):
    client = Client()
    client.force_login(alice)
    answer = age(client).post("/settings/users/", {"username": "new", "role": "member"})
    assert not User.objects.filter(username="new").exists()
    made = client.post(answer.url, {"password": PASSWORD})
    assert (made.status_code, User.objects.filter(username="new").count()) == (200, 1)


def test_who_has_just_signed_in_is_not_told_that_it_was_long_ago(alice):
    client = Client()
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    asked = client.get("/accounts/2fa/totp/activate/", follow=True)
    assert ("Confirm that it is you" in asked.text, "ten minutes" in asked.text) == (True, False)


def test_what_was_given_up_is_not_done_when_the_password_is_given_for_something_else(alice):
    client = Client()
    client.force_login(alice)
    age(client).post("/settings/users/", {"username": "ghost", "role": "administrator"})
    elsewhere = client.get("/accounts/2fa/totp/activate/")
    done = client.post(elsewhere.url, {"password": PASSWORD})
    assert (done.status_code, done.url) == (302, "/accounts/2fa/totp/activate/")
    assert not User.objects.filter(username="ghost").exists()
    client.post(elsewhere.url, {"password": PASSWORD})
    assert not User.objects.filter(username="ghost").exists()


@pytest.mark.parametrize("where", ["null", "{", "a:b", "//evil.example/"])
def test_what_is_no_address_leads_to_no_error_on_any_way_back(alice, where):
    client = Client()
    codes = [client.post("/accounts/login/", {"login": "alice", "password": PASSWORD, "next": where}).status_code]
    age(client).post("/settings/users/", {"username": "ghost", "role": "administrator"})
    codes += [
        client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": where}).status_code,
        client.post("/settings/language/", {"language": "sv", "next": where}).status_code,
        client.post("/settings/preferences/", {"theme": "dark", "next": where}).status_code,
        client.post("/accounts/logout/", {"next": where}).status_code,
    ]
    assert codes == [302] * 5


def test_what_was_given_up_is_forgotten_when_another_page_asks(alice, person):
    client = Client()
    client.force_login(alice)
    answer = age(client).post("/settings/users/", {"username": "ghost", "role": "administrator"})
    client.post("/people/bulk/delete/", {"ids": person().pk, "approved": 1})
    assert client.post(answer.url, {"password": PASSWORD}).url == "/settings/users/"
    assert (User.objects.filter(username="ghost").exists(), Contact.objects.count()) == (False, 1)


def test_what_was_sent_long_ago_is_not_done(alice):
    client = Client()
    client.force_login(alice)
    answer = age(client).post("/settings/users/", {"username": "ghost", "role": "administrator"})
    with time_machine.travel(timezone.now() + dt.timedelta(hours=3)):
        assert client.post(answer.url, {"password": PASSWORD}).url == "/settings/users/"
    assert not User.objects.filter(username="ghost").exists()


def test_what_waits_for_the_password_cannot_be_read_in_the_session(alice):
    client = Client()
    client.force_login(alice)
    secret = {"flow": "client_credentials", "client_id": "3MVG9", "client_secret": "hush-hush"}
    age(client).post("/settings/salesforce/", secret | {"login_url": "https://x.my.salesforce.com"})
    assert "hush-hush" not in str(dict(client.session))
    assert "3MVG9" not in str(dict(client.session))


def test_a_stale_session_makes_no_token(bob):
    client = Client()
    client.force_login(bob)
    answer = age(client).post("/settings/profile/tokens/", {"name": "script"})
    assert (answer.status_code, ApiToken.objects.count()) == (302, 0)
    made = client.post(answer.url, {"password": PASSWORD})
    assert ("Copy the token now" in made.text, ApiToken.objects.count()) == (True, 1)


def test_deleting_many_asks_before_its_form_and_keeps_the_selection(signed_in, person):
    anna, lars = person(email="a@example.com"), person(email="l@example.com")
    htmx = {"HX-Request": "true", "HX-Current-URL": "http://testserver/people/"}
    answer = age(signed_in).post("/people/bulk/delete/", {"ids": [anna.pk, lars.pk]}, headers=htmx)
    assert answer.headers["HX-Redirect"].startswith("/accounts/reauthenticate/")
    form = signed_in.post(answer.headers["HX-Redirect"], {"password": PASSWORD})
    assert "Delete 2 people" in form.text
    assert "<html" in form.text
    done = signed_in.post("/people/bulk/delete/", {"ids": [anna.pk, lars.pk], "approved": 2})
    assert (done.status_code, Contact.objects.count()) == (302, 0)


def test_a_session_in_the_api_is_asked_too_and_a_token_is_not(alice, person):
    anna = person(email="a@example.com")
    session, program = APIClient(), APIClient()
    session.force_login(alice)
    age(session)
    program.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(alice, 'tests')}")
    selection = {"selection": {"ids": [anna.pk]}}
    for path, body in (
        ("bulk/delete/", selection),
        ("retention/rules/", {"name": "Old", "age_months": 12}),
        ("retention/run/", {}),
    ):
        answer = session.post(f"/api/v1/{path}", body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "sign_in_again")
        assert program.post(f"/api/v1/{path}", body, format="json").status_code in {200, 201, 202}
    dry = session.post("/api/v1/retention/run/", {"dry_run": True}, format="json")
    assert dry.status_code == 200


def test_who_has_just_signed_in_through_the_page_is_not_asked(alice):
    client = Client()
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    assert client.post("/settings/retention/new/", RULE).url == "/settings/retention/"

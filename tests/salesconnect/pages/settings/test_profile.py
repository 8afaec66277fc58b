"""The user's own page, and the commands that make users and tokens."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from contacts.accounts import tokens
from contacts.models import User

PROFILE = "/settings/profile/"
SAID = {"first_name": "Bob", "last_name": "Dahl", "language": "sv", "theme": "dark", "shortcuts": ""}


def opens(token: str) -> bool:
    return APIClient().get("/api/v1/contacts/", headers={"Authorization": f"Token {token}"}).status_code == 200


def test_name_language_theme_and_shortcuts_are_stored(signed_in, bob):
    answer = signed_in.post(PROFILE, SAID)
    bob.refresh_from_db()
    assert (answer.status_code, answer["Location"], answer.cookies["django_language"].value) == (302, PROFILE, "sv")
    assert (str(bob), bob.language, bob.theme, bob.shortcuts) == ("Bob Dahl", "sv", "dark", False)
    assert 'lang="sv"' in signed_in.get(PROFILE).content.decode()


def test_a_wrong_profile_is_shown_again_and_stores_nothing(signed_in, bob):
    answer = signed_in.post(PROFILE, SAID | {"theme": "pink"})
    bob.refresh_from_db()
    assert (answer.status_code, bob.first_name) == (422, "")


def test_the_profile_does_not_change_who_one_is(signed_in, bob):
    signed_in.post(PROFILE, SAID | {"role": "administrator", "username": "root", "is_active": ""})
    bob.refresh_from_db()
    assert (bob.role, bob.username, bob.is_active) == ("member", "bob", True)


def test_a_token_is_shown_once_and_opens_the_api(signed_in, bob):
    answer = signed_in.post(reverse("token-new"), {"name": "Reports"})
    token = answer.context["token"]
    assert (answer.content.decode().count(token), answer["Cache-Control"], opens(token)) == (1, "no-store", True)
    shown = signed_in.get(PROFILE).content.decode()
    assert (shown.count(token), shown.count("Reports")) == (0, 2)
    assert bob.tokens.get().digest != token


def test_a_token_needs_a_name(signed_in, bob):
    assert (signed_in.post(reverse("token-new"), {"name": " "}).status_code, bob.tokens.count()) == (422, 0)


def test_a_revoked_token_opens_nothing_and_others_stay(signed_in, bob, alice):
    mine, hers = tokens.make(bob, "mine"), tokens.make(alice, "hers")
    assert signed_in.post(reverse("token-revoke", args=[alice.tokens.get().pk])).status_code == 404
    assert signed_in.post(reverse("token-revoke", args=[bob.tokens.get().pk])).status_code == 302
    assert (opens(mine), opens(hers)) == (False, True)


@pytest.mark.parametrize(
    ("following", "place"),
    [
        ("/tasks/?a=b", "/tasks/?a=b"),
        ("//evil.example/", "/"),
        ("", "/"),
        ("null", "null"),
        ("a:b", "/"),
        ('{"filter": []}', "%7B%22filter%22:%20[]%7D"),
    ],
)
def test_the_theme_switch_stores_the_theme_and_leads_back(signed_in, bob, following, place):
    answer = signed_in.post(reverse("preferences"), {"theme": "light", "next": following})
    bob.refresh_from_db()
    assert (answer.status_code, answer["Location"], bob.theme) == (302, place, "light")


def test_an_unknown_theme_is_refused(signed_in, bob):
    assert signed_in.post(reverse("preferences"), {"theme": "pink"}).status_code == 400
    bob.refresh_from_db()
    assert bob.theme == "auto"


@pytest.mark.parametrize(("language", "stored"), [("sv", "sv"), ("xx", "")])
def test_the_language_switch_sets_cookie_and_user(signed_in, bob, language, stored):
    answer = signed_in.post(reverse("set_language"), {"language": language, "next": "/people/"})
    bob.refresh_from_db()
    cookie = answer.cookies.get("django_language")
    assert (answer.status_code, answer["Location"]) == (302, "/people/")
    assert (cookie.value if cookie else "", bob.language) == (stored, stored)


@pytest.mark.django_db
def test_the_language_can_be_switched_before_signing_in():
    client = Client()
    client.post(reverse("set_language"), {"language": "sv", "next": "/accounts/login/"})
    assert 'lang="sv"' in client.get("/accounts/login/").content.decode()


@pytest.mark.django_db
def test_create_user_prints_a_generated_password_alone():
    out, err = StringIO(), StringIO()
    call_command("create_user", "dora", role="auditor", stdout=out, stderr=err)
    dora = User.objects.get(username="dora")
    assert (dora.role, dora.check_password(out.getvalue().strip())) == ("auditor", True)


@pytest.mark.django_db
def test_create_user_takes_the_password_it_is_given_and_does_not_repeat_it():
    out, err = StringIO(), StringIO()
    call_command("create_user", "dora", role="member", password="short", stdout=out, stderr=err)
    assert (out.getvalue(), "short" in err.getvalue()) == ("", False)
    assert User.objects.get(username="dora").check_password("short")


def test_create_user_refuses_a_name_that_is_taken(bob):
    with pytest.raises(CommandError, match="already exists"):
        call_command("create_user", "bob", role="member")


def test_create_token_prints_a_token_that_opens_the_api(bob):
    out = StringIO()
    call_command("create_token", "bob", stdout=out)
    assert (len(out.getvalue().split()), opens(out.getvalue().strip())) == (1, True)


@pytest.mark.parametrize("name", ["nobody", "charlie"])
def test_create_token_needs_a_user_whose_account_is_open(charlie, name):
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    with pytest.raises(CommandError, match=f"no user {name}"):
        call_command("create_token", name)

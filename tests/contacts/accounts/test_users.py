import pytest
from django.test import Client

from contacts.accounts import users
from contacts.models import User
from salesconnect.lib.errors import Conflict, Forbidden, Invalid


def test_a_new_user_can_sign_in_with_the_password_shown_once(administrator):
    made = users.create("dora", "auditor", actor=administrator)
    assert Client().login(username="dora", password=made.password)
    assert made.user.role == "auditor"


@pytest.mark.parametrize(
    ("name", "role", "extra", "field"),
    [
        ("alice", "member", {}, "username"),
        ("no spaces", "member", {}, "username"),
        ("dora", "king", {}, "role"),
        ("dora", "member", {"email": "nowhere"}, "email"),
        ("dora", "member", {"password": "12345"}, "password"),
    ],
)
def test_a_user_that_cannot_be_is_refused(administrator, name, role, extra, field):
    with pytest.raises(Invalid) as refusal:
        users.create(name, role, actor=administrator, **extra)
    assert list(refusal.value.fields) == [field]


def test_the_last_administrator_stays(alice, bob, administrator):
    with pytest.raises(Conflict):
        users.change(alice.pk, role="member", active=True, actor=administrator)
    users.change(bob.pk, role="administrator", active=True, actor=administrator)
    users.change(alice.pk, role="member", active=False, actor=administrator)
    assert list(User.objects.filter(is_active=True).values_list("username", "role")) == [("bob", "administrator")]


def test_only_an_administrator_manages_users(member, auditor, bob):
    for actor in (member, auditor):
        with pytest.raises(Forbidden):
            users.create("dora", "member", actor=actor)
        with pytest.raises(Forbidden):
            users.change(bob.pk, role="administrator", active=True, actor=actor)


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("bob", 403), ("charlie", 403)])
def test_the_users_page_is_for_administrators(request, who, status):
    client = Client()
    client.force_login(request.getfixturevalue(who))
    assert client.get("/settings/users/").status_code == status
    assert client.post("/settings/users/", {}).status_code == (422 if status == 200 else status)


def test_the_page_makes_a_user_and_shows_the_password(alice):
    client = Client()
    client.force_login(alice)
    answer = client.post("/settings/users/", {"username": "dora", "email": "", "role": "member"})
    password = answer.context["made"].password
    assert password in answer.content.decode()
    assert Client().login(username="dora", password=password)


def test_the_page_changes_a_role(alice, bob):
    client = Client()
    client.force_login(alice)
    answer = client.post(f"/settings/users/{bob.pk}/", {"role": "auditor", "is_active": "on"})
    bob.refresh_from_db()
    assert (answer.status_code, bob.role) == (302, "auditor")


def test_settings_lead_to_what_one_may_set_or_see(signed_in):
    sections = [each.name for each in signed_in.get("/settings/").context["sections"]]
    assert sections == ["profile", "seals", "retention"]


def test_a_user_who_is_not_there_is_not_found(client, alice):
    client.force_login(alice)
    assert client.get("/settings/users/999999/").status_code == 404
    assert client.post("/settings/users/999999/", {"role": "member"}).status_code == 404

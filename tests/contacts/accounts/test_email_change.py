"""A user's own address: changed with a password, a confirmation at the new place and a notice at the old."""

import datetime as dt
import re
import smtplib
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.utils import timezone

from contacts.accounts import email_change, users
from contacts.models import User
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Conflict, Invalid, Missing
from tests.sessions import age

PASSWORD = "correct-horse-battery"


@pytest.fixture(autouse=True)
def mail_server(settings):
    cache.clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def link() -> str:
    return re.search(r"https?://[^/]+(/settings/profile/email/\S+)", mail.outbox[-1].body)[1]


def address_of(user) -> str:
    return User.objects.get(pk=user.pk).email


def test_the_link_at_the_new_address_changes_it_and_the_old_one_is_told(signed_in, bob):
    answer = signed_in.post("/settings/profile/email/", {"email": "new@example.com"}, follow=True)
    assert "A link was sent to new@example.com" in answer.text
    assert ([message.to for message in mail.outbox], address_of(bob)) == ([["new@example.com"]], "bob@example.com")
    url = link()
    assert "new@example.com" in signed_in.get(url).text
    assert address_of(bob) == "bob@example.com"
    signed_in.post(url)
    assert address_of(bob) == "new@example.com"
    assert mail.outbox[-1].to == ["bob@example.com"]
    assert "changed from this one to new@example.com" in mail.outbox[-1].body


def test_an_old_sign_in_is_asked_for_the_password_first(signed_in, bob):
    answer = age(signed_in).post("/settings/profile/email/", {"email": "new@example.com"})
    assert (answer.url.partition("?")[0], mail.outbox) == ("/accounts/reauthenticate/", [])
    signed_in.post(answer.url, {"password": PASSWORD})
    assert [message.to for message in mail.outbox] == [["new@example.com"]]


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@Example.com", " alice@example.com", "nonsense", ""])
def test_an_address_that_cannot_be_ones_own_is_refused(signed_in, alice, email):
    assert signed_in.post("/settings/profile/email/", {"email": email}).status_code == 422
    assert mail.outbox == []


def test_an_address_that_somebody_got_meanwhile_is_not_taken_away(signed_in, bob, administrator):
    signed_in.post("/settings/profile/email/", {"email": "new@example.com"})
    users.create("dora", "member", email="New@example.com", actor=administrator)
    assert signed_in.post(link()).status_code == 400
    assert address_of(bob) == "bob@example.com"


def test_a_link_works_once_for_a_day_and_for_its_user_alone(signed_in, bob, alice):
    signed_in.post("/settings/profile/email/", {"email": "new@example.com"})
    url, other = link(), Client()
    other.force_login(alice)
    assert other.post(url).status_code == 404
    assert signed_in.post(url.replace("/email/", "/email/x")).status_code == 404
    with time_machine.travel(timezone.now() + dt.timedelta(hours=25)):
        late = Client()
        late.force_login(bob)
        assert late.post(url).status_code == 404
    assert signed_in.post(url).status_code == 302
    assert signed_in.post(url).status_code == 404
    assert Client().get(url).status_code == 302


def test_without_a_mail_server_an_administrator_is_asked(signed_in, settings):
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    answer = signed_in.post("/settings/profile/email/", {"email": "new@example.com"})
    assert (answer.status_code, "ask an administrator" in answer.text) == (422, True)


def test_without_a_mail_server_the_page_says_so_before_anything_is_typed(signed_in, settings):
    assert "No mail server is configured" not in signed_in.get("/settings/profile/email/").text
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    page = signed_in.get("/settings/profile/email/").text
    assert ("No mail server is configured, so no link can be sent." in page, 'name="email"' in page) == (True, False)


def test_a_link_that_is_opened_when_there_is_no_mail_server_any_more_tells_that_the_old_address_is_not_told(
    signed_in, bob, settings
):
    signed_in.post("/settings/profile/email/", {"email": "new@example.com"})
    url = link()
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    assert "the old address will not be told" in signed_in.get(url).text
    page = signed_in.post(url, follow=True).text
    assert ("the old address was not told of the change" in page, address_of(bob)) == (True, "new@example.com")


def test_an_administrator_is_told_that_the_old_address_was_not(alice, bob, settings):
    client = Client()
    client.force_login(alice)
    address, form = f"/settings/users/{bob.pk}/", {"role": "member", "is_active": "on"}
    assert "No mail server is configured" not in client.get(address).text
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    assert "No mail server is configured: an old address is not told" in client.get(address).text
    unchanged = client.post(address, form | {"email": "bob@example.com"}, follow=True).text
    assert "was not told" not in unchanged
    page = client.post(address, form | {"email": "new@example.com"}, follow=True).text
    assert ("was not told of the change" in page, address_of(bob)) == (True, "new@example.com")


def test_an_old_address_that_takes_no_mail_is_named_as_not_told(alice, bob, settings):
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    client = Client()
    client.force_login(alice)
    form = {"role": "member", "is_active": "on", "email": "new@example.com"}
    page = client.post(f"/settings/users/{bob.pk}/", form, follow=True).text
    assert "The old address takes no mail, so it was not told" in page


def test_a_forgotten_password_without_a_mail_server_is_said_before_and_after(settings, bob):
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    client, words = Client(), "This site cannot send mail. Ask your administrator for a new password."
    assert words in client.get("/accounts/password/reset/").text
    after = client.post("/accounts/password/reset/", {"email": "bob@example.com"}, follow=True).text
    assert (words in after, "on its way" in after) == (True, False)


def test_an_administrator_sets_an_address_and_the_old_one_is_told(alice, bob):
    client = Client()
    client.force_login(alice)
    form = {"role": "member", "is_active": "on"}
    assert client.post(f"/settings/users/{bob.pk}/", form | {"email": "new@example.com"}).status_code == 302
    assert (address_of(bob), [message.to for message in mail.outbox]) == ("new@example.com", [["bob@example.com"]])
    taken = client.post(f"/settings/users/{bob.pk}/", form | {"email": "Alice@example.com"})
    assert (taken.status_code, address_of(bob)) == (422, "new@example.com")
    client.post(f"/settings/users/{bob.pk}/", form | {"email": ""})
    assert address_of(bob) == ""
    assert client.get("/settings/users/999999/").status_code == 404


def test_two_users_of_one_address_cannot_be_made(administrator):
    users.create("dora", "member", email="d@example.com", actor=administrator)
    with pytest.raises(Invalid) as refusal:
        users.create("dagny", "member", email="D@example.com", actor=administrator)
    assert list(refusal.value.fields) == ["email"]


class Refusing(EmailBackend):
    """A server that knows one mailbox no more."""

    def send_messages(self, messages):
        for message in messages:
            if message.to == ["bob@example.com"]:
                raise smtplib.SMTPRecipientsRefused({"bob@example.com": (550, b"no such user")})
        return super().send_messages(messages)


class Away(EmailBackend):
    """A server that is not there."""

    def send_messages(self, messages):
        raise ConnectionRefusedError


def test_an_old_mailbox_that_is_gone_binds_nobody_and_a_server_that_is_away_changes_nothing(settings, bob, member):
    email_change.propose(bob.pk, "new@example.com", actor=member)
    token = link().rstrip("/").rpartition("/")[2]
    settings.EMAIL_BACKEND = f"{__name__}.Away"
    with pytest.raises(Conflict, match="could not be sent"):
        email_change.confirm(token, actor=member)
    assert address_of(bob) == "bob@example.com"
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    assert email_change.confirm(token, actor=member).email == "new@example.com"


def test_nobody_asks_for_somebody_else(alice, member):
    with pytest.raises(Missing):
        email_change.propose(alice.pk, "new@example.com", actor=member)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_get_one_address():
    def make(name: str) -> bool:
        try:
            users.create(name, "member", email="one@example.com", actor=system("command"))
        except Invalid:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(make, [f"user{number}" for number in range(8)]))
    assert (sum(made), User.objects.filter(email="one@example.com").count()) == (1, 1)

"""Trouble with the mail server: it stops the turn, charges no mail, is said aloud, and ends by itself."""

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from django.test import Client
from django.utils import timezone

from contacts.models import Contact
from tests.mailing import DRAFT
from unsubscribes.mail import bulk_mail
from unsubscribes.mail.sending import send
from unsubscribes.models import MailFailure, MailServer, Message

QUOTAS = (
    "rcpt 550 5.4.5 Daily user sending limit exceeded.",
    "554 5.7.0 Your message could not be sent. The limit on the number of allowed outgoing messages was exceeded.",
    "554 5.2.0 SubmissionQuotaExceeded",
    "rcpt 554 5.7.1 Relay access denied",
)


@pytest.fixture
def three(server, many, member):
    """Return the server for which three mails wait."""
    many(3)
    bulk_mail.order_mail(Contact.objects.all(), DRAFT, actor=member, selection={})
    return server


def mails():
    return sorted(Message.objects.values_list("state", "reason", "attempts"))


def rest_over():
    MailServer.objects.update(next_at=timezone.now())


WAITING = [("queued", "", 0), ("queued", "", 0), ("queued", "server", 0)]


@pytest.mark.parametrize("answer", QUOTAS)
def test_a_quota_stops_the_turn_and_ends_no_mail(three, answer, caplog):
    three.answers.append(answer)
    with caplog.at_level(logging.WARNING):
        assert send.drain() == 1
    assert (mails(), three.mails) == (WAITING, [])
    assert answer.removeprefix("rcpt ") in caplog.text
    assert not MailFailure.objects.exists()
    assert send.drain() == 0
    rest_over()
    assert send.drain() == 3
    assert mails() == [("sent", "", 1)] * 3


def nobody(settings):
    settings.EMAIL_PORT = 1


def no_tls(settings):
    settings.EMAIL_USE_TLS = True


def tls_at_once(settings):
    settings.EMAIL_USE_SSL = True


def wrong_password(settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "us", "wrong-word"


def no_such_host(settings):
    settings.EMAIL_HOST = "mail.invalid"


def impossible_host(settings):
    settings.EMAIL_HOST = "x" * 70 + ".example"


@pytest.mark.parametrize("wrong", [nobody, no_tls, tls_at_once, wrong_password, no_such_host, impossible_host])
def test_a_wrong_setting_charges_no_mail_however_long_it_stays(three, settings, wrong):
    wrong(settings)
    for attempt in range(1, 13):
        assert send.drain() == 1
        rest_over()
        assert MailServer.objects.get().failures == attempt
    assert {(state, attempts) for state, _reason, attempts in mails()} == {("queued", 0)}


def test_a_server_that_never_greets_is_trouble_of_all_mail(three, settings):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = silent.getsockname()[1], 0.2
        assert send.drain() == 1
    assert mails() == WAITING


HANGS_UP = b""


def talk(client: socket.socket, to_data: bytes, to_content: bytes) -> None:
    """Take one client's mail, command by command."""
    with client, client.makefile("rb") as lines:
        client.sendall(b"220 here\r\n")
        content = False
        for line in lines:
            if content and line != b".\r\n":
                continue
            answer = to_content if content else to_data if line.startswith(b"data") else b"250 OK"
            content = answer.startswith(b"354")
            if answer == HANGS_UP:
                return
            client.sendall(answer + b"\r\n")


@contextmanager
def answering(settings, to_data: bytes, to_content: bytes) -> Iterator[None]:
    """Run a mail server that answers so to DATA and to the content of a mail, and takes everything else."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                talk(listener.accept()[0], to_data, to_content)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.EMAIL_PORT = listener.getsockname()[1]
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_mail_whose_content_was_never_asked_for_has_not_left(three, settings):
    with answering(settings, HANGS_UP, b"250 OK"):
        assert send.drain() == 1
    assert mails() == WAITING
    assert not Message.objects.filter(state="unknown").exists()


@pytest.mark.parametrize("answer", [HANGS_UP, b"what now", b"\xff\xfe"])
def test_a_server_that_breaks_off_after_the_content_leaves_one_mail_in_doubt_and_stops_the_turn(
    three, settings, answer
):
    port = settings.EMAIL_PORT
    with answering(settings, b"354 go on", answer):
        assert send.drain() == 1
        assert send.drain() == 0
        assert mails() == [("queued", "", 0), ("queued", "", 0), ("unknown", "interrupted", 1)]
        assert MailServer.objects.get().failures == 1
    settings.EMAIL_PORT = port
    rest_over()
    assert send.drain() == 2
    assert mails() == [("sent", "", 1), ("sent", "", 1), ("unknown", "interrupted", 1)]
    assert MailServer.objects.get().since is None


def test_the_pauses_grow_and_end_at_five_minutes(three, settings):
    nobody(settings)
    seconds = []
    for _attempt in range(6):
        send.drain()
        row = MailServer.objects.get()
        seconds.append(round((row.next_at - timezone.now()).total_seconds() / 10) * 10)
        rest_over()
    assert seconds == [30, 60, 120, 300, 300, 300]


def test_a_mail_that_is_trouble_itself_does_not_stop_the_others_for_ever(server, many, member):
    many(2)
    bulk_mail.order_mail(Contact.objects.all(), DRAFT, actor=member, selection={})
    server.answers.append("554 5.7.1 we do not like this content")
    assert send.drain() == 1
    rest_over()
    server.answers += ["250 OK", "554 5.7.1 we do not like this content"]
    assert send.drain() == 2
    assert mails() == [("queued", "later", 1), ("sent", "", 1)]
    assert MailServer.objects.get().since is None


def test_pages_figures_and_readiness_tell_of_the_trouble(three, settings, alice, bob, signed_in):
    settings.METRICS = True
    three.answers.append("rcpt 550 5.4.5 Daily user sending limit exceeded for us@example.com")
    send.drain()
    administrating = Client()
    administrating.force_login(alice)
    hers, his = (browser.get("/mails/").content.decode() for browser in (administrating, signed_in))
    assert ("The mail server has trouble" in hers, "Daily user sending limit" in hers) == (True, True)
    assert ("The mail server has trouble" in his, "Daily user sending limit" in his) == (True, False)
    assert "us@example.com" not in hers
    assert "The mail server has trouble" in administrating.get("/settings/mail/").content.decode()
    figures = signed_in.get("/metrics").content.decode()
    assert "salesconnect_mail_server_configured 1" in figures
    assert "salesconnect_mail_server_trouble_seconds 0\n" not in figures
    assert signed_in.get("/readyz").json().get("warnings", ["mail server"]) == ["mail server"]
    rest_over()
    send.drain()
    assert "trouble" not in administrating.get("/mails/").content.decode()


def test_without_a_mail_server_pages_say_so_and_the_button_saves(anna, signed_in, alice, settings):
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    page = signed_in.get(f"/people/{anna.pk}/mail/").content.decode()
    assert ("No mail server is set up" in page, "Save to outbox" in page, "Send to 1" in page) == (True, True, False)
    form = {"step": "send", "subject": "Hello", "body": "News.", "language": "en", "approved": "1"}
    told = signed_in.post(f"/people/{anna.pk}/mail/", form, follow=True).content.decode()
    assert "waits for a mail server" in told
    assert "Waiting for a mail server" in told
    assert "on its way" not in told
    assert "Waiting for a mail server" in signed_in.get("/mails/").content.decode()
    administrating = Client()
    administrating.force_login(alice)
    assert "No mail server is set up" in administrating.get("/settings/mail/").content.decode()
    assert "cannot send mail" in Client().get("/accounts/password/reset/").content.decode()

import datetime as dt
import re
from threading import Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from compliance.card.card_changes import lock
from compliance.card.editing import edit
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.suppression import suppression
from compliance.verdict import policy
from contacts.events import history
from contacts.models import Contact
from salesconnect.lib.actor import system
from tests.mailing import DRAFT
from unsubscribes.links import links
from unsubscribes.mail import bulk_mail, mailing
from unsubscribes.mail.sending import send
from unsubscribes.mail.sending.transport import Transport
from unsubscribes.models import Message


def fate(message):
    message.refresh_from_db()
    return message.state, message.reason


def test_a_mail_arrives_with_both_parts_and_a_way_out_in_each(server, written, settings):
    send.drain()
    [mail] = server.mails
    text, html = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()
    [link] = set(re.findall(r"http://testserver/u/[\w-]{43}/", text))
    assert (mail["To"], mail["Subject"], server.recipients) == (
        "Anna Berg <Anna.Berg@example.com>",
        "Hello Anna",
        ["Anna.Berg@example.com"],
    )
    assert text.startswith("Dear Anna Berg,")
    assert f'<a href="{link}">Unsubscribe</a>' in html
    assert (mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]) == (f"<{link}>", "List-Unsubscribe=One-Click")
    assert links.find(link.split("/")[-2]).address_hash == written.contact.address_hash
    assert fate(written) == ("sent", "")


def test_answers_go_to_the_sender_and_the_message_id_names_the_row(server, written, bob):
    send.drain()
    [mail] = server.mails
    assert mail["Reply-To"] == bob.email
    assert re.fullmatch(rf"<{written.pk}\.\d+@testserver>", mail["Message-ID"])


def test_the_link_is_https_where_the_site_is(server, written, settings):
    settings.SITE_URL = "https://crm.example.com"
    send.drain()
    assert re.fullmatch(r"<https://crm\.example\.com/u/[\w-]{43}/>", server.mails[0]["List-Unsubscribe"])


def test_a_name_cannot_add_a_header(server, person, member, anna):
    Contact.objects.filter(pk=anna.pk).update(first_name="Anna\r\nBcc: eve@example.com\r\n\r\nx")
    mailing.write_to_one(anna.pk, DRAFT, actor=member)
    send.drain()
    [mail] = server.mails
    assert (mail["Bcc"], server.recipients) == (None, ["Anna.Berg@example.com"])
    assert mail["Subject"] == "Hello Anna Bcc: eve@example.com x"


def test_an_international_domain_is_mailed_in_its_ascii_form(server, person, member):
    lars = person(email="lars@exämple.se")
    policy.change({"no_authorization": "allow"}, actor=system("command"))
    mailing.write_to_one(lars.pk, DRAFT, actor=member)
    send.drain()
    assert server.recipients == ["lars@xn--exmple-cua.se"]


def test_a_campaign_uses_one_connection(server, many, member):
    many(5)
    bulk_mail.order_mail(Contact.objects.all(), DRAFT, actor=member, selection={})
    assert send.drain() == 5
    assert (len(server.mails), len(server.sessions)) == (5, 1)


def test_who_unsubscribes_after_the_mail_was_written_does_not_get_it(server, written, member):
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    send.drain()
    assert (server.mails, fate(written)) == ([], ("held", "unsubscribed"))


def test_a_mail_goes_to_the_address_that_the_person_has_when_it_leaves(server, written, member):
    edit(written.contact_id, {"email": "new@example.com"}, actor=member)
    send.drain()
    written.refresh_from_db()
    assert (server.recipients, written.email) == (["new@example.com"], "new@example.com")


def test_without_a_mail_server_the_message_waits_and_nothing_says_that_it_left(written, settings):
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    assert (send.drain(), send.send_one(written.pk)) == (0, None)
    assert fate(written) == ("queued", "")
    assert (written.state_in_words, written.why, written.sent_at) == ("Waiting for a mail server", "outbox", None)
    assert [event.action for event in history.of_contact(written.contact_id)] == ["created"]


def test_what_waited_for_a_mail_server_passes_the_gate_again(written, person, member, inbox, settings):
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    eve = person(email="eve@example.com", authorization=Authorization(AuthorizationType.CONTRACT))
    gone = mailing.write_to_one(eve.pk, DRAFT, actor=member)
    send.drain()
    suppression.unsubscribe(Contact.objects.filter(pk=eve.pk), actor=member, source="manual")
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.SmtpBackend"
    taken, settings.EMAIL_HOST, settings.EMAIL_PORT = inbox
    send.drain()
    assert taken.recipients == ["Anna.Berg@example.com"]
    assert (fate(written), fate(gone)) == (("sent", ""), ("held", "unsubscribed"))


@pytest.mark.parametrize("answer", ["450 busy", "rcpt 451 greylisted", "rcpt 452 4.2.2 full"])
def test_a_transient_refusal_is_tried_again_later(server, written, answer):
    server.answers.append(answer)
    send.drain()
    assert fate(written) == ("queued", "later")
    assert written.error == answer.removeprefix("rcpt ")
    assert written.not_before > timezone.now() + dt.timedelta(seconds=20)
    assert send.drain() == 0
    Message.objects.update(not_before=timezone.now())
    send.drain()
    assert (fate(written), written.attempts, len(server.mails)) == (("sent", ""), 2, 1)


@pytest.mark.parametrize("answer", ["550 no such user", "rcpt 550 no such user"])
def test_a_permanent_refusal_fails_with_what_the_server_said(server, written, answer):
    server.answers.append(answer)
    send.drain()
    assert (fate(written), written.error) == (("failed", "refused"), "550 no such user")


def test_the_link_and_the_message_id_are_the_same_at_the_next_attempt(server, written):
    server.answers.append("450 busy")
    send.drain()
    first = Message.objects.get().link_id
    Message.objects.update(not_before=timezone.now())
    send.drain()
    assert Message.objects.get().link_id == first


def test_a_mail_that_is_refused_again_and_again_is_given_up(server, written):
    for _ in range(len(send.DELAYS) + 1):
        server.answers.append("450 busy")
        Message.objects.update(not_before=timezone.now())
        send.drain()
    assert (fate(written), written.attempts) == (("failed", "gave_up"), 9)


def test_a_connection_that_breaks_after_the_content_leaves_the_fate_unknown(server, written):
    server.answers.append("250 and gone")
    send.drain()
    assert fate(written) == ("unknown", "interrupted")
    assert send.drain() == 0


def test_a_message_whose_worker_was_killed_becomes_unknown_and_waits_for_a_person(server, written, member):
    claimed = send.claim()
    assert (claimed.pk, send.claim()) == (written.pk, None)
    assert send.mark_lost_unknown() == 0
    Message.objects.update(claimed_at=timezone.now() - dt.timedelta(seconds=send.LEASE_SECONDS + 1))
    assert send.mark_lost_unknown() == 1
    assert fate(written) == ("unknown", "interrupted")
    assert send.drain() == 0
    mailing.resolve(written.pk, "resend", actor=member)
    send.drain()
    written.refresh_from_db()
    assert (len(server.mails), written.state, written.decided_by) == (1, "sent", "bob")


def test_a_worker_that_comes_back_late_still_tells_what_became_of_the_mail(server, written):
    claimed = send.claim()
    Message.objects.update(state="unknown")
    with Transport() as carrier:
        send.deliver(claimed, carrier)
    assert fate(written) == ("sent", "")


def test_a_late_worker_does_not_touch_a_message_that_was_sent_again(server, written, member):
    late = send.claim()
    Message.objects.update(state="unknown")
    mailing.resolve(written.pk, "resend", actor=member)
    server.answers.append("550 no such user")
    again = send.claim()
    with Transport() as carrier:
        send.deliver(late, carrier)
    assert (fate(written), written.claimed_at) == (("sending", ""), again.claimed_at)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("transactional_db")
def test_a_message_to_somebody_who_is_being_changed_is_passed_over(written):
    found = []

    def take():
        found.append(send.claim())
        connection.close()

    with transaction.atomic():
        lock(Contact.objects.all())
        thread = Thread(target=take)
        thread.start()
        thread.join()
    assert (found, send.claim().pk) == ([None], written.pk)


@pytest.mark.parametrize("where", [(send.gate, "decide"), (send.envelope, "build")], ids=["the gate", "the envelope"])
def test_a_message_that_breaks_what_it_goes_through_holds_up_no_other(person, server, member, monkeypatch, where):
    module, name = where
    bad, good = (
        person(email="bad@example.com", authorization=Authorization(AuthorizationType.CONTRACT)),
        person(email="g@example.com", authorization=Authorization(AuthorizationType.CONTRACT)),
    )
    for each in (bad, good):
        mailing.write_to_one(each.pk, DRAFT, actor=member)
    whole = getattr(module, name)

    def breaks(first, *args, **options):
        mine = first.first().pk if name == "decide" else first.contact_id
        if mine == bad.pk:
            raise ZeroDivisionError
        return whole(first, *args, **options)

    monkeypatch.setattr(module, name, breaks)
    send.drain()
    states = dict(Message.objects.values_list("contact", "state"))
    assert states == {bad.pk: "queued", good.pk: "sent"}
    for _attempt in send.DELAYS:
        Message.objects.update(not_before=timezone.now())
        send.drain()
    message = Message.objects.get(contact=bad)
    assert (message.state, message.reason) == ("failed", "broken")
    assert history.of_contact(bad.pk).first().action == history.MAIL_FAILED

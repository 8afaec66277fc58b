"""A "no" that comes while a claimed mail waits for a mail server that takes its time."""

import pytest
from django.utils import timezone

from compliance.card.editing import edit
from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact, ContactEvent
from exports.erasure.erasure import erase
from tests.mailing import DRAFT
from tests.unsubscribes.mail.sending import test_send_between as between
from unsubscribes.links import links
from unsubscribes.mail import mailing
from unsubscribes.mail.sending import send
from unsubscribes.merging.merge import merge
from unsubscribes.models import Message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("transactional_db")]
COMMANDS = ("EHLO", "MAIL", "RCPT")


@pytest.mark.parametrize("command", COMMANDS)
def test_who_says_no_while_the_server_takes_its_time_does_not_get_the_mail(server, written, member, command):
    server.meanwhile[command] = lambda: between.unsubscribed(written.contact, member)
    send.drain()
    written.refresh_from_db()
    assert server.mails == []
    assert (written.state, written.reason, written.attempts, written.sent_at) == ("held", "unsubscribed", 0, None)
    held = ContactEvent.objects.get(action=history.MAIL_HELD)
    assert held.changes["held"] == [None, "unsubscribed"]
    assert not ContactEvent.objects.filter(action=history.MAILED).exists()


@pytest.mark.parametrize(("change", "reason"), between.CHANGES[:5] + between.CHANGES[6:])
def test_so_is_it_with_whatever_else_holds_mail_back(server, written, member, change, reason):
    server.meanwhile["RCPT"] = lambda: change(written.contact, member)
    send.drain()
    assert server.mails == []
    assert list(Message.objects.values_list("state", "reason")) == ([("held", reason)] if reason else [])


def test_a_no_by_the_link_of_an_earlier_mail_waits_for_no_mail_server(server, written, member):
    send.drain()
    written.refresh_from_db()
    link, said = written.link, []
    second = mailing.write_to_one(written.contact_id, DRAFT, actor=member)
    server.meanwhile["MAIL"] = lambda: said.append(links.opt_out(link, source="one_click", reason="").changed)
    send.drain()
    second.refresh_from_db()
    assert (said, len(server.mails), second.state, second.reason) == ([1], 1, "held", "unsubscribed")


def test_the_others_of_the_turn_leave_all_the_same(server, many, member):
    first, second = many(2)
    for person in (first, second):
        mailing.write_to_one(person.pk, DRAFT, actor=member)
    server.meanwhile["RCPT"] = lambda: suppression.unsubscribe(
        Contact.objects.filter(pk=first.pk), actor=member, source="manual"
    )
    send.drain()
    assert server.recipients == [second.email]


def test_a_no_of_the_other_record_in_a_merge_counts_too(server, written, person, member):
    survivor = person(email="anna@work.example", authorization=between.CONTRACT)

    def happens():
        merge(survivor.pk, written.contact_id, actor=member)
        suppression.unsubscribe(Contact.objects.filter(pk=survivor.pk), actor=member, source="manual")

    server.meanwhile["EHLO"] = happens
    send.drain()
    assert (server.mails, Message.objects.get().reason) == ([], "unsubscribed")


def test_a_new_address_gets_the_mail_that_was_about_to_go_to_the_old_one(server, written, member):
    server.meanwhile["EHLO"] = lambda: edit(written.contact_id, {"email": "new@example.com"}, actor=member)
    send.drain()
    assert server.recipients == ["new@example.com"]
    assert Message.objects.get().attempts == 1


def test_the_address_that_was_left_may_have_said_no(server, written, member):
    hashed, key = written.contact.address_hash, written.contact.address_hash_key

    def happens():
        edit(written.contact_id, {"email": "new@example.com"}, actor=member)
        Suppression.objects.create(address_hash=hashed, hash_key=key, source="import")

    server.meanwhile["RCPT"] = happens
    send.drain()
    assert server.recipients == ["new@example.com"]


def test_nothing_is_asked_of_the_server_about_somebody_who_is_erased_meanwhile(server, written, member):
    asked = []
    server.meanwhile["EHLO"] = lambda: erase(written.contact_id, actor=member)
    server.meanwhile["RCPT"] = lambda: asked.append("RCPT")
    send.drain()
    assert (server.mails, asked) == ([], [])


def test_a_mail_of_which_somebody_decided_meanwhile_is_not_sent_by_the_late_worker(server, written, member):
    def happens():
        Message.objects.update(state="unknown")
        mailing.resolve(written.pk, "sent", actor=member)

    server.meanwhile["EHLO"] = happens
    send.drain()
    written.refresh_from_db()
    assert (server.mails, written.state, written.reason) == ([], "sent", "marked_sent")


def test_a_lease_that_ran_out_while_the_server_was_slow_ends_with_the_truth(server, written):
    server.meanwhile["EHLO"] = lambda: Message.objects.update(state="unknown")
    send.drain()
    written.refresh_from_db()
    assert (len(server.mails), written.state) == (1, "sent")
    assert written.sent_at <= timezone.now()

"""What happens to a person between the writing of a mail and its end, and what the mail then does."""

import pytest

from compliance.card import card_changes
from compliance.card.editing import edit
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import Suppression
from compliance.review.restriction import restrict
from compliance.suppression import suppression
from compliance.verdict import policy
from contacts.events import history
from contacts.models import Contact, ContactEvent
from exports.erasure.erasure import erase
from salesconnect.lib.actor import system
from tests.mailing import DRAFT
from unsubscribes.mail import bulk_mail, informing_mail
from unsubscribes.mail import mailing as mail
from unsubscribes.mail.compose import Draft
from unsubscribes.mail.sending import send
from unsubscribes.mail.sending.transport import Transport
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge
from unsubscribes.models import MailFailure, MailLink, Message

CONTRACT = Authorization(AuthorizationType.CONTRACT)


def everybody():
    return Contact.objects.all()


def erased(person, actor):
    erase(person.pk, actor=actor)


def restricted(person, actor):
    restrict(everybody(), "asked for it", actor=actor)


def unsubscribed(person, actor):
    suppression.unsubscribe(everybody(), actor=actor, source="manual")


def suppressed_by_hash_alone(person, actor):
    Suppression.objects.create(address_hash=person.address_hash, hash_key=person.address_hash_key, source="import")


def without_an_address(person, actor):
    edit(person.pk, {"email": ""}, actor=actor)


def with_an_address_no_mail_reaches(person, actor):
    edit(person.pk, {"email": "åsa@post.example"}, actor=actor)


def without_a_ground(person, actor):
    card_changes.authorise(everybody(), Authorization(), actor=actor)


CHANGES = [
    (erased, None),
    (restricted, "restricted"),
    (unsubscribed, "unsubscribed"),
    (suppressed_by_hash_alone, "unsubscribed"),
    (without_an_address, "no_address"),
    (with_an_address_no_mail_reaches, "unsendable"),
    (without_a_ground, "no_authorization"),
]


@pytest.mark.parametrize(("change", "reason"), CHANGES)
def test_a_mail_that_waits_obeys_what_holds_when_it_would_leave(server, written, member, change, reason):
    change(written.contact, member)
    send.drain()
    assert server.mails == []
    assert list(Message.objects.values_list("state", "reason")) == ([("held", reason)] if reason else [])


@pytest.mark.parametrize(("change", "reason"), CHANGES)
def test_so_does_one_that_is_tried_again_and_one_that_somebody_sends_again(server, written, member, change, reason):
    server.answers.append("rcpt 450 busy")
    send.drain()
    Message.objects.update(state="unknown")
    if reason:
        mail.resolve(written.pk, "resend", actor=member)
    change(written.contact, member)
    send.drain()
    assert server.mails == []
    assert list(Message.objects.values_list("state", "reason")) == ([("held", reason)] if reason else [])


def test_another_address_gets_a_link_of_its_own(server, written, member):
    server.answers.append("rcpt 450 busy")
    send.drain()
    edit(written.contact_id, {"email": "new@example.com"}, actor=member)
    Message.objects.update(not_before=written.created_at)
    send.drain()
    link = Message.objects.get().link
    assert (server.recipients, link.address_hash) == (["new@example.com"], Contact.objects.get().address_hash)


def test_somebody_who_is_erased_while_the_mail_is_on_its_way_leaves_nothing_behind(server, written, member):
    claimed = send.claim()
    erase(written.contact_id, actor=member)
    server.answers.append("rcpt 550 5.1.1 user unknown")
    with Transport() as carrier:
        send.deliver(claimed, carrier)
    assert not Suppression.objects.exists()
    assert not MailFailure.objects.exists()
    assert not MailLink.objects.exclude(address_hash=None).exists()
    assert not ContactEvent.objects.filter(action__in=(history.MAILED, history.MAIL_FAILED)).exists()


@pytest.mark.parametrize("answer", ["250 OK", "rcpt 552 5.2.2 full"])
def test_a_mail_that_is_on_its_way_while_records_are_merged_is_told_of_the_survivor(
    server, written, person, member, answer
):
    survivor = person(email="anna@work.example", authorization=CONTRACT)
    claimed = send.claim()
    merge(survivor.pk, written.contact_id, actor=member)
    server.answers.append(answer)
    with Transport() as carrier:
        send.deliver(claimed, carrier)
    action = history.MAILED if answer.startswith("250") else history.MAIL_FAILED
    assert ContactEvent.objects.get(action=action).contact_id == survivor.pk


def test_the_survivor_counts_as_told_by_a_mail_that_left_meanwhile(server, person, member, administrator):
    text = Draft("Who we are", "We hold your address.")
    mail.keep_template("Information", text, actor=member)
    informing_mail.use(informing_mail.MailTemplate.objects.get().pk, informs=True, actor=administrator)
    other, survivor = (person(email=f"{name}@example.com", source=Source(SourceType.IMPORT)) for name in ("a", "b"))
    mail.write_to_one(other.pk, text, actor=member)
    claimed = send.claim()
    merge(survivor.pk, other.pk, actor=member)
    with Transport() as carrier:
        send.deliver(claimed, carrier)
    assert Contact.objects.get().card.informed_at is not None


@pytest.fixture
def two(many, member):
    """Return two people to whom one bulk mail is written."""
    people = many(2)
    bulk_mail.order_mail(everybody(), DRAFT, actor=member, selection={})
    return people


def test_who_was_two_records_gets_a_bulk_mail_once(server, two, member):
    first, second = two
    merge(second.pk, first.pk, actor=member)
    send.drain()
    assert server.recipients == [second.email]
    assert sorted(Message.objects.values_list("state", "reason")) == [("held", "double"), ("sent", "")]


def test_who_got_a_bulk_mail_as_another_record_does_not_get_it_again(server, two, member):
    first, second = two
    send.send_one(Message.objects.get(contact=first).pk)
    record = merge(second.pk, first.pk, actor=member)
    send.drain()
    assert server.recipients == [first.email]
    unmerge(record.pk, actor=member)
    assert Message.objects.get(contact=second).state == "held"


def test_two_mails_that_were_written_one_by_one_both_leave(server, many, member):
    first, second = many(2)
    for person in (first, second):
        mail.write_to_one(person.pk, DRAFT, actor=member)
    merge(second.pk, first.pk, actor=member)
    send.drain()
    assert server.recipients == [second.email] * 2


def test_a_merge_with_somebody_who_said_no_holds_the_mail(server, written, person, member):
    survivor = person(email="anna@work.example", authorization=CONTRACT)
    suppression.unsubscribe(Contact.objects.filter(pk=survivor.pk), actor=member, source="manual")
    merge(survivor.pk, written.contact_id, actor=member)
    send.drain()
    assert (server.mails, Message.objects.get().reason) == ([], "unsubscribed")


def test_a_policy_that_became_stricter_holds_what_waits(server, person, member, administrator):
    lars = person(email="lars@example.com")
    policy.change({"no_authorization": "allow"}, actor=system("command"))
    mail.write_to_one(lars.pk, DRAFT, actor=member)
    policy.change({"no_authorization": "hold"}, actor=system("command"))
    send.drain()
    assert (server.mails, Message.objects.get().reason) == ([], "no_authorization")

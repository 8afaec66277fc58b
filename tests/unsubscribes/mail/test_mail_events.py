"""Mail in the history: sent, held back and failed, by whom, in which order, once each."""

import datetime as dt

import pytest
from django.utils import timezone
from django.utils.translation import override

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact, ContactEvent
from salesconnect.common import history_words
from unsubscribes.mail import bulk_mail, mailing
from unsubscribes.mail.compose import Draft
from unsubscribes.mail.sending import send
from unsubscribes.models import Message

DRAFT = Draft("News of {{ first_name }}", "Hello")
MAIL = (history.MAILED, history.MAIL_HELD, history.MAIL_FAILED)


def told():
    """Return what the history tells of mail: whom, what, by whom and in which bulk order, the oldest first."""
    events = ContactEvent.objects.filter(action__in=MAIL).order_by("id")
    return [(event.contact_id, event.action, event.actor_name, event.door, event.batch_id) for event in events]


@pytest.fixture
def anna(person):
    """Return somebody who may be mailed."""
    ground = Authorization(AuthorizationType.CONTRACT)
    return person(first_name="Anna", last_name="Berg", email="anna@example.com", authorization=ground)


def test_a_mail_that_left_is_one_event_of_who_wrote_it(anna, member):
    message = mailing.write_to_one(anna.pk, DRAFT, actor=member)
    assert told() == []
    send.drain()
    send.drain()
    assert told() == [(anna.pk, "mailed", "bob", "page", None)]
    event = ContactEvent.objects.get(action=history.MAILED)
    assert event.changes == {"subject": [None, "News of Anna"], "mail": [None, message.pk]}
    assert history_words.describe(event) == "bob sent the mail “News of Anna”"


def test_a_mail_that_is_held_back_when_it_is_written_says_why(person, member):
    bo = person(email="bo@example.com")
    mailing.write_to_one(bo.pk, DRAFT, actor=member)
    send.drain()
    assert told() == [(bo.pk, "mail_held", "bob", "page", None)]
    event = ContactEvent.objects.get(action=history.MAIL_HELD)
    assert event.changes == {"held": [None, "no_authorization"]}
    assert history_words.describe(event) == "A mail by bob was held back: No authorization is recorded"
    with override("sv"):
        assert history_words.describe(event) == "Ett mejl av bob hölls kvar: Ingen rättslig grund är angiven"


def test_a_mail_that_is_held_back_at_the_last_moment_says_so(anna, member):
    mailing.write_to_one(anna.pk, DRAFT, actor=member)
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    send.drain()
    assert told() == [(anna.pk, "mail_held", "bob", "page", None)]


def test_a_bulk_mail_carries_its_batch_and_names_it_everywhere(anna, person, member, django_assert_num_queries):
    held = [person(last_name=f"Bo {number}", email=f"bo{number}@example.com") for number in range(3)]
    batch = bulk_mail.order_mail(Contact.objects.all(), DRAFT, actor=member, selection={})
    assert told() == [(each.pk, "mail_held", "bob", "page", batch.pk) for each in held]
    send.drain()
    assert told()[-1] == (anna.pk, "mailed", "bob", "page", batch.pk)
    last = ContactEvent.objects.get(action=history.MAILED)
    assert history_words.describe(last) == f"bob sent the mail “News of Anna”, in bulk mail {batch.pk}"


def test_a_mail_whose_fate_a_colleague_decided_is_that_colleagues(anna, member, administrator):
    message = mailing.write_to_one(anna.pk, DRAFT, actor=member)
    Message.objects.update(state="unknown")
    mailing.resolve(message.pk, "sent", actor=administrator)
    assert told() == [(anna.pk, "mailed", "alice", "page", None)]


def test_a_mail_to_somebody_who_was_deleted_meanwhile_leaves_no_event(anna, member):
    mailing.write_to_one(anna.pk, DRAFT, actor=member)
    claimed = send.claim()
    Message.objects.all().delete()
    send._settle(claimed, send.DeliveryResult.SENT, "")
    assert told() == []


def test_a_mail_that_the_server_refuses_says_so(anna, member, server):
    message = mailing.write_to_one(anna.pk, DRAFT, actor=member)
    server.answers.append("550 no such user")
    send.drain()
    assert told() == [(anna.pk, "mail_failed", "bob", "page", None)]
    event = ContactEvent.objects.get(action=history.MAIL_FAILED)
    assert event.changes == {"failed": [None, "refused"], "mail": [None, message.pk]}
    assert history_words.describe(event) == "A mail by bob failed: The mail server refused it"
    with override("sv"):
        assert history_words.describe(event) == "Ett mejl av bob gick inte fram: E-postservern avvisade det"


def test_a_mail_that_is_tried_again_is_no_event_yet(anna, member, server):
    mailing.write_to_one(anna.pk, DRAFT, actor=member)
    server.answers.append("450 busy")
    send.drain()
    assert told() == []


def test_a_mail_whose_worker_was_lost_says_that_nobody_knows(anna, member):
    mailing.write_to_one(anna.pk, DRAFT, actor=member)
    send.claim()
    Message.objects.update(claimed_at=timezone.now() - dt.timedelta(seconds=send.LEASE_SECONDS + 1))
    assert (send.mark_lost_unknown(), send.mark_lost_unknown()) == (1, 0)
    assert told() == [(anna.pk, "mail_failed", "bob", "page", None)]

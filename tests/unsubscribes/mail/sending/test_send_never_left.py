"""Mail that version 0.1 called sent while there was no mail server: it is held back, and a person decides."""

from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

from compliance.suppression import suppression
from contacts.models import Contact
from exports.overview import mailed
from tests.mailing import DRAFT
from unsubscribes.mail import mailing
from unsubscribes.mail.sending import send
from unsubscribes.models import Message

migration = import_module("unsubscribes.migrations.0017_mail_server")


def migrate():
    with connection.cursor() as cursor:
        cursor.execute(migration.NEVER_LEFT)


@pytest.fixture
def called_sent(written):
    """Return a message as version 0.1 left it behind where it had no mail server."""
    Message.objects.filter(pk=written.pk).update(state="sent", reason="outbox", sent_at=timezone.now(), attempts=1)
    return written


def states():
    return list(Message.objects.order_by("pk").values_list("state", "reason", "sent_at"))


def test_it_is_held_back_and_counts_as_mailed_no_more(called_sent, auditor):
    migrate()
    called_sent.refresh_from_db()
    assert states() == [("held", "never_left", None)]
    assert called_sent.why_in_words == "It never left, for there was no mail server."
    today = timezone.localdate()
    assert mailed.page(mailed.MailedQuery(today, today), cursor=None, size=5, actor=auditor).rows == []


def test_nothing_leaves_by_itself_and_what_somebody_sends_passes_the_gate(called_sent, server, member):
    migrate()
    assert send.drain() == 0
    mailing.resolve(called_sent.pk, "resend", actor=member)
    send.drain()
    assert ([state for state, *_rest in states()], len(server.mails)) == (["sent"], 1)


def test_who_said_no_in_the_meantime_does_not_get_it(called_sent, server, member):
    migrate()
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    mailing.resolve(called_sent.pk, "resend", actor=member)
    send.drain()
    assert (server.mails, states()) == ([], [("held", "unsubscribed", None)])


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("sent", ""),
        ("sent", "marked_sent"),
        ("queued", ""),
        ("held", "unsubscribed"),
        ("failed", "undelivered"),
        ("unknown", "interrupted"),
    ],
)
def test_other_mail_stays_as_it_is_and_a_second_run_changes_nothing(called_sent, member, state, reason):
    other = mailing.write_to_one(called_sent.contact_id, DRAFT, actor=member)
    Message.objects.filter(pk=other.pk).update(state=state, reason=reason, sent_at=other.created_at)
    migrate()
    migrate()
    assert states() == [("held", "never_left", None), (state, reason, other.created_at)]

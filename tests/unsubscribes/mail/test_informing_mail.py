"""Mail that tells people where their data comes from (GDPR art. 14), and what whoever writes is warned of."""

import datetime as dt

import pytest
from anymail.signals import AnymailTrackingEvent
from django.test import Client
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from compliance.review import informing, restriction
from compliance.suppression import suppression
from compliance.verdict import asof
from contacts.events import history
from contacts.models import Contact
from salesconnect.common.history_words import describe
from salesconnect.lib.errors import Forbidden
from unsubscribes.mail import failures, gate, informing_mail, mailing
from unsubscribes.mail.compose import Draft
from unsubscribes.mail.sending import envelope, send
from unsubscribes.mail.sending.transport import Transport
from unsubscribes.models import MailServer, MailTemplate, Message
from unsubscribes.reports import reports

NOTICE = Draft("Your data", "Hello {{ first_name }},\n\nwe hold your address.")
OLD = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2020, 1, 1), consent_purpose="News")


@pytest.fixture
def notice(administrator) -> MailTemplate:
    template = mailing.keep_template("Information", NOTICE, actor=administrator)
    informing_mail.use(template.pk, informs=True, actor=administrator)
    return template


@pytest.fixture
def eva(person) -> Contact:
    return person(first_name="Eva", email="eva@example.com", source=Source(SourceType.IMPORT))


def test_the_information_leaves_whatever_the_policy_says_and_counts_as_told(server, notice, eva, member):
    assert mailing.write_to_one(eva.pk, Draft("News", "News"), actor=member).reason == "no_authorization"
    mailing.write_to_one(eva.pk, NOTICE, actor=member)
    send.drain()
    assert len(server.mails) == 1
    assert ComplianceCard.objects.get(pk=eva.pk).informed_at is not None
    event = history.of_contact(eva.pk).get(action="informed")
    assert event.changes["how"] == [None, "mail"]
    assert not informing.waiting().exists()


@pytest.mark.parametrize("act", ["unsubscribe", "restrict"])
def test_it_is_held_back_from_who_said_no_or_is_restricted(server, notice, eva, member, act):
    people = Contact.objects.filter(pk=eva.pk)
    if act == "unsubscribe":
        suppression.unsubscribe(people, actor=member, source="manual")
    else:
        restriction.restrict(people, "Contested", actor=member)
    assert mailing.write_to_one(eva.pk, NOTICE, actor=member).state == "held"
    assert informing.waiting().exists()


def test_only_its_very_text_informs_and_a_new_text_does_not(notice, eva, member, administrator):
    other = Draft(NOTICE.subject, NOTICE.body + " And buy this!")
    assert mailing.write_to_one(eva.pk, other, actor=member).reason == "no_authorization"
    mailing.keep_template("Information", other, actor=member)
    assert not informing_mail.is_notice(other)
    with pytest.raises(Forbidden):
        informing_mail.use(notice.pk, informs=True, actor=member)


def _told(person: Contact) -> bool:
    """Tell whether somebody counts as told, by the card and by the history alike."""
    [state] = asof.states([(person.pk, timezone.now() + dt.timedelta(seconds=5))])
    now = ComplianceCard.objects.get(pk=person.pk).informed_at
    assert state.informed_at == now
    return now is not None


def test_a_mail_that_comes_back_has_told_nobody_and_one_that_arrives_after_all_has(server, notice, eva, member):
    message = mailing.write_to_one(eva.pk, NOTICE, actor=member)
    send.drain()
    message.refresh_from_db()
    assert _told(eva)
    failures.came_back(message, "550 mailbox full")
    failures.came_back(message, "550 mailbox full")
    assert (_told(eva), informing.waiting().exists()) == (False, True)
    texts = [describe(event) for event in history.of_contact(eva.pk).filter(action="informed")]
    assert texts == [
        "The notice about the source of the data came back: not informed yet (GDPR art. 14)",
        "Informed by mail about the source of the data (GDPR art. 14)",
    ]
    failures.arrived_after_all(message)
    assert _told(eva)


def test_who_was_told_in_another_way_too_stays_told(server, notice, eva, member):
    first, second = (mailing.write_to_one(eva.pk, NOTICE, actor=member) for _number in range(2))
    send.drain()
    failures.came_back(Message.objects.get(pk=first.pk), "550 mailbox full")
    assert _told(eva)
    failures.came_back(Message.objects.get(pk=second.pk), "550 mailbox full")
    assert not _told(eva)
    informing.mark(Contact.objects.filter(pk=eva.pk), actor=member, reason="Told on the phone")
    third = mailing.write_to_one(eva.pk, NOTICE, actor=member)
    send.drain()
    failures.came_back(Message.objects.get(pk=third.pk), "550 mailbox full")
    assert _told(eva)


def test_the_outbox_tells_nobody(notice, eva, member, settings):
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    mailing.write_to_one(eva.pk, NOTICE, actor=member)
    send.drain()
    assert informing.waiting().exists()


def test_whoever_writes_is_warned_of_those_who_should_be_asked_first(person, member, signed_in):
    person(email="a@example.com", authorization=OLD)
    person(email="b@example.com", authorization=Authorization(AuthorizationType.CONTRACT))
    assert gate.warned(Contact.objects.all()) == [("Consent older than 24 months", 1)]
    html = signed_in.post("/mails/compose/", {"filter": ""}).content.decode()
    assert ("2 people get it" in html, "1 · Consent older than 24 months" in html) == (True, True)


def test_everybody_in_the_queue_is_written_to_with_the_template(notice, eva, signed_in, alice):
    page = signed_in.get("/compliance/informing/").content.decode()
    assert "Write to all" in page
    form = {"filter": "to_inform=true", "template": notice.pk, "step": "template"}
    html = signed_in.post("/mails/compose/", form).content.decode()
    assert ("1 person gets it" in html, "we hold your address" in html) == (True, True)
    administrating = Client()
    administrating.force_login(alice)
    administrating.post(f"/mails/templates/{notice.pk}/informs/", {"informs": "false"})
    notice.refresh_from_db()
    assert not notice.informs


def report(kind, message, at=None, **values):
    values = {"mta_response": "552 5.2.2 mailbox full", "message_id": envelope.message_id(message)} | values
    event = AnymailTrackingEvent(event_type=kind, recipient=message.email, esp_event={}, timestamp=at, **values)
    reports.take("mailgun", [event], label="Mailgun")


def written_notice(eva, member):
    message = mailing.write_to_one(eva.pk, NOTICE, actor=member)
    send.drain()
    message.refresh_from_db()
    return message


def told(person):
    return [event.changes["how"][1] for event in history.of_contact(person.pk).filter(action=history.INFORMED)]


@pytest.mark.parametrize("said", ["552 5.2.2 mailbox full", "550 5.1.1 user unknown"])
def test_a_notice_that_came_back_told_nobody_until_it_is_delivered(server, notice, eva, member, said):
    message = written_notice(eva, member)
    report("bounced", message, mta_response=said)
    assert informing.waiting().exists()
    event = history.of_contact(eva.pk).filter(action=history.INFORMED).first()
    assert event.changes == {"how": [None, "came_back"]}
    [before, now] = asof.states([(eva.pk, event.at - asof.INSTANT), (eva.pk, event.at)])
    assert (before.informed_at is None, now.informed_at) == (False, None)
    report("delivered", message)
    assert not informing.waiting().exists()
    assert told(eva) == ["mail", "came_back", "mail"]


def test_what_was_put_on_record_by_hand_stands_when_a_mail_comes_back(server, notice, eva, member):
    informing.mark(Contact.objects.filter(pk=eva.pk), actor=member)
    report("bounced", written_notice(eva, member))
    assert told(eva) == ["by_hand"]
    assert not informing.waiting().exists()


def test_another_notice_that_arrived_still_counts(server, notice, eva, member):
    first, second = written_notice(eva, member), written_notice(eva, member)
    report("bounced", first)
    assert not informing.waiting().exists()
    report("bounced", second)
    assert told(eva) == ["came_back", "mail"]


def test_other_mail_that_comes_back_changes_nothing(server, notice, eva, member):
    written_notice(eva, member)
    Message.objects.update(informs=False)
    report("bounced", Message.objects.get())
    assert told(eva) == ["mail"]


def test_a_notice_of_unknown_fate_tells_once_it_is_known_to_have_left(server, notice, eva, member):
    server.answers += ["250 and gone", "250 and gone"]
    message = written_notice(eva, member)
    assert (message.state, informing.waiting().exists()) == ("unknown", True)
    mailing.resolve(message.pk, "sent", actor=member)
    assert not informing.waiting().exists()
    report("bounced", message)
    MailServer.objects.update(next_at=timezone.now())
    second = written_notice(eva, member)
    assert (second.state, informing.waiting().exists()) == ("unknown", True)
    report("delivered", second)
    assert not informing.waiting().exists()


def test_a_notice_that_comes_back_before_its_worker_knows_tells_nobody(server, notice, eva, member):
    mailing.write_to_one(eva.pk, NOTICE, actor=member)
    claimed = send.claim()
    report("bounced", claimed)
    with Transport() as carrier:
        send.deliver(claimed, carrier)
    assert (Message.objects.get().state, told(eva)) == ("failed", [])

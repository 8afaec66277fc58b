"""What reports of failures make of messages, and when they hold back the next mail to the address."""

import datetime as dt

import pytest
from anymail.signals import AnymailTrackingEvent
from django.utils import timezone

from compliance.card.editing import edit
from compliance.models import Suppression
from contacts.events import history
from contacts.models import Contact
from exports.erasure.erasure import erase
from exports.overview import mailed
from salesconnect.common.history_words import describe
from salesconnect.lib.errors import Forbidden
from tests.mailing import DRAFT
from unsubscribes import rehash
from unsubscribes.mail import failures, gate, mailing
from unsubscribes.mail.sending import envelope, send
from unsubscribes.mail.sending.transport import DeliveryResult
from unsubscribes.merging import merge
from unsubscribes.models import MailFailure, Message
from unsubscribes.reports import reports


def failure(number=1, email="anna.berg@example.com", **values):
    report = {"event-data": {"event": "failed", "reason": "old", "delivery-status": {"code": 602}}}
    values = {"event_id": f"e{number}", "esp_event": report, "mta_response": "Too old"} | values
    return AnymailTrackingEvent(event_type="bounced", recipient=email, **values)


def gone(**values):
    return failure(esp_event={}, mta_response="550 5.1.1 user unknown", **values)


def take(*events):
    return reports.take("mailgun", events, label="Mailgun")


@pytest.fixture
def sent(server, written):
    """Return a mail to Anna that has left."""
    send.drain()
    written.refresh_from_db()
    return written


def decided():
    return [decision.reason for decision in gate.decide(Contact.objects.all())]


def fate(message):
    message.refresh_from_db()
    return message.state, message.reason, message.error


def test_a_failure_that_may_pass_marks_the_mail_and_opts_nobody_out(sent):
    assert take(failure()).changed == 0
    assert fate(sent) == ("failed", "undelivered", "Too old")
    assert not Suppression.objects.exists()
    assert decided() == [gate.PASSES]
    assert history.of_contact(sent.contact_id).first().action == history.MAIL_FAILED


def test_a_mail_that_came_back_had_left_and_stays_in_the_report_of_whom_we_mailed(sent, auditor):
    today = timezone.localdate()
    take(failure())
    page = mailed.page(mailed.MailedQuery(today, today), cursor=None, size=5, actor=auditor)
    assert [mail.pk for mail in page.rows] == [sent.pk]


def test_the_mail_that_a_report_names_is_marked(sent, server, member):
    second = mailing.write_to_one(sent.contact_id, DRAFT, actor=member)
    send.drain()
    take(failure(message_id=envelope.message_id(sent)))
    assert (fate(sent)[0], fate(second)[0]) == ("failed", "sent")


def test_a_report_that_comes_twice_counts_once(sent, server, member):
    second = mailing.write_to_one(sent.contact_id, DRAFT, actor=member)
    send.drain()
    take(failure(), failure())
    take(failure())
    assert (fate(sent)[0], fate(second)[0]) == ("sent", "failed")
    assert MailFailure.objects.count() == 1


def test_a_report_about_another_address_touches_no_mail_of_this_one(sent, person):
    person(email="eve@example.com")
    take(failure(email="eve@example.com", message_id=envelope.message_id(sent)))
    assert fate(sent) == ("sent", "", "")


def test_three_failures_in_a_row_hold_the_next_mail_with_a_reason(sent, member):
    take(failure(1), failure(2))
    assert decided() == [gate.PASSES]
    take(failure(3))
    assert decided() == ["undeliverable"]
    assert gate.forecast(Contact.objects.all()) == {"undeliverable": 1}
    held = mailing.write_to_one(sent.contact_id, DRAFT, actor=member)
    assert (held.state, str(held.get_reason_display())) == ("held", "The last mails to this address did not arrive.")
    assert not Suppression.objects.exists()


def test_whoever_sends_a_held_mail_again_lets_mail_go_to_the_address_again(sent, server, member):
    take(failure(1), failure(2), failure(3))
    held = mailing.write_to_one(sent.contact_id, DRAFT, actor=member)
    mailing.resolve(held.pk, "resend", actor=member)
    send.drain()
    assert fate(held) == ("sent", "", "")
    assert decided() == [gate.PASSES]


def arrival(at=None):
    return AnymailTrackingEvent(event_type="delivered", recipient="Anna.Berg@example.com", timestamp=at, esp_event={})


def test_a_mail_that_arrives_ends_the_row(sent):
    take(failure(1), failure(2), arrival(), failure(3))
    assert decided() == [gate.PASSES]


def delivered(message):
    arrived = arrival()
    arrived.message_id = envelope.message_id(message)
    return arrived


def test_a_mail_that_a_later_try_delivered_stands_as_sent_and_the_history_says_so(sent):
    take(failure(message_id=envelope.message_id(sent)))
    assert fate(sent)[0] == "failed"
    take(delivered(sent), delivered(sent))
    assert fate(sent) == ("sent", "", "")
    assert acts(sent) == ["mailed", "mail_failed", "mail_arrived"]
    event = history.of_contact(sent.contact_id).first()
    assert event.changes == {"mail": [None, sent.pk]}
    assert describe(event) == "A mail by bob that had come back was delivered at a later attempt"


def test_reports_that_come_late_or_again_change_nothing(sent, member):
    now, earlier = timezone.now(), timezone.now() - dt.timedelta(minutes=5)
    arrived, back = delivered(sent), failure(message_id=envelope.message_id(sent), timestamp=earlier)
    arrived.timestamp = now
    take(arrived, back, arrived, back)
    assert (fate(sent)[0], acts(sent)) == ("sent", ["mailed"])


def test_a_mail_that_came_back_after_it_had_arrived_stays_so_when_the_arrival_is_told_again(sent):
    now, earlier = timezone.now(), timezone.now() - dt.timedelta(minutes=5)
    arrived, back = delivered(sent), failure(message_id=envelope.message_id(sent), timestamp=now)
    arrived.timestamp = earlier
    take(arrived, back, arrived, back)
    assert (fate(sent)[0], acts(sent)) == ("failed", ["mailed", "mail_failed"])


def test_a_report_that_comes_again_says_nothing_of_the_mail_that_was_sent_again(sent, server, member):
    back = failure(message_id=envelope.message_id(sent), timestamp=timezone.now())
    take(back)
    mailing.resolve(sent.pk, "resend", actor=member)
    send.drain()
    take(back)
    assert fate(sent)[0] == "sent"


def acts(message):
    about = ("mailed", "mail_failed", "mail_arrived")
    return [event.action for event in reversed(history.of_contact(message.contact_id)) if event.action in about]


@pytest.mark.parametrize("named", [True, False])
def test_a_mail_that_comes_back_before_its_worker_knows_that_it_left_is_marked(server, written, named):
    claimed = send.claim()
    take(failure(message_id=envelope.message_id(claimed) if named else "of-the-provider"))
    assert fate(written) == ("failed", "undelivered", "Too old")
    send._settle(claimed, DeliveryResult.SENT, "")
    assert fate(written) == ("failed", "undelivered", "Too old")
    written.refresh_from_db()
    assert (written.sent_at, acts(written)) == (written.claimed_at, ["mailed", "mail_failed"])


def test_a_report_without_a_number_is_about_the_mail_that_left_not_about_the_one_that_is_leaving(sent, member):
    second = mailing.write_to_one(sent.contact_id, DRAFT, actor=member)
    send.claim()
    take(failure())
    assert (fate(sent)[0], fate(second)[0]) == ("failed", "sending")


@pytest.mark.parametrize("learnt", [DeliveryResult.UNKNOWN, DeliveryResult.LATER, DeliveryResult.SENT])
def test_a_mail_that_arrives_before_its_worker_knows_stands_as_sent(server, written, learnt):
    claimed = send.claim()
    take(delivered(claimed))
    send._settle(claimed, learnt, "gone")
    assert (fate(written), acts(written)) == (("sent", "", ""), ["mailed"])


def test_a_worker_that_never_comes_back_leaves_what_a_report_has_told(server, written):
    claimed = send.claim()
    take(failure(message_id=envelope.message_id(claimed)))
    Message.objects.update(claimed_at=timezone.now() - dt.timedelta(hours=1))
    assert send.mark_lost_unknown() == 0
    assert fate(written)[:2] == ("failed", "undelivered")


def test_a_report_settles_a_mail_of_unknown_fate(sent):
    Message.objects.update(state="unknown", reason="interrupted", sent_at=None)
    take(delivered(sent), delivered(sent))
    sent.refresh_from_db()
    assert (sent.state, sent.sent_at) == ("sent", sent.claimed_at)
    assert [event.action for event in history.of_contact(sent.contact_id)].count(
        history.MAILED
    ) == 2  # the first: before


def test_a_report_of_arrival_sends_nothing_that_waits(written):
    take(delivered(written))
    assert fate(written)[0] == "queued"


def test_an_older_arrival_that_is_reported_late_does_not(sent):
    now = timezone.now()
    earlier = [now - dt.timedelta(hours=hours) for hours in (3, 2, 1)]
    take(*(failure(number, timestamp=at) for number, at in enumerate(earlier)))
    take(arrival(now - dt.timedelta(days=1)))
    assert decided() == ["undeliverable"]
    take(arrival(now))
    assert decided() == [gate.PASSES]


def test_another_address_of_the_person_begins_anew(sent, member):
    take(failure(1), failure(2), failure(3))
    edit(sent.contact_id, {"email": "new@example.com"}, actor=member)
    assert decided() == [gate.PASSES]


def test_a_newer_key_moves_the_failures_along(sent, settings):
    take(failure(1), failure(2), failure(3))
    settings.SUPPRESSION_KEYS = ["a-newer-key", *settings.SUPPRESSION_KEYS]
    rehash.rehash_addresses()
    assert decided() == ["undeliverable"]


def test_a_merge_and_an_erasure_take_the_failures_along(sent, person, member):
    take(failure(1), failure(2), failure(3))
    survivor = person(email="anna@work.example")
    merge.merge(survivor.pk, sent.contact_id, actor=member, take=["email"])
    assert decided() == ["no_authorization"]
    assert MailFailure.objects.filter(contact=survivor).count() == 3
    erase(survivor.pk, actor=member)
    assert not MailFailure.objects.exists()


def test_a_mailbox_that_does_not_exist_opts_out_and_marks_the_mail(sent):
    assert take(gone()).changed == 1
    assert fate(sent)[:2] == ("failed", "undelivered")
    assert Suppression.objects.get().source == "bounce"
    assert decided() == ["unsubscribed"]


def test_a_report_proves_that_a_mail_of_unknown_fate_had_left(sent):
    Message.objects.update(state="unknown", sent_at=None)
    take(failure())
    sent.refresh_from_db()
    assert (sent.state, sent.sent_at) == ("failed", sent.claimed_at)


def test_many_reports_of_one_post_are_taken_in_any_order(many, sent):
    people = many(3)
    events = [gone(email=person.email, number=place) for place, person in enumerate(reversed(people))]
    assert take(*events, gone(email="nowhere"), gone(email="nobody@example.com")).changed == 4


def test_the_server_that_knows_no_such_user_opts_the_address_out(server, written):
    server.answers.append("rcpt 550 5.1.1 user unknown")
    send.drain()
    assert fate(written)[:2] == ("failed", "refused")
    held = Suppression.objects.get()
    assert (held.source, held.address_hash) == ("bounce", written.contact.address_hash)
    assert decided() == ["unsubscribed"]


def test_a_full_mailbox_at_the_server_counts_and_an_accepted_mail_ends_the_row(server, written, member):
    server.answers += ["rcpt 552 5.2.2 mailbox full"] * 2
    mailing.write_to_one(written.contact_id, DRAFT, actor=member)
    send.drain()
    assert (MailFailure.objects.count(), Suppression.objects.count()) == (2, 0)
    mailing.write_to_one(written.contact_id, DRAFT, actor=member)
    send.drain()
    assert not MailFailure.objects.exists()


WORDS = "The last 3 mails to the address did not arrive, so the next one is held back."


def verdict_of(api, person):
    return api.get(f"/api/v1/contacts/{person}/verdict/").json()


def test_the_person_page_and_the_verdict_say_that_mail_does_not_arrive(sent, api, signed_in):
    assert WORDS not in signed_in.get(f"/people/{sent.contact_id}/").content.decode()
    take(failure(1), failure(2), failure(3))
    told = verdict_of(api, sent.contact_id)
    [note] = [reason for reason in told["reasons"] if reason["code"] == "undeliverable"]
    assert (told["verdict"], note["text"], note["effect"]) == ("may", WORDS, "may")
    page = signed_in.get(f"/people/{sent.contact_id}/").content.decode()
    assert (WORDS in page, "Let mail go there again" in page) == (True, True)


def test_a_colleague_lets_mail_go_there_again_on_the_page(sent, signed_in):
    take(failure(1), failure(2), failure(3))
    page = signed_in.post(f"/people/{sent.contact_id}/mail-again/", follow=True).content.decode()
    assert ("Mail goes to Anna Berg again." in page, WORDS in page) == (True, False)
    assert decided() == [gate.PASSES]
    event = history.of_contact(sent.contact_id).first()
    assert (event.action, event.changes, event.actor_name) == ("mail_allowed", {"failures": [3, 0]}, "bob")
    assert describe(event) == "bob let mail go to this person again, though the last ones did not arrive"


def test_a_program_lets_mail_go_there_again_and_nothing_is_told_twice(sent, api):
    take(failure(1), failure(2), failure(3))
    address = f"/api/v1/contacts/{sent.contact_id}/mail-failures/"
    assert [api.delete(address).status_code for _ in range(2)] == [204, 204]
    assert "undeliverable" not in [reason["code"] for reason in verdict_of(api, sent.contact_id)["reasons"]]
    assert history.of_contact(sent.contact_id).filter(action=history.MAIL_ALLOWED).count() == 1
    assert api.delete("/api/v1/contacts/999999/mail-failures/").status_code == 404


def test_an_auditor_sees_it_and_may_not(sent, auditor, signed_in, bob):
    take(failure(1), failure(2), failure(3))
    bob.role = "auditor"
    bob.save()
    page = signed_in.get(f"/people/{sent.contact_id}/").content.decode()
    assert (WORDS in page, "Let mail go there again" in page) == (True, False)
    with pytest.raises(Forbidden):
        failures.allow(sent.contact_id, actor=auditor)
    assert decided() == ["undeliverable"]


def test_whoever_sends_a_held_mail_again_is_on_record_with_that(sent, server, member):
    take(failure(1), failure(2), failure(3))
    held = mailing.write_to_one(sent.contact_id, DRAFT, actor=member)
    mailing.resolve(held.pk, "resend", actor=member)
    assert history.of_contact(sent.contact_id).first().action == history.MAIL_ALLOWED


def test_another_address_has_no_such_note(sent, member, api):
    take(failure(1), failure(2), failure(3))
    edit(sent.contact_id, {"email": "new@example.com"}, actor=member)
    assert "undeliverable" not in [reason["code"] for reason in verdict_of(api, sent.contact_id)["reasons"]]


WRAPPED = ["Anna <Anna.Berg@example.com>", '"Berg, Anna" <anna.berg@example.com>', "<anna.berg@example.com>",
           "mailto:anna.berg@example.com", "anna.berg@example.com.", "'anna.berg@example.com'"]  # fmt: skip


@pytest.mark.parametrize("recipient", WRAPPED)
def test_a_report_is_heard_whatever_is_written_around_its_address(sent, recipient):
    assert take(gone(email=recipient)).changed
    assert fate(sent)[:2] == ("failed", "undelivered")
    assert Contact.objects.get().card.unsubscribed

"""The "no" that answers a mail is that of the person it was written to, whatever address the person has by now."""

import pytest
from anymail.signals import AnymailTrackingEvent
from django.test import Client
from django.utils import timezone

from compliance.card.editing import edit
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.models import ComplianceCard, Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact
from exports.erasure.erasure import erase
from salesconnect.common.history_words import describe
from tests.evidence import evidence
from tests.exports.integrity.agreeing import differences
from tests.interleaving import overlapping
from tests.mailing import DRAFT
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.links import links, tokens
from unsubscribes.mail import gate, mailing
from unsubscribes.mail.sending import envelope, send
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge
from unsubscribes.models import Message, SyncNotice
from unsubscribes.reports import reports

OLD, NEW = "anna.berg@example.com", "anna@new.example"
BY_EARLIER = "Unsubscribed in answer to a mail to an earlier address"


@pytest.fixture
def link(server, written):
    """Return the link of a mail that has left for Anna's address."""
    send.drain()
    written.refresh_from_db()
    return written.link


@pytest.fixture
def moved(anna, link, member):
    """Return Anna, who has another address since the mail."""
    edit(anna.pk, {"email": NEW}, actor=member)
    return Contact.objects.get(pk=anna.pk)


def follow(link, **body) -> int:
    return Client().post(f"/u/{tokens.token_of(link.nonce)}/", body).status_code


def no_of(contact_id: int):
    """Return whether somebody is unsubscribed, and the sentence of the history that says so."""
    event = history.of_contact(contact_id).filter(action=history.UNSUBSCRIBED).first()
    return ComplianceCard.objects.get(pk=contact_id).unsubscribed, describe(event) if event else ""


def suppressed(*addresses: str) -> list[bool]:
    return [suppression.of_address(address) is not None for address in addresses]


def test_the_link_of_a_mail_to_an_earlier_address_opts_the_person_out_too(link, moved):
    assert follow(link, reason="Enough") == 200
    assert suppressed(OLD, NEW) == [True, True]
    assert no_of(moved.pk) == (True, f"{BY_EARLIER} (Clicked Link): Enough")
    assert [decision.reason for decision in gate.decide(Contact.objects.all())] == ["unsubscribed"]
    assert differences() == {}


def test_the_same_link_again_adds_nothing_to_the_history(link, moved):
    follow(link), follow(link)
    assert history.of_contact(moved.pk).filter(action=history.UNSUBSCRIBED).count() == 1


def test_the_new_address_reaches_salesforce(link, moved):
    SyncNotice.objects.all().delete()
    follow(link)
    told = set(SyncNotice.objects.values_list("contact_id", "address_hash"))
    hashes = Suppression.objects.values_list("address_hash", flat=True)
    assert told == {(moved.pk, None), *((None, each) for each in hashes)}


def test_the_page_tells_nothing_of_the_new_address(link, moved):
    page = Client().get(f"/u/{tokens.token_of(link.nonce)}/").text
    assert ("•••" in page, "new" in page) == (False, False)


def test_one_call_of_the_database_takes_the_no(link, moved, django_assert_max_num_queries):
    follow(link)
    with django_assert_max_num_queries(7):
        follow(link)


def test_whoever_has_the_earlier_address_by_now_is_opted_out_with_the_person(link, moved, person):
    other = person(first_name="Other", email=OLD)
    follow(link)
    assert no_of(moved.pk) == (True, f"{BY_EARLIER} (Clicked Link)")
    assert no_of(other.pk) == (True, "Unsubscribed (Clicked Link)")
    assert suppressed(OLD, NEW) == [True, True]


def test_a_link_whose_address_went_with_the_erasure_of_another_still_opts_the_person_out(link, moved, person, member):
    erase(person(first_name="Other", email=OLD).pk, actor=member)
    link.refresh_from_db()
    assert link.address_hash is None
    assert follow(link) == 200
    assert no_of(moved.pk) == (True, f"{BY_EARLIER} (Clicked Link)")


def test_somebody_who_lost_the_address_is_opted_out_for_the_next_one(link, anna, member):
    edit(anna.pk, {"email": ""}, actor=member)
    follow(link)
    edit(anna.pk, {"email": NEW}, actor=member)
    assert (no_of(anna.pk)[0], suppressed(NEW)) == (True, [True])


def test_a_new_consent_at_the_new_address_ends_at_the_link_of_an_old_mail(link, moved, administrator):
    suppression.unsubscribe(Contact.objects.filter(pk=moved.pk), actor=administrator, source="manual")
    reconsent(moved.pk, evidence(), actor=administrator)
    follow(link)
    assert (no_of(moved.pk)[0], suppressed(OLD, NEW)) == (True, [True, True])


def test_the_link_of_a_record_that_was_merged_opts_the_survivor_out(link, moved, person, member):
    survivor = person(first_name="Anna", email="anna@work.example")
    merged = merge(survivor.pk, moved.pk, actor=member)
    follow(link)
    assert no_of(survivor.pk) == (True, f"{BY_EARLIER} (Clicked Link)")
    assert suppressed(OLD, "anna@work.example") == [True, True]
    unmerge(merged.pk, actor=member)
    assert ComplianceCard.objects.get(pk=moved.pk).unsubscribed


def test_after_a_merge_is_undone_the_no_is_that_of_the_record_that_was_written_to(link, moved, person, member):
    survivor = person(first_name="Anna", email="anna@work.example")
    unmerge(merge(survivor.pk, moved.pk, actor=member).pk, actor=member)
    follow(link)
    assert (no_of(moved.pk)[0], no_of(survivor.pk)[0]) == (True, False)


def test_a_link_that_another_replaced_when_the_mail_was_sent_again_works_for_the_person(server, written, member):
    server.answers.append("rcpt 450 busy")
    send.drain()
    written.refresh_from_db()
    first = written.link
    edit(written.contact_id, {"email": NEW}, actor=member)
    Message.objects.update(state="unknown")
    mailing.resolve(written.pk, "resend", actor=member)
    send.drain()
    assert Message.objects.get().link_id != first.pk
    follow(first)
    assert no_of(written.contact_id) == (True, f"{BY_EARLIER} (Clicked Link)")
    assert differences() == {}


def complaint(kind="complained", **values):
    return AnymailTrackingEvent(event_type=kind, recipient=OLD, esp_event={}, timestamp=timezone.now(), **values)


def bounce():
    return complaint("bounced", mta_response="550 5.1.1 user unknown")


@pytest.mark.parametrize(("kind", "label"), [("complained", "Complaint"), ("unsubscribed", "One-Click")])
@pytest.mark.parametrize("named", [True, False])
def test_what_a_provider_reports_of_a_mail_to_an_earlier_address_is_the_persons_no(link, moved, kind, label, named):
    names = {"message_id": envelope.message_id(Message.objects.get())} if named else {}
    reports.take("mailgun", [complaint(kind, **names)], label="Mailgun")
    assert no_of(moved.pk) == (True, f"{BY_EARLIER} ({label}): Mailgun")
    assert suppressed(OLD, NEW) == [True, True]


def test_a_complaint_without_a_mail_is_that_of_whom_the_last_mail_went_to(link, moved, person, member, server):
    other = person(first_name="Other", email=OLD, authorization=Authorization(AuthorizationType.CONTRACT))
    mailing.write_to_one(other.pk, DRAFT, actor=member)
    send.drain()
    reports.take("mailgun", [complaint()], label="Mailgun")
    assert (no_of(other.pk)[0], no_of(moved.pk)[0]) == (True, False)


def test_a_bounce_is_of_the_address_alone(link, moved):
    reports.take("mailgun", [bounce()], label="Mailgun")
    assert (suppressed(OLD, NEW), no_of(moved.pk)) == ([True, False], (False, ""))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["no", "address", "merge"])
def test_a_no_and_a_change_of_the_record_never_pass_each_other(first, server, written, person, member):
    send.drain()
    written.refresh_from_db()
    survivor = person(first_name="Anna", email="anna@work.example")
    link, contact_id = written.link, written.contact_id

    def no() -> None:
        links.opt_out(link, source="one_click", reason="")

    def address() -> None:
        edit(contact_id, {"email": NEW}, actor=member)

    def merged() -> None:
        merge(survivor.pk, contact_id, actor=member)

    acts = {"no": (no, address), "address": (address, no), "merge": (merged, no)}
    overlapping(*acts[first])
    left = survivor.pk if first == "merge" else contact_id
    assert no_of(left)[0]
    assert suppressed(OLD, Contact.objects.get(pk=left).email_key) == [True, True]

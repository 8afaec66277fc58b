"""Mail that tells people where their data comes from (GDPR art. 14), and what whoever writes is warned of."""

import datetime as dt

import pytest
from django.test import Client

from compliance import informing, restriction, suppression
from compliance.models import ComplianceCard
from compliance.rules import Authorization, AuthorizationType, Source, SourceType
from contacts import history
from contacts.models import Contact
from salesconnect.lib.errors import Forbidden
from unsubscribes import services
from unsubscribes.mail import gate, notices, send
from unsubscribes.mail.compose import Draft
from unsubscribes.models import MailTemplate

NOTICE = Draft("Your data", "Hello {{ first_name }},\n\nwe hold your address.")
OLD = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2020, 1, 1), consent_purpose="News")


@pytest.fixture
def notice(administrator) -> MailTemplate:
    template = services.keep_template("Information", NOTICE, actor=administrator)
    notices.use(template.pk, informs=True, actor=administrator)
    return template


@pytest.fixture
def eva(person) -> Contact:
    return person(first_name="Eva", email="eva@example.com", source=Source(SourceType.IMPORT))


def test_the_information_leaves_whatever_the_policy_says_and_counts_as_told(server, notice, eva, member):
    assert services.write_to_one(eva.pk, Draft("News", "News"), actor=member).reason == "no_authorization"
    services.write_to_one(eva.pk, NOTICE, actor=member)
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
    assert services.write_to_one(eva.pk, NOTICE, actor=member).state == "held"
    assert informing.waiting().exists()


def test_only_its_very_text_informs_and_a_new_text_does_not(notice, eva, member, administrator):
    other = Draft(NOTICE.subject, NOTICE.body + " And buy this!")
    assert services.write_to_one(eva.pk, other, actor=member).reason == "no_authorization"
    services.keep_template("Information", other, actor=member)
    assert not notices.is_notice(other)
    with pytest.raises(Forbidden):
        notices.use(notice.pk, informs=True, actor=member)


def test_the_outbox_tells_nobody(notice, eva, member, settings):
    settings.EMAIL_BACKEND = "unsubscribes.mail.backends.OutboxBackend"
    services.write_to_one(eva.pk, NOTICE, actor=member)
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

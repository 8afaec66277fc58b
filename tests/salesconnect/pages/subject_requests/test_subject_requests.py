"""The pages of requests and retention: what they show, and what a slip of the pen comes to."""

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from exports.erasure import erasure
from exports.models import DataRequest, RetentionRule
from exports.requests import register
from exports.retention import retention_rules
from unsubscribes.crm.people import erasing
from unsubscribes.mail import mailing as mails
from unsubscribes.mail.compose import Draft

CONTRACT = Authorization(AuthorizationType.CONTRACT)


def complex_(words: str) -> register.ClockReason:
    return register.ClockReason("complexity", words, timezone.localdate())


def extension(words: str) -> dict[str, str]:
    return {"reason_kind": "complexity", "reason": words, "told_on": timezone.localdate().isoformat()}


@pytest.fixture
def asked(person, member):
    """Return a function that registers a request of a new person."""

    def ask(kind="access", received=None, **given):
        given = {"identity_check": "Called back"} | given
        who = person(first_name="Anna", last_name="Berg", email="")
        return register.take_in(kind, who.pk, received or timezone.localdate(), actor=member, **given)

    return ask


def test_the_list_says_what_presses_and_whose_it_is(signed_in, asked, member):
    late = asked("erasure", timezone.localdate() - dt.timedelta(40))
    done = asked("portability")
    register.finish(done.pk, "withdrawn", "Called it off", actor=member)
    page = signed_in.get("/requests/").content.decode()
    assert "1 request is overdue." in page
    assert f'href="/requests/{late.pk}/"' in page
    assert f'href="/requests/{done.pk}/"' not in page
    for view in ("overdue", "mine"):
        assert f'href="/requests/{late.pk}/"' in signed_in.get(f"/requests/?view={view}").content.decode()
    assert f'href="/requests/{done.pk}/"' in signed_in.get("/requests/?view=done&kind=portability").content.decode()
    assert f'href="/requests/{late.pk}/"' in signed_in.get("/requests/?search=berg").content.decode()
    assert "No request here" in signed_in.get("/requests/?search=nobody").content.decode()


@pytest.mark.parametrize("query", ["view=x", "kind=x", "cursor=x"])
def test_an_address_that_cannot_be_is_refused(signed_in, query):
    assert signed_in.get(f"/requests/?{query}").status_code == 400


def test_a_long_list_has_pages(signed_in, asked, monkeypatch):
    monkeypatch.setattr("salesconnect.pages.subject_requests.request_list.PAGE_SIZE", 2)
    numbers = [asked().pk for _ in range(3)]
    first = signed_in.get("/requests/").content.decode()
    address = re.search(r'rel="next" href="([^"]*)"', first)[1].replace("&amp;", "&")
    second = signed_in.get(f"/requests/{address}").content.decode()
    found = [re.findall(r'href="/requests/(\d+)/"', page) for page in (first, second)]
    assert [[int(number) for number in page] for page in found] == [numbers[:2], numbers[2:]]


def test_the_list_costs_the_same_for_one_and_three(signed_in, asked, django_assert_num_queries):
    asked()
    signed_in.get("/requests/")
    with django_assert_num_queries(6):
        signed_in.get("/requests/")
    asked()
    asked()
    with django_assert_num_queries(6):
        signed_in.get("/requests/")


def test_a_request_is_registered_for_somebody_who_is_looked_for(signed_in, person):
    anna = person()
    assert f'href="?contact={anna.pk}"' in signed_in.get("/requests/new/?search=berg").content.decode()
    fields = {"kind": "access", "received": "2026-11-10", "identity_check": ""}
    answer = signed_in.post(f"/requests/new/?contact={anna.pk}", fields)
    row = DataRequest.objects.get()
    assert (answer.status_code, answer.url, row.due) == (302, f"/requests/{row.pk}/", dt.date(2026, 12, 10))
    wrong = signed_in.post(f"/requests/new/?contact={anna.pk}", fields | {"received": "2999-01-01"})
    assert (wrong.status_code, "is in the future" in wrong.content.decode()) == (422, True)


def test_every_act_of_the_page(signed_in, asked, alice):
    row = asked(identity_check="")
    page = f"/requests/{row.pk}/"
    assert "Not checked yet" in signed_in.get(page).content.decode()
    for act, fields in (
        ("pause", {"reason_kind": "identity", "reason": "Who is it?", "asked_on": timezone.localdate().isoformat()}),
        ("resume", {}),
        ("extend", extension("Complex")),
        ("identity", {"identity_check": "Passport"}),
        ("assign", {"handler": alice.pk}),
    ):
        assert signed_in.post(f"{page}{act}/", fields).status_code == 302
        assert signed_in.get(page).status_code == 200
    row.refresh_from_db()
    assert (row.state, row.extension_reason, row.identity_check, row.handler) == ("open", "Complex", "Passport", alice)
    assert signed_in.post(f"{page}finish/", {"outcome": "carried_out"}).status_code == 422
    assert signed_in.post(f"{page}finish/", {"outcome": "carried_out", "answer": "Sent by post"}).status_code == 302
    assert "Sent by post" in signed_in.get(page).content.decode()
    assert signed_in.post(f"{page}unknown/").status_code == 404


def test_an_erasure_asks_for_the_name(signed_in, asked):
    row = asked("erasure")
    page = f"/requests/{row.pk}/carry-out/"
    assert "It cannot be undone." in signed_in.get(page).content.decode()
    assert signed_in.post(page, {"confirmation": "Lars"}).status_code == 422
    assert signed_in.post(page, {"confirmation": "anna  BERG"}).status_code == 302
    assert not Contact.objects.exists()
    assert "Erased person" in signed_in.get(f"/requests/{row.pk}/").content.decode()
    assert "Erased person" in signed_in.get("/requests/?view=done").content.decode()
    assert signed_in.get(page).status_code == 409


@pytest.mark.parametrize("kind", ["erasure", "restriction", "objection"])
def test_the_page_does_not_offer_as_done_what_only_an_act_does(signed_in, asked, kind):
    page = f"/requests/{asked(kind).pk}/"
    assert ('value="refused"' in (text := signed_in.get(page).text), 'value="carried_out"' in text) == (True, False)
    assert signed_in.post(f"{page}finish/", {"outcome": "carried_out", "answer": "Done"}).status_code == 409
    assert 'value="carried_out"' in signed_in.get(f"/requests/{asked('access').pk}/").text


@pytest.mark.parametrize("kind", ["access", "portability", "rectification"])
def test_no_page_says_that_an_act_does_what_only_an_answer_does(signed_in, asked, kind):
    refused = signed_in.get(f"/requests/{asked(kind).pk}/carry-out/")
    assert (refused.status_code, "unsubscribed" in refused.text) == (409, False)


@pytest.mark.parametrize("kind", ["restriction", "objection"])
def test_the_other_acts_ask_once(signed_in, asked, kind):
    row = asked(kind)
    assert signed_in.get(f"/requests/{row.pk}/carry-out/").status_code == 200
    assert signed_in.post(f"/requests/{row.pk}/carry-out/").status_code == 302
    row.refresh_from_db()
    assert row.outcome == "carried_out"


def test_the_data_are_handed_over_as_json(signed_in, asked):
    row = asked("portability")
    answer = signed_in.post(f"/requests/{row.pk}/portability/")
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["person"]["first_name"] == "Anna"


def test_records_to_erase_elsewhere_are_listed_and_marked(signed_in, person, member):
    anna = person(email="anna@example.com", salesforce_id="003000000000001AAA")
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    (record,) = erasing.waiting()
    assert "1 record is to be erased in Salesforce." in signed_in.get("/requests/").content.decode()
    assert record.sf_id in signed_in.get("/requests/elsewhere/").content.decode()
    assert signed_in.post(f"/requests/elsewhere/{record.pk}/").status_code == 302
    assert "Erased there, says bob" in signed_in.get("/requests/elsewhere/").content.decode()


def test_an_auditor_reads_and_changes_nothing(charlie, asked):
    row, auditor = asked("erasure"), Client()
    auditor.force_login(charlie)
    page = auditor.get(f"/requests/{row.pk}/").content.decode()
    assert "Carry it out" not in page
    assert "New request" not in auditor.get("/requests/").content.decode()
    assert auditor.post(f"/requests/{row.pk}/carry-out/").status_code == 403


def test_rules_are_made_applied_and_removed(alice, person):
    client = Client()
    client.force_login(alice)
    person()
    assert "No rules yet" in client.get("/settings/retention/").content.decode()
    fields = {"name": "Old", "active": "on", "age_months": 36, "age_since": "created", "step": "list", "warn_days": 30}
    assert client.post("/settings/retention/new/", fields).status_code == 302
    rule = RetentionRule.objects.get()
    assert client.post("/settings/retention/new/", fields | {"age_months": ""}).status_code == 422
    assert "36 months since created" in client.get("/settings/retention/").content.decode()
    assert client.post(f"/settings/retention/{rule.pk}/", fields | {"step": "erase"}).status_code == 302
    assert client.get("/settings/retention/run/").status_code == 200
    assert client.post("/settings/retention/run/").status_code == 302
    assert client.get(f"/settings/retention/{rule.pk}/people/").status_code == 200
    assert client.post(f"/settings/retention/{rule.pk}/remove/").status_code == 302
    assert not RetentionRule.objects.exists()


def test_the_list_of_a_rule_costs_the_same_for_one_and_three(
    signed_in, person, administrator, django_assert_num_queries
):
    rule = retention_rules.save({"name": "Old", "age_months": 1}, actor=administrator)
    url = f"/settings/retention/{rule.pk}/people/"
    rule.cases.create(contact=person())
    signed_in.get(url)
    with django_assert_num_queries(4):
        signed_in.get(url)
    rule.cases.create(contact=person(last_name="Lind"))
    rule.cases.create(contact=person(last_name="Lind"))
    with django_assert_num_queries(4):
        signed_in.get(url)


@time_machine.travel("2026-11-20T11:00Z", tick=False)
def test_an_extension_makes_a_letter_in_the_person_s_language(signed_in, asked, alice, member):
    row = asked("access", dt.date(2026, 11, 10))
    register.assign(row.pk, alice, actor=member)
    page = f"/requests/{row.pk}/letter/"
    assert signed_in.get(page).status_code == 404
    answer = signed_in.post(f"/requests/{row.pk}/extend/", extension("Very many records"))
    assert answer.url == page
    text = signed_in.get(page).text
    for words in (
        "Dear Anna Berg,",
        "On 10 November 2026 we received your request for access to your personal data (GDPR article 15).",
        "Very many records",
        "You get our answer by 10 February 2027.",
        "you may lodge a complaint",
        "alice",
    ):
        assert words in text
    assert "Den 10 november 2026 fick vi din begäran om tillgång" in signed_in.get(f"{page}?language=sv").text
    assert signed_in.get(f"{page}?language=xx").status_code == 400


def test_the_letter_is_in_the_language_of_the_last_mail(signed_in, person, member):
    anna = person(authorization=CONTRACT)
    row = register.take_in("erasure", anna.pk, timezone.localdate(), actor=member)
    register.extend(row.pk, complex_("Omfattande"), actor=member)
    mails.write_to_one(anna.pk, Draft("Hej", "Hej!", language="sv"), actor=member)
    assert "Hej Anna Berg," in signed_in.get(f"/requests/{row.pk}/letter/").text


def test_the_letter_becomes_a_mail_unless_the_gate_would_hold_it(signed_in, person, member):
    anna = person(email="anna@example.com", authorization=CONTRACT)
    row = register.take_in("erasure", anna.pk, timezone.localdate(), actor=member)
    register.extend(row.pk, complex_("Complex"), actor=member)
    page = signed_in.get(f"/requests/{row.pk}/letter/").text
    fields = dict(re.findall(r'<input type="hidden" name="(subject|body|language)" value="([^"]*)">', page))
    written = signed_in.post(f"/people/{anna.pk}/mail/", {**fields, "step": "preview:0"})
    assert (written.status_code, "we need more time" in written.text, "Complex" in written.text) == (200, True, True)
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source=Suppression.Source.MANUAL)
    held = signed_in.get(f"/requests/{row.pk}/letter/").text
    assert "Mail from here would be held back" in held
    assert "Send as mail" not in held


def test_somebody_who_is_erased_gets_no_letter(signed_in, asked, member):
    row = asked("erasure")
    register.extend(row.pk, complex_("Complex"), actor=member)
    register.carry_out(row.pk, actor=member)
    assert signed_in.get(f"/requests/{row.pk}/letter/").status_code == 404


def test_a_late_request_offers_neither_pause_nor_extension_and_stays_late(signed_in, asked, person):
    row = asked("access", timezone.localdate() - dt.timedelta(50))
    page, lists = f"/requests/{row.pk}/", ["/requests/", "/requests/?view=overdue", f"/people/{row.contact_id}/"]
    text = signed_in.get(page).text
    assert ("/pause/" in text, "/extend/" in text, "can no longer be put off" in text) == (False, False, True)
    assert "Late by" in text
    late = re.search(r"([0-9]+ days) overdue", text)[1]
    for url in lists:
        assert f"{late} overdue" in signed_in.get(url).text
    for act, fields in (("extend", extension("x")), ("pause", {"reason_kind": "identity", "reason": "x"})):
        refused = signed_in.post(f"{page}{act}/", fields | {"asked_on": timezone.localdate().isoformat()})
        assert refused.status_code == 409
    signed_in.post(f"{page}finish/", {"outcome": "carried_out", "answer": "Sent"})
    assert f"Carried out, {late} late" in signed_in.get(page).text
    assert f"Carried out, {late} late" in signed_in.get("/requests/?view=done").text


def test_every_note_on_the_identity_stays_on_the_page(signed_in, asked):
    row = asked(identity_check="Called back")
    signed_in.post(f"/requests/{row.pk}/identity/", {"identity_check": "Passport seen"})
    text = signed_in.get(f"/requests/{row.pk}/").text
    assert ("Called back" in text, "Passport seen" in text) == (True, True)

"""Requests of people and retention in a real browser: by mouse and keyboard, in both looks, on a phone."""

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from compliance.card import card_changes
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from contacts.jobs.batches import user_actor
from contacts.models import Contact
from exports.erasure import erasure
from exports.models import DataRequest
from exports.requests import register
from exports.retention import retention_rules

PHONE = {"viewport": {"width": 320, "height": 700}}
CONTRACT = Authorization(AuthorizationType.CONTRACT)


@pytest.fixture
def requests(person, member):
    """Return a late erasure, a paused access, and a portability that is done."""
    today = timezone.localdate()
    anna = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    lars = person(first_name="Lars", last_name="Öberg", email="lars@example.com")
    checked = {"identity_check": "Called back", "actor": member}
    late = register.take_in("erasure", anna.pk, today - dt.timedelta(40), **checked)
    paused = register.take_in("access", lars.pk, today, **checked)
    register.pause(paused.pk, register.ClockReason("clarification", "Which address?", today), actor=member)
    done = register.take_in("portability", lars.pk, today, **checked)
    register.finish(done.pk, "carried_out", "Sent by letter", actor=member)
    return late, paused, done


def no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_request_from_its_receipt_to_the_erasure(browser_page, person, axe):
    anna, page = person(first_name="Anna", last_name="Berg", email="anna@example.com"), browser_page
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("link", name="New request").click()
    page.get_by_label("What is asked for").select_option("erasure")
    page.get_by_label("How the identity was checked").fill("Called back")
    axe(page)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Erasure")).to_be_visible()
    axe(page)
    page.get_by_role("link", name="Erase…").click()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Type the person's name to confirm").fill("anna berg")
    axe(page)
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("Erased person")).to_be_visible()
    assert not Contact.objects.filter(pk=anna.pk).exists()
    assert DataRequest.objects.get().outcome == "carried_out"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_list_is_accessible(window, bob, requests, axe, scheme):
    page = window(bob, color_scheme=scheme)
    page.goto("/requests/")
    expect(page.get_by_text("1 request is overdue.")).to_be_visible()
    axe(page)
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("link", name="Portability")).to_be_visible()
    axe(page)


def test_nothing_scrolls_sideways_on_a_phone(window, alice, requests, administrator, person):
    late, paused, done = requests
    gone = person(email="eva@example.com", salesforce_id="003000000000001AAA")
    erasure.delete(Contact.objects.filter(pk=gone.pk), actor=administrator)
    rule = retention_rules.save({"name": "Old leads", "age_months": 36, "step": "erase"}, actor=administrator)
    rule.cases.create(contact_id=late.contact_id, warned_at=timezone.now())
    extended = register.take_in("access", paused.contact_id, timezone.localdate(), actor=administrator)
    much = register.ClockReason("complexity", "Very many records", timezone.localdate())
    register.extend(extended.pk, much, actor=administrator)
    page = window(alice, **PHONE)
    for url in (
        f"/people/{late.contact_id}/",
        f"/requests/{extended.pk}/letter/",
        f"/requests/{extended.pk}/",
        "/requests/",
        "/requests/new/",
        f"/requests/{late.pk}/",
        f"/requests/{paused.pk}/",
        f"/requests/{done.pk}/",
        f"/requests/{late.pk}/carry-out/",
        "/requests/elsewhere/",
        "/settings/retention/",
        f"/settings/retention/{rule.pk}/",
        f"/settings/retention/{rule.pk}/people/",
        "/settings/retention/run/",
    ):
        page.goto(url)
        no_sideways_scroll(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_person_says_what_waits_and_leads_there(window, alice, requests, axe, scheme):
    late, _paused, _done = requests
    given = {"name": "Old leads", "age_months": 36, "step": "erase"}
    rule = retention_rules.save(given, actor=user_actor(alice, "page"))
    rule.cases.create(contact_id=late.contact_id, warned_at=timezone.now())
    page = window(alice, color_scheme=scheme)
    page.goto(f"/people/{late.contact_id}/")
    expect(page.get_by_role("note")).to_contain_text("by the rule “Old leads”. Not while a request waits")
    axe(page)
    page.get_by_role("region", name="Open requests").get_by_role("link", name="Erasure").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Erasure")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_extension_leads_to_its_letter_and_the_letter_to_a_mail(window, alice, requests, axe, scheme):
    late, _paused, _done = requests
    card_changes.authorise(Contact.objects.filter(pk=late.contact_id), CONTRACT, actor=user_actor(alice, "page"))
    row = register.take_in("access", late.contact_id, timezone.localdate(), actor=user_actor(alice, "page"))
    page = window(alice, color_scheme=scheme)
    page.goto(f"/requests/{row.pk}/")
    page.get_by_text("Extend by two months").click()
    page.locator("#extend_reason").fill("Very many records")
    page.get_by_role("button", name="Extend", exact=True).click()
    expect(page.get_by_role("article")).to_contain_text("Dear Anna Berg,")
    axe(page)
    page.get_by_role("link", name="Swedish").click()
    expect(page.get_by_role("article")).to_contain_text("Hej Anna Berg,")
    page.emulate_media(media="print")
    expect(page.get_by_role("banner")).to_be_hidden()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Send as mail…").click()
    expect(page.get_by_label("Subject")).to_have_value(re.compile("^Din begäran den .* vi behöver mer tid$"))
    axe(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_clock_is_paused_and_runs_on(window, bob, requests, axe, scheme):
    _late, paused, _done = requests
    page = window(bob, color_scheme=scheme)
    page.goto(f"/requests/{paused.pk}/")
    axe(page)
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("Extend by two months").click()
    page.locator("#extend_reason").fill("Very many records")
    page.get_by_role("button", name="Extend", exact=True).click()
    expect(page.get_by_text("Very many records")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_retention_lists_before_it_erases(window, alice, person, axe, scheme):
    anna = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    Contact.objects.filter(pk=anna.pk).update(created_at=timezone.now() - dt.timedelta(days=2_000))
    page = window(alice, color_scheme=scheme)
    page.goto("/settings/retention/")
    axe(page)
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Name").fill("Old leads")
    page.get_by_label("Keep for (months)").fill("36")
    page.get_by_label("What happens").select_option("erase")
    axe(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Apply now…").click()
    expect(page.get_by_text("Old leads: it meets 1; 1 listed anew, 1 warned of, 0 erased")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Apply the rules").click()
    page.get_by_role("link", name="1 person: Old leads").click()
    expect(page.get_by_role("link", name="Anna Berg")).to_be_visible()
    axe(page)
    assert Contact.objects.filter(pk=anna.pk).exists()

"""The verdict and its policy, restriction, the past, and the queues, in a browser."""

import datetime as dt
import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.review import restriction, review
from compliance.suppression import suppression
from compliance.verdict import policy
from contacts.jobs.batches import user_actor
from contacts.models import Contact

OLD = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2023, 1, 10), consent_purpose="Newsletter")
INTEREST = Authorization(AuthorizationType.LEGITIMATE_INTEREST)
NOTE = review.BalancingNote("Sell to companies", "Nothing milder finds them", "They expect it")
PHONE = {"viewport": {"width": 320, "height": 720}}
LOOKS = [{}, {"color_scheme": "dark"}, PHONE, PHONE | {"color_scheme": "dark"}]


@pytest.fixture
def people(person, bob, alice) -> list[Contact]:
    """Return people who give every page something to show."""
    imported = Source(SourceType.IMPORT)
    anna = person(first_name="Anna", last_name="Berg", email="a@example.com", authorization=OLD, owner=bob)
    lars = person(first_name="Lars", last_name="Öberg", email="l@example.com", authorization=INTEREST, source=imported)
    person(first_name="Eva", last_name="Ek", email="e@example.com", source=imported, owner=bob)
    actor = user_actor(alice, "page")
    review.balance(lars.pk, NOTE, actor=actor)
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=actor, source="clicked_link")
    policy.change({"consent_months": 36, "no_authorization": "block"}, actor=actor)
    policy.change({"consent_months": 24}, actor=actor)
    return [anna, lars]


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "phone", "dark phone"])
def test_every_page_reads_well(people, alice, window, axe, look):
    page = window(alice, **look)
    anna = people[0].pk
    restriction.restrict(Contact.objects.filter(pk=anna), "Accuracy is contested", actor=user_actor(alice, "page"))
    today = timezone.localdate().isoformat()
    for path in (
        "/compliance/informing/",
        "/compliance/review/",
        "/settings/policy/",
        f"/people/{anna}/",
        f"/people/{anna}/?as_of={today}",
        f"/people/{anna}/restriction/",
        f"/people/{people[1].pk}/balance/",
    ):
        page.goto(path)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


def test_processing_is_restricted_and_the_restriction_lifted(people, browser_page: Page, axe):
    browser_page.goto(f"/people/{people[1].pk}/")
    browser_page.get_by_role("button", name="More actions").click()
    browser_page.get_by_role("button", name="Restrict processing").click()
    dialog = browser_page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Accuracy is contested")
    axe(browser_page)
    dialog.get_by_role("button", name="Apply: Restrict processing").click()
    expect(browser_page.locator(".verdict-answer")).to_have_text("No")
    expect(browser_page.get_by_text("Processing restricted since")).to_be_visible()
    expect(browser_page.get_by_role("button", name="Edit", exact=True)).to_have_count(0)
    browser_page.get_by_role("button", name="More actions").click()
    browser_page.get_by_role("button", name="Lift restriction").click()
    dialog.get_by_label("Reason").fill("It is right")
    dialog.get_by_role("button", name="Apply: Lift restriction").click()
    expect(browser_page.locator(".verdict-answer")).to_have_text("Yes")


def test_the_past_is_one_date_away(people, browser_page: Page):
    browser_page.goto(f"/people/{people[0].pk}/")
    browser_page.get_by_label("As of").fill(timezone.localdate().isoformat())
    browser_page.get_by_role("button", name="Show as of").click()
    expect(browser_page.get_by_text("This is the past")).to_be_visible()
    expect(browser_page.get_by_text("Unsubscribed since")).to_be_visible()
    expect(browser_page.get_by_role("button", name="Edit", exact=True)).to_have_count(0)


def test_people_are_marked_as_told_one_by_one_and_all_at_once(people, browser_page: Page, axe):
    browser_page.goto("/compliance/informing/")
    browser_page.get_by_label("Choose Eva Ek").check()
    browser_page.get_by_role("button", name="Mark as informed", exact=True).click()
    expect(browser_page.get_by_text("1 person marked as informed.")).to_be_visible()
    browser_page.get_by_role("button", name="Mark all as informed").click()
    dialog = browser_page.get_by_role("dialog")
    dialog.get_by_label("Note").fill("Letter of 1 May")
    axe(browser_page)
    dialog.get_by_role("button", name=re.compile("Apply")).click()
    expect(browser_page.get_by_text("Nobody to inform")).to_be_visible()

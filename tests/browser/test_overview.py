"""The Compliance page and its reports, as people use them; in print too."""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from exports.overview import daily_figures
from unsubscribes.models import Message

PHONE = {"viewport": {"width": 320, "height": 640}}
NARROW = "document.documentElement.scrollWidth"


@pytest.fixture
def people(window, person):
    """Return two people, one with an old consent; asks for `window` so that the browser sees them."""
    given = timezone.localdate() - dt.timedelta(days=800)
    consent = Authorization(AuthorizationType.CONSENT, consent_date=given, consent_purpose="Newsletter")
    anna = person(first_name="Anna", last_name="Berg", email="anna@example.com", authorization=consent)
    return [anna, person(first_name="Lars", last_name="Öberg", email="lars@example.com")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_number_leads_to_its_people(window, bob, people, axe, scheme):
    for back in (3, 2, 1):
        daily_figures.keep_day(timezone.localdate() - dt.timedelta(days=back))
    page = window(bob, color_scheme=scheme)
    page.goto("/compliance/")
    expect(page.get_by_text("2 things need attention")).to_be_visible()
    axe(page)
    bar = page.get_by_role("link", name="24 to 36 months: 1")
    bar.focus()
    page.keyboard.press("Enter")
    expect(page.locator("tbody .row-link")).to_have_text(["Berg, Anna"])
    page.goto("/compliance/")
    page.get_by_role("row", name="Not recorded").first.get_by_role("link").click()
    expect(page.locator("tbody .row-link")).to_have_text(["Öberg, Lars"])


def test_a_past_day_is_shown_and_left_again(browser_page, people, axe):
    page, day = browser_page, timezone.localdate() - dt.timedelta(days=1)
    daily_figures.keep_day(day)
    page.goto("/compliance/")
    page.get_by_label("As of").fill(day.isoformat())
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Nobody was here on this day.")).to_be_visible()
    axe(page)
    page.get_by_role("link", name="Show today").click()
    expect(page.get_by_text("need attention")).to_be_visible()


def test_it_fits_a_phone(window, bob, people, axe):
    page = window(bob, **PHONE)
    for address in ("/compliance/", "/compliance/mailed/", "/compliance/record/"):
        page.goto(address)
        assert page.evaluate(NARROW) == 320
        axe(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_mails_are_told_with_their_ground_and_downloaded(window, bob, people, axe, scheme):
    anna, lars = people
    for someone in (anna, lars):
        _mail(someone)
    page, today = window(bob, color_scheme=scheme), timezone.localdate().isoformat()
    page.goto("/compliance/")
    page.get_by_role("link", name="Mailed people").click()
    page.get_by_label("From").fill(today)
    page.get_by_label("To", exact=True).fill(today)
    page.get_by_role("button", name="Show").click()
    grounds = page.get_by_role("region", name="Ground at the moment of sending")
    expect(grounds.get_by_role("row", name="Consent 1")).to_be_visible()
    axe(page)
    grounds.get_by_role("link", name="Not recorded").click()
    expect(page.locator("#list .row-link")).to_have_text(["Lars Öberg"])
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == f"mailed-{today}-{today}.csv"


def test_an_administrator_completes_the_record(window, alice, people, axe):
    page = window(alice)
    page.goto("/compliance/record/")
    axe(page)
    page.get_by_role("link", name="Say it now").first.click()
    axe(page)
    page.get_by_label("Transfers to third countries").fill("None.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Record of processing activities")).to_be_visible()
    expect(page.get_by_text("None.", exact=True)).to_be_visible()
    axe(page)


def _mail(person) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        [moment] = cursor.fetchone()
    Message.objects.create(
        contact=person, actor_name="bob", door="page", email=person.email, language="en", subject="News",
        text="", html="", state="sent", claimed_at=moment, sent_at=moment,
    )  # fmt: skip

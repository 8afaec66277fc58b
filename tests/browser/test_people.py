"""The People page as people use it: search, filter, sort, page, select, and change many at once."""

import datetime as dt
import re

import pytest
from playwright.sync_api import expect

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from contacts import tasks
from contacts.jobs import batches
from contacts.models import Batch, Contact, SavedView
from salesconnect.common import filters
from salesconnect.pages.people import people as people_views

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")


@pytest.fixture
def crowd(transactional_db, person, bob, monkeypatch):
    """Return seven people, three to a page: four with consent, three with nothing recorded."""
    monkeypatch.setattr(people_views, "PAGE_SIZE", 3)
    return [
        person(
            first_name=first,
            last_name="Berg",
            email=f"{first.lower()}@example.com",
            company="Exempel AB" if place < 4 else "Nordisk AB",
            authorization=CONSENT if place < 4 else None,
            source=Source(SourceType.IMPORT),
            owner=bob,
        )
        for place, first in enumerate(["Anna", "Bo", "Carl", "Dina", "Eva", "Finn", "Gun"])
    ]


def rows(page):
    return page.locator("tbody .row-link")


def box(page, name):
    return page.get_by_role("checkbox", name=f"Select Berg, {name}")


def act(page, name):
    return page.get_by_role("form", name="Selection").get_by_role("button", name=name, exact=True)


def selected(page):
    return page.locator("[data-selection-count]")


def test_typing_searches_without_a_reload_and_the_address_follows(browser_page, crowd, axe):
    page = browser_page
    page.goto("/people/")
    page.evaluate("window.kept = true")
    axe(page)
    page.get_by_role("searchbox", name="Search people").press_sequentially("din")
    expect(rows(page)).to_have_text(["Berg, Dina"])
    expect(page.locator("#people-count")).to_have_text("1")
    expect(page).to_have_url(re.compile(r"/people/\?search=din$"))
    expect(page.get_by_role("searchbox", name="Search people")).to_be_focused()
    page.get_by_role("link", name="Remove filter Search: din").click()
    expect(page.locator("#people-count")).to_have_text("7")
    expect(page.get_by_role("searchbox", name="Search people")).to_have_value("")
    assert page.evaluate("window.kept")


def test_filters_chips_sorting_and_paging_share_one_address(browser_page, crowd):
    page = browser_page
    page.goto("/people/")
    page.get_by_label("Filter by authorization").select_option("consent")
    expect(page.locator("#people-count")).to_have_text("4")
    page.get_by_role("link", name="Email").click()
    expect(page.get_by_role("columnheader", name="Email")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("link", name="Email").click()
    expect(rows(page)).to_have_text(["Berg, Dina", "Berg, Carl", "Berg, Bo"])
    page.get_by_role("link", name="Next").click()
    expect(rows(page)).to_have_text(["Berg, Anna"])
    page.reload()
    expect(rows(page)).to_have_text(["Berg, Anna"])
    expect(page.get_by_label("Filter by authorization")).to_have_value("consent")
    page.get_by_role("link", name="Previous").click()
    expect(rows(page)).to_have_text(["Berg, Dina", "Berg, Carl", "Berg, Bo"])
    page.go_back()
    expect(rows(page)).to_have_text(["Berg, Anna"])
    page.get_by_role("button", name="More filters").click()
    page.get_by_label("Filter by company").fill("nordisk")
    expect(page.get_by_role("heading", name="Nobody matches")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Clear filters").click()
    expect(page.locator("#people-count")).to_have_text("7")


def test_columns_are_chosen_and_stay_chosen(browser_page, crowd, axe):
    page = browser_page
    page.goto("/people/")
    page.get_by_role("button", name="Columns").click()
    axe(page)
    page.get_by_role("checkbox", name="Title", exact=True).uncheck()
    expect(page.get_by_role("columnheader", name="Title")).to_have_count(0)
    page.get_by_role("checkbox", name="Created", exact=True).check()
    expect(page.get_by_role("columnheader", name="Created")).to_be_visible()
    page.goto("/people/")
    expect(page.get_by_role("columnheader", name="Created")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Title")).to_have_count(0)


def test_a_view_is_named_found_again_and_deleted(browser_page, crowd, axe):
    page = browser_page
    page.goto("/people/?authorization_type=not_recorded")
    page.get_by_role("link", name="Save view").click()
    expect(page.get_by_label("Name of the view")).to_be_focused()
    axe(page)
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("Give a name of 1 to 60 characters.")).to_be_visible()
    page.get_by_label("Name of the view").fill("To decide")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("The view “To decide” is saved.")).to_be_visible()
    page.goto("/people/")
    page.get_by_role("link", name="To decide").click()
    expect(page.locator("#people-count")).to_have_text("3")
    page.get_by_role("button", name="Delete the view To decide").click()
    expect(page.get_by_role("link", name="To decide")).to_have_count(0)
    assert SavedView.objects.count() == 0


def test_the_list_does_not_wait_for_a_long_count_which_comes_by_itself(browser_page, crowd, axe, monkeypatch):
    monkeypatch.setattr(filters, "SLOW_COST", -1)
    page = browser_page
    page.goto("/people/?company=ab&ordering=-last_name")
    expect(page.locator("#people-count")).to_have_text("7")
    box(page, "Gun").check()
    page.get_by_role("button", name="Select all 7 matching").click()
    expect(selected(page)).to_have_text("7 selected")
    page.get_by_role("link", name="Next").click()
    expect(box(page, "Dina")).to_be_checked()
    expect(selected(page)).to_have_text("7 selected")
    axe(page)


def test_the_selection_survives_paging_and_sorting_and_can_mean_everybody(browser_page, crowd, axe):
    page = browser_page
    page.goto("/people/")
    head = page.get_by_role("checkbox", name="Select all on this page")
    box(page, "Anna").check()
    assert head.evaluate("box => box.indeterminate")
    head.check()
    expect(selected(page)).to_have_text("3 selected")
    axe(page)
    page.get_by_role("link", name="Next").click()
    expect(rows(page).first).to_have_text("Berg, Dina")
    box(page, "Dina").check()
    expect(selected(page)).to_have_text("4 selected")
    page.get_by_role("link", name="Name").click()
    expect(rows(page).first).to_have_text("Berg, Gun")
    expect(selected(page)).to_have_text("4 selected")
    page.get_by_role("button", name="Select all 7 matching").click()
    expect(selected(page)).to_have_text("7 selected")
    box(page, "Gun").uncheck()
    expect(selected(page)).to_have_text("6 selected")
    page.reload()
    expect(selected(page)).to_have_text("6 selected")
    expect(box(page, "Gun")).not_to_be_checked()
    page.get_by_role("button", name="Clear the selection").click()
    expect(act(page, "Authorization")).to_be_hidden()


def test_shift_selects_a_range_and_keys_do_the_rest(browser_page, crowd):
    page = browser_page
    page.goto("/people/")
    box(page, "Anna").check()
    box(page, "Carl").click(modifiers=["Shift"])
    expect(selected(page)).to_have_text("3 selected")
    page.keyboard.press("Escape")
    expect(act(page, "Source")).to_be_hidden()
    page.locator("main").focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(box(page, "Bo")).to_be_checked()
    for key, title in (
        ("a", "Set authorization for 1 person"),
        ("s", "Set source for 1 person"),
        ("e", "Export 1 person"),
    ):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name=title)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name=title)).to_be_hidden()
    page.locator("main").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"/people/{crowd[0].pk}/")


def test_authorization_is_set_for_many_and_undone(browser_page, crowd, axe):
    page = browser_page
    page.goto("/people/")
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("button", name="Select all 7 matching").click()
    act(page, "Authorization").click()
    dialog = page.get_by_role("dialog", name="Set authorization for 7 people")
    expect(dialog.get_by_label("Authorization Type")).to_be_focused()
    expect(dialog.get_by_label("Date of Consent")).to_be_hidden()
    dialog.get_by_label("Authorization Type").select_option("consent")
    expect(dialog.get_by_label("Date of Consent")).to_be_visible()
    dialog.get_by_role("button", name=re.compile("^Apply")).click()
    expect(dialog.get_by_text("Consent needs the date on which it was given.")).to_be_visible()
    expect(dialog.get_by_label("Date of Consent")).to_be_focused()
    axe(page)
    dialog.get_by_label("Date of Consent").fill("2026-03-01")
    dialog.get_by_label("Purpose of Processing").fill("Newsletter")
    expect(dialog.get_by_role("status")).to_have_text(re.compile(r"3 change\s+· 4 unchanged"))
    dialog.get_by_label("Authorization Type").select_option("contract")
    expect(dialog.get_by_role("status")).to_contain_text("4 people lose a recorded consent date")
    expect(dialog.get_by_role("button", name="Apply: Set for 7")).to_be_visible()
    axe(page)
    dialog.get_by_role("button", name=re.compile("^Apply")).click()
    expect(dialog).to_be_hidden()
    toast = page.get_by_role("listitem").filter(has_text="Authorization set for 7 people.")
    expect(page.locator("tbody").get_by_text("Performance of a Contract").first).to_be_visible()
    assert list(ComplianceCard.objects.values_list("authorization_type", flat=True).distinct()) == [3]
    toast.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone for 7 people.")).to_be_visible()
    expect(page.locator("tbody").get_by_text("Consent 2026-03").first).to_be_visible()
    assert ComplianceCard.objects.filter(authorization_type=AuthorizationType.CONSENT).count() == 4


def test_the_other_acts_ask_and_do(browser_page, crowd, axe):
    page = browser_page
    page.goto("/people/")
    box(page, "Anna").check()
    act(page, "Source").click()
    page.get_by_label("Source Type").select_option("other")
    page.get_by_label("Describe the other source").fill("A fair")
    page.get_by_role("button", name="Apply: Set for 1").click()
    expect(page.get_by_text("Source set for 1 person.")).to_be_visible()
    act(page, "Unsubscribe").click()
    expect(page.get_by_role("button", name="Apply: Unsubscribe 1")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Apply: Unsubscribe 1").click()
    expect(page.get_by_text("1 person unsubscribed.")).to_be_visible()
    act(page, "Export").click()
    page.get_by_label("Reason").fill("Fair")
    axe(page)
    page.get_by_role("button", name="Apply: Export 1").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert re.fullmatch(r"people-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    act(page, "Delete").click()
    expect(page.get_by_text("A keyed hash of 1 unsubscribed address")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Apply: Delete 1").click()
    expect(page.get_by_text("1 person deleted.")).to_be_visible()
    expect(page.locator("#people-count")).to_have_text("6")
    expect(act(page, "Delete")).to_be_hidden()


def test_a_number_that_moved_is_shown_and_asked_again(browser_page, crowd, person):
    page = browser_page
    page.goto("/people/?company=nordisk")
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("checkbox", name="Select all on this page").uncheck()
    page.goto("/people/")
    page.get_by_role("checkbox", name="Select all on this page").check()
    page.get_by_role("button", name="Select all 7 matching").click()
    act(page, "Source").click()
    # The choice is previewed once more; the number may move only after that.
    with page.expect_response(lambda answer: answer.url.endswith("/preview/")):
        page.get_by_label("Source Type").select_option("crm_sync")
    expect(page.get_by_role("button", name="Apply: Set for 7")).to_be_visible()
    person(last_name="New", email="new@example.com")
    page.get_by_role("button", name="Apply: Set for 7").click()
    expect(page.get_by_role("alert")).to_contain_text("7 → 8")
    page.get_by_role("button", name="Apply: Set for 8").click()
    expect(page.get_by_text("Source set for 8 people.")).to_be_visible()


def test_a_long_change_shows_its_progress_everywhere_and_says_when_it_is_over(browser_page, crowd, monkeypatch, axe):
    monkeypatch.setattr(batches, "INLINE_LIMIT", 2)
    page = browser_page
    page.goto("/people/")
    page.get_by_role("checkbox", name="Select all on this page").check()
    act(page, "Source").click()
    page.get_by_label("Source Type").select_option("crm_sync")
    page.get_by_role("button", name=re.compile("^Apply")).click()
    expect(page.get_by_text("3 people: working on it.")).to_be_visible()
    bar = page.get_by_role("progressbar", name="Source: CRM Sync").first
    expect(bar).to_be_visible()
    page.goto("/tasks/")
    expect(bar).to_be_visible()
    axe(page)
    page.get_by_role("link", name="Source: CRM Sync").first.click()
    expect(page.get_by_text("Waiting to start")).to_be_visible()
    axe(page)
    tasks.run_batch(Batch.objects.get().pk)
    expect(page.locator(".task-result")).to_have_text("Source set for 3 people.")
    expect(page.get_by_role("listitem").filter(has_text="Source set for 3 people.")).to_be_visible()
    axe(page)


def test_everything_works_without_script(window, bob, crowd):
    page = window(bob, java_script_enabled=False)
    page.goto("/people/")
    page.get_by_role("searchbox", name="Search people").fill("berg")
    page.get_by_label("Filter by authorization").select_option("not_recorded")
    page.get_by_role("button", name="Search").click()
    expect(rows(page)).to_have_text(["Berg, Eva", "Berg, Finn", "Berg, Gun"])
    box(page, "Eva").check()
    box(page, "Gun").check()
    act(page, "Authorization").click()
    expect(page.get_by_role("heading", name="Set authorization for 2 people")).to_be_visible()
    page.get_by_label("Authorization Type").select_option("consent")
    page.get_by_label("Date of Consent").fill("2026-03-01")
    page.get_by_role("button", name=re.compile("^Apply")).click()
    expect(page.get_by_text("Consent needs the purpose it was given for.")).to_be_visible()
    page.get_by_label("Purpose of Processing").fill("Newsletter")
    page.get_by_role("button", name=re.compile("^Apply")).click()
    expect(page.get_by_text("Authorization set for 2 people.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone for 2 people.")).to_be_visible()
    assert Contact.objects.filter(card__authorization_type=None).count() == 3


@pytest.mark.parametrize("look", [("en", "light"), ("sv", "dark")])
def test_the_narrowest_screen_loses_nothing(window, bob, crowd, axe, look):
    bob.language, bob.theme = look
    bob.save()
    page = window(bob, viewport={"width": 320, "height": 640})
    page.goto("/people/")
    page.locator("tbody [name=ids]").first.check()
    expect(page.locator(".selection-bar")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(page)
    page.locator('[data-key="a"]').click()
    expect(page.locator("dialog[open]")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(page)

"""The page of one person as people use it: by mouse, by keyboard alone, and without script."""

import datetime as dt
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from compliance.card import card_changes, editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact

CONTRACT = Authorization(AuthorizationType.CONTRACT)


@pytest.fixture
def anna(person, window) -> Contact:
    """Return somebody to look at; asks for `window` so that the database is the one that the browser sees."""
    return person(first_name="Anna", last_name="Berg", email="anna@example.com", company="Exempel AB")


def tab_to(page: Page, target: Locator) -> None:
    """Walk there with the Tab key, as somebody without a mouse does."""
    for _ in range(60):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the Tab key does not reach {target}")


def card_of(anna: Contact) -> tuple[object, ...]:
    card = ComplianceCard.objects.get(pk=anna.pk)
    return card.authorization_type, card.consent_date, card.consent_purpose, card.source_type


def test_consent_is_recorded_by_keyboard_alone_and_taken_back(browser_page, anna, axe):
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    axe(page)
    tab_to(page, page.get_by_role("button", name="Edit", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Authorization Type")).to_be_focused()
    expect(page.get_by_label("Date of Consent")).to_be_hidden()
    page.keyboard.type("Cons")
    expect(page.get_by_label("Date of Consent")).to_be_visible()
    axe(page)
    page.keyboard.press("Tab")
    page.keyboard.type("03012026")
    tab_to(page, page.get_by_label("Purpose of Processing"))
    page.keyboard.type("Newsletter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_focused()
    expect(page.locator("#compliance")).to_contain_text("1 March 2026")
    expect(page.locator(".toast-message")).to_have_text(
        "Authorization is now Consent, given 1 March 2026 for Newsletter"
    )
    expect(page.locator(".verdict-answer")).to_have_text("Yes")
    assert card_of(anna) == (AuthorizationType.CONSENT, dt.date(2026, 3, 1), "Newsletter", None)
    axe(page)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#compliance")).not_to_contain_text("1 March 2026")
    assert card_of(anna) == (None, None, "", None)


def test_errors_stand_beside_their_fields_and_take_the_focus(browser_page, anna, axe):
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Authorization Type").select_option("consent")
    page.get_by_role("button", name="Save").click()
    summary = page.get_by_role("alert").filter(has_text="There are 2 errors")
    expect(summary).to_be_focused()
    expect(page.get_by_label("Date of Consent")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Purpose of Processing")).to_have_accessible_description(
        "Consent needs the purpose it was given for."
    )
    axe(page)
    assert card_of(anna) == (None, None, "", None)


def test_other_offers_a_description_for_either_half(browser_page, anna):
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Authorization Type").select_option("other")
    page.get_by_label("Describe the other authorization").fill("Agreed at the fair")
    page.get_by_label("Source Type").select_option("other")
    page.get_by_label("Describe the other source").fill("Business card")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#compliance")).to_contain_text("Agreed at the fair")
    expect(page.locator("#compliance")).to_contain_text("Business card")


def test_cancel_leaves_all_as_it_was(browser_page, anna):
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Authorization Type").select_option("contract")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_visible()
    assert card_of(anna) == (None, None, "", None)


@pytest.mark.parametrize(("choice", "kept"), [("Keep theirs", 3), ("Apply mine on top", 2)])
def test_a_newer_edit_is_shown_beside_mine_and_i_choose(browser_page, anna, administrator, choice, kept):
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Authorization Type").select_option("legitimate_interest")
    people = Contact.objects.filter(pk=anna.pk)
    card_changes.edit_card(people, CONTRACT, Source(SourceType.IMPORT), actor=administrator)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="As it is now")).to_contain_text("Performance of a Contract")
    expect(page.get_by_role("region", name="With your change")).to_contain_text("Legitimate Interest")
    expect(page.get_by_role("alert")).to_be_focused()
    assert card_of(anna)[0] == AuthorizationType.CONTRACT
    page.locator("#compliance").get_by_text(choice).click()
    expect(page.get_by_role("button", name="Edit", exact=True)).to_be_visible()
    assert card_of(anna)[0] == kept


def test_both_versions_are_read_by_everybody(browser_page, anna, administrator, axe):
    page = browser_page
    page.goto(f"/people/{anna.pk}/details/")
    editing.edit(anna.pk, {"title": "CEO"}, actor=administrator)
    page.get_by_label("Title", exact=True).fill("CTO")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="As it is now")).to_contain_text("CEO")
    axe(page)


def test_details_are_edited_in_place(browser_page, anna, axe):
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="Edit contact details").click()
    expect(page.get_by_label("First name")).to_be_focused()
    axe(page)
    page.get_by_label("Title", exact=True).fill("Head of Sales")
    page.get_by_label("Website").fill("https://exempel.se/")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("banner").or_(page.locator(".page-lead"))).to_contain_text(["Head of Sales, Exempel AB"])
    expect(page.get_by_role("link", name="https://exempel.se/")).to_have_attribute(
        "rel", "noopener noreferrer nofollow"
    )
    expect(page.get_by_role("button", name="Edit contact details")).to_be_focused()
    anna.refresh_from_db()
    assert (anna.title, anna.website) == ("Head of Sales", "https://exempel.se/")


def test_a_taken_address_leads_to_who_has_it(browser_page, anna, person):
    lars = person(first_name="Lars", email="lars@example.com")
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="Edit contact details").click()
    page.get_by_label("Email").fill("Lars@Example.com")
    page.get_by_role("button", name="Save").click()
    page.locator("#details .errorlist").get_by_role("link", name="Show that person").click()
    expect(page).to_have_url(re.compile(rf"/people/{lars.pk}/$"))


def test_a_person_is_created(browser_page, axe, bob):
    page = browser_page
    page.goto("/people/new/")
    expect(page.get_by_label("First name")).to_be_focused()
    axe(page)
    page.get_by_label("First name").fill("Lars")
    page.get_by_label("Last name").fill("Öberg")
    page.get_by_label("Email").fill("lars")
    expect(page.get_by_label("Source Type")).to_have_value("manual_upload")
    page.get_by_role("button", name="Create person").click()
    expect(page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    axe(page)
    page.get_by_label("Email").fill("lars@exempel.se")
    page.get_by_role("button", name="Create person").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lars Öberg")
    lars = Contact.objects.get()
    assert (lars.owner, lars.email) == (bob, "lars@exempel.se")


def test_the_three_dots_export_a_file(browser_page, anna, axe):
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="More actions").click()
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert re.fullmatch(r"Anna-Berg-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    assert "anna@example.com" in download.value.path().read_text(encoding="utf-8-sig")


def test_the_three_dots_unsubscribe_after_a_question(browser_page, anna, axe):
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Unsubscribe").click()
    dialog = page.get_by_role("dialog", name="Unsubscribe Anna Berg?")
    dialog.get_by_label("Reason").fill("By phone")
    axe(page)
    dialog.get_by_role("button", name="Apply: Unsubscribe").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#unsubscribe-history")).to_contain_text("By phone")
    expect(page.locator(".verdict-answer")).to_have_text("No")
    expect(page.locator(".toast-message")).to_have_text("Anna Berg gets no more mail.")
    axe(page)
    assert suppression.of_address("anna@example.com").reason == "By phone"


def test_the_three_dots_delete_by_keyboard_alone(browser_page, anna, axe):
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    tab_to(page, page.get_by_role("button", name="More actions"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Export")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("button", name="Delete")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete Anna Berg?")
    expect(dialog).to_contain_text("This stays")
    axe(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert Contact.objects.count() == 1
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Delete").click()
    tab_to(page, dialog.get_by_role("button", name="Apply: Delete Anna Berg"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/people/$"))
    expect(page.locator(".toast-message")).to_have_text("The person was deleted.")
    assert Contact.objects.count() == 0


def test_the_questions_as_pages_of_their_own_are_accessible(browser_page, anna, axe):
    for address in ("delete", "unsubscribe", "mail", "merge"):
        browser_page.goto(f"/people/{anna.pk}/{address}/")
        expect(browser_page.get_by_role("heading", level=1)).to_have_count(1)
        axe(browser_page)


def test_older_history_comes_when_asked_for(browser_page, anna, member):
    for number in range(69):
        editing.edit(anna.pk, {"title": f"Title {number}"}, actor=member)
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    expect(page.locator(".history-item")).to_have_count(50)
    page.get_by_role("link", name="Show older").click()
    expect(page.locator(".history-item")).to_have_count(70)
    expect(page.locator(".history-item").nth(50)).to_be_focused()
    expect(page.get_by_role("link", name="Show older")).to_be_hidden()


def test_all_of_it_works_without_script(window, bob, anna, member):
    for number in range(50):
        editing.edit(anna.pk, {"title": f"Title {number}"}, actor=member)
    page = window(bob, java_script_enabled=False)
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Authorization Type").select_option("contract")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#compliance")).to_contain_text("Performance of a Contract")
    page.get_by_role("button", name="Undo").click()
    assert card_of(anna) == (None, None, "", None)
    page.get_by_role("link", name="Show older").click()
    expect(page.locator(".history-item")).to_have_count(3)
    page.get_by_role("link", name="Show newer").click()
    expect(page.locator(".history-item")).to_have_count(50)
    page.goto(f"/people/{anna.pk}/delete/")
    page.get_by_role("button", name="Apply: Delete Anna Berg").click()
    assert Contact.objects.count() == 0


def test_an_auditor_sees_all_and_can_change_nothing(window, charlie, anna, axe):
    page = window(charlie)
    page.goto(f"/people/{anna.pk}/")
    axe(page)
    expect(page.get_by_role("button", name="Edit")).to_have_count(0)
    page.get_by_role("button", name="More actions").click()
    expect(page.locator("#person-menu .menu-item")).to_have_text([re.compile("Export"), re.compile("Evidence pack")])
    assert history.of_contact(anna.pk).count() == 1


def test_the_page_in_swedish_on_a_phone_in_the_dark(window, bob, anna, axe):
    bob.language, bob.theme = "sv", "dark"
    bob.save(update_fields=["language", "theme"])
    page = window(bob, viewport={"width": 320, "height": 800})
    page.goto(f"/people/{anna.pk}/")
    expect(page.locator("html")).to_have_attribute("lang", "sv")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(page)
    page.locator("#edit-card").click()
    page.locator("[name=authorization_type]").select_option("consent")
    page.locator("[name=consent_date]").fill("2026-03-01")
    page.locator("[name=consent_purpose]").fill("Nyhetsbrev")
    axe(page)
    page.locator("#compliance .btn-primary").click()
    expect(page.locator("#compliance")).to_contain_text("1 mars 2026")
    axe(page)

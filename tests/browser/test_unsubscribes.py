"""Removing an unsubscribe, the Unsubscribes page and merging, as people use them."""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from compliance.models import ComplianceCard
from compliance.suppression import suppression
from contacts.models import Contact
from tests.evidence import PDF

PHONE = {"viewport": {"width": 320, "height": 640}}


@pytest.fixture
def anna(person, window, member) -> Contact:
    """Return somebody who said no; asks for `window` so that the database is the one that the browser sees."""
    someone = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    people = Contact.objects.filter(pk=someone.pk)
    suppression.unsubscribe(people, actor=member, source="clicked_link", reason="Too many mails")
    return someone


def is_unsubscribed(person) -> bool:
    return ComplianceCard.objects.get(pk=person.pk).unsubscribed


def test_an_administrator_removes_an_unsubscribe_with_a_document(window, alice, anna, axe, tmp_path):
    page = window(alice)
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("link", name="Remove unsubscribe").click()
    expect(page.get_by_role("heading", name="Unsubscribe History")).to_be_visible()
    expect(page.get_by_text("Too many mails")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Remove unsubscribe").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("Attach a document")
    axe(page)
    assert is_unsubscribed(anna)
    document = tmp_path / "letter.pdf"
    document.write_bytes(PDF)
    page.get_by_label("Date of the new consent").fill(timezone.localdate().isoformat())
    page.get_by_label("How it was given").select_option("In writing")
    page.get_by_label("Words agreed to").fill("Yes, write to me again.")
    page.get_by_label("Purpose of Processing").fill("Newsletter")
    page.get_by_label("Document", exact=True).set_input_files(document)
    page.get_by_label("Type anna@example.com to confirm").fill("anna@example.com")
    page.get_by_role("button", name="Remove unsubscribe").click()
    expect(page.locator(".verdict-answer")).to_have_text("Yes")
    said = page.locator("#unsubscribe-history")
    expect(said).to_contain_text("Resubscribed")
    expect(said).to_contain_text("Yes, write to me again.")
    with page.expect_download() as download:
        said.get_by_role("button", name="Download letter.pdf").click()
    assert download.value.suggested_filename == "letter.pdf"
    axe(page)
    assert not is_unsubscribed(anna)


def test_everybody_else_sees_why_not(browser_page, anna, axe):
    page = browser_page
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="More actions").click()
    item = page.get_by_role("button", name="Remove unsubscribe")
    expect(item).to_be_disabled()
    expect(item).to_have_accessible_description("Only an administrator can, with proof of a new consent.")
    axe(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_list_is_filtered_and_every_bar_leads_to_its_entries(window, bob, anna, axe, scheme):
    page = window(bob, color_scheme=scheme)
    _said_no_before(anna, dt.timedelta(weeks=3), times=4)
    page.goto("/unsubscribes/")
    axe(page)
    bar = page.get_by_role("link", name="Unsubscribes: 4,")
    bar.focus()
    page.keyboard.press("Enter")
    expect(page.locator("tbody .row-link")).to_have_count(4)
    expect(page.get_by_text("4 entries")).to_be_visible()
    page.get_by_text("Show as a table").click()
    table = page.locator("details table")
    expect(table.get_by_role("link", name="4", exact=True)).to_be_visible()
    axe(page)
    page.goto("/unsubscribes/")
    page.get_by_label("Filter by source").select_option("Clicked Link")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.get_by_label("Search by person").fill("nobody")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    axe(page)


def test_an_administrator_imports_a_list_by_phone(window, alice, axe, tmp_path):
    page = window(alice, **PHONE)
    page.goto("/unsubscribes/")
    expect(page.get_by_role("heading", name="Nobody has unsubscribed")).to_be_visible()
    axe(page)
    page.get_by_role("link", name="Import a list").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import a suppression list")
    axe(page)
    file = tmp_path / "old.csv"
    file.write_text("Email\nnobody@example.com\nnonsense\n")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Newly suppressed")).to_be_visible()
    expect(page.get_by_role("row", name="3 ")).to_be_visible()
    axe(page)
    assert suppression.of_address("nobody@example.com").source == "import"
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_two_records_are_merged_by_phone_and_parted_from_the_toast(window, bob, anna, person, axe):
    double = person(first_name="Anna", last_name="Berg", email="berg@example.com", phone="070 1")
    page = window(bob, **PHONE)
    page.goto(f"/people/{anna.pk}/")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("link", name="Merge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Merge two records of one person")
    axe(page)
    page.get_by_role("link", name="Compare with Anna Berg, berg@example.com").click()
    page.get_by_label("Email: berg@example.com").check()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.get_by_role("button", name="Merge").click()
    expect(page.locator(".toast-message")).to_have_text("Anna Berg is merged into this record.")
    expect(page.locator("#details")).to_contain_text("berg@example.com")
    assert not Contact.objects.filter(pk=double.pk).exists()
    page.locator(".toasts").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast-message").last).to_have_text("The merge is undone; both records are here again.")
    assert is_unsubscribed(double)


def _said_no_before(person, ago, *, times):
    with connection.cursor() as cursor:
        moment = timezone.now() - ago
        cursor.execute("SELECT contacts_make_event_partition(%s)", [moment.date()])
        cursor.execute(
            "INSERT INTO contacts_contactevent (at, contact_id, action, door, actor_name)"
            " SELECT %s, %s, 'unsubscribed', 'page', 'bob' FROM generate_series(1, %s)",
            [moment, person.pk, times],
        )

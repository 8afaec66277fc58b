"""Proof in a browser: the page of the seals, the link at each line of a history, the evidence pack."""

import json
import zipfile

import pytest
from playwright.sync_api import Page, expect

from contacts.sealing import sealing, verification
from exports import verify_proof
from salesconnect.lib.actor import system


@pytest.fixture
def anna(person):
    """Return somebody whose history is sealed and verified."""
    anna = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    sealing.seal_open()
    row = verification.begin(actor=system("task"))
    while verification.work(row.pk):
        continue
    return anna


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_of_seals_can_be_read_by_everybody_on_any_screen(window, anna, alice, axe, theme):
    alice.theme = theme
    alice.save()
    page = window(alice, viewport={"width": 320, "height": 700})
    page.goto("/settings/proof/")
    expect(page.get_by_text("All is well: no event was changed, removed or slipped in.")).to_be_visible()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_history_is_verified_on_demand(browser_page: Page, anna):
    browser_page.goto("/settings/")
    browser_page.get_by_role("link", name="Proof").click()
    browser_page.get_by_role("button", name="Verify now").click()
    expect(browser_page.get_by_text("The history is being verified.")).to_be_visible()
    expect(browser_page.get_by_text("Under way: 0 events compared so far.")).to_be_visible()


def test_an_administrator_sets_where_the_roots_go(window, anna, alice):
    page = window(alice)
    page.goto("/settings/proof/")
    page.get_by_role("textbox", name="Webhook").fill("http://example.com/")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Give an address that begins with https://.").first).to_be_visible()
    page.get_by_role("textbox", name="Webhook").fill("https://example.com/")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("https://example.com/: nothing sent yet")).to_be_visible()


def test_each_line_of_a_history_has_its_proof(browser_page: Page, anna):
    browser_page.goto(f"/people/{anna.pk}/")
    with browser_page.expect_download() as started:
        browser_page.locator("#history").get_by_role("link", name="Proof").click()
    content = started.value.path().read_bytes()
    assert started.value.suggested_filename.startswith("proof-")
    assert verify_proof.verify(content, json.loads(content)["root"])


def test_the_evidence_pack_is_one_click_away(browser_page: Page, anna):
    browser_page.goto(f"/people/{anna.pk}/")
    browser_page.get_by_role("button", name="More actions").click()
    with browser_page.expect_download() as started:
        browser_page.get_by_role("button", name="Evidence pack").click()
    assert started.value.suggested_filename.startswith("Anna-Berg-")
    with zipfile.ZipFile(started.value.path()) as pack:
        assert {"person.pdf", "manifest.json", "verify_proof.py"} <= set(pack.namelist())


def test_the_page_of_the_pack_prints_without_a_sideways_scroll(browser_page: Page, anna, tmp_path, axe):
    browser_page.goto(f"/people/{anna.pk}/")
    browser_page.get_by_role("button", name="More actions").click()
    with browser_page.expect_download() as started:
        browser_page.get_by_role("button", name="Evidence pack").click()
    with zipfile.ZipFile(started.value.path()) as pack:
        pack.extract("person.html", tmp_path)
    browser_page.set_viewport_size({"width": 320, "height": 700})
    browser_page.goto(f"file://{tmp_path}/person.html")
    expect(browser_page.get_by_role("heading", name="Anna Berg")).to_be_visible()
    axe(browser_page)
    assert browser_page.evaluate("document.documentElement.scrollWidth") <= 320

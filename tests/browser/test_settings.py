"""The user's own page, the settings of the team, and the API's docs, in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from unsubscribes.models import MailTemplate


def test_a_token_is_made_shown_once_and_revoked(browser_page: Page, axe):
    browser_page.goto("/settings/profile/")
    axe(browser_page)
    browser_page.get_by_label("What is it for?").fill("Reports")
    browser_page.get_by_role("button", name="Make a token").click()
    expect(browser_page.get_by_text("Copy the token now")).to_be_visible()
    expect(browser_page.locator("code")).to_have_text(re.compile(r"^[\w-]{43}$"))
    axe(browser_page)
    browser_page.get_by_role("button", name="Revoke Reports").click()
    expect(browser_page.get_by_text("The token no longer opens anything.")).to_be_visible()
    expect(browser_page.get_by_role("button", name="Revoke Reports")).to_have_count(0)


def test_the_profile_speaks_the_language_that_is_chosen_on_it(browser_page: Page, bob):
    browser_page.goto("/settings/profile/")
    browser_page.get_by_role("combobox", name="Language").select_option("sv")
    browser_page.get_by_role("button", name="Save", exact=True).click()
    expect(browser_page.locator("html")).to_have_attribute("lang", "sv")
    bob.refresh_from_db()
    assert bob.language == "sv"


def test_the_theme_switch_keeps_its_choice(browser_page: Page, bob):
    browser_page.goto("/settings/profile/")
    browser_page.get_by_role("button", name="Theme").click()
    with browser_page.expect_response("**/settings/preferences/"):
        browser_page.get_by_role("button", name="Dark").click()
    expect(browser_page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    browser_page.reload()
    expect(browser_page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    bob.refresh_from_db()
    assert bob.theme == "dark"


def test_the_docs_show_the_api_and_try_it_under_the_strict_policy(browser_page: Page):
    browser_page.goto("/api/docs/")
    expect(browser_page.get_by_role("main").get_by_role("heading", name=re.compile("Sales Connect"))).to_be_visible()
    expect(browser_page.locator("html")).to_have_attribute("lang", "en")
    operation = browser_page.locator("#operations-contacts-contacts_count_retrieve")
    operation.get_by_role("button", name=re.compile("count")).first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table tr.response")
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer).to_contain_text('"capped": false')


@pytest.mark.parametrize("width", [390, 1366])
@pytest.mark.parametrize("language", ["en", "sv"])
def test_templates_and_what_the_record_lacks_fit_the_page(window, alice, width, language):
    for name, informs in (("Latest news of the spring", False), ("Where we have your data from", True)):
        MailTemplate.objects.create(name=name, subject="Your data at {{ our_company }}", body="Hello", informs=informs)
    page = window(alice, viewport={"width": width, "height": 800}, locale=language)
    for address in ("/settings/mail/", "/compliance/record/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        clipped = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"
        assert page.locator(".mark > span").evaluate_all(clipped) == []

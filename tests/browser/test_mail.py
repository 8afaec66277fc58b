"""Mail as people use it: the editor, the selection bar, and the public page that scanners open."""

import re

import pytest
from playwright.sync_api import expect

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.models import Suppression
from contacts.models import ContactEvent
from unsubscribes.links import links, tokens
from unsubscribes.models import Message


@pytest.fixture
def anna(person):
    return person(
        first_name="Anna",
        last_name="Berg",
        email="anna@example.com",
        authorization=Authorization(AuthorizationType.CONTRACT),
    )


def test_a_browser_that_opens_the_link_and_waits_changes_nothing(chromium, live_server, anna):
    url = f"{live_server.url}/u/{tokens.token_of(links.make(anna).nonce)}/"
    context = chromium.new_context(locale="sv-SE")
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url.replace(url, "page"))))
    page.goto(url)
    page.wait_for_timeout(3_000)
    assert asked == [("GET", "page"), ("GET", f"{live_server.url}/static/css/public.css")]
    assert (Suppression.objects.count(), ContactEvent.objects.filter(action="unsubscribed").count()) == (0, 0)
    assert context.cookies() == []
    context.close()


@pytest.mark.parametrize("script", [True, False])
def test_one_press_unsubscribes_with_and_without_script(chromium, live_server, anna, script):
    context = chromium.new_context(locale="en-GB", java_script_enabled=script)
    page = context.new_page()
    page.goto(f"{live_server.url}/u/{tokens.token_of(links.make(anna).nonce)}/")
    page.get_by_label("Why? You need not say.").fill("Enough")
    page.get_by_role("button", name="Unsubscribe").click()
    expect(page.get_by_role("heading")).to_have_text("You are unsubscribed")
    assert context.cookies() == []
    context.close()
    [held] = Suppression.objects.all()
    assert (held.source, held.reason) == ("clicked_link", "Enough")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.usefixtures("transactional_db")
def test_the_public_page_is_accessible(chromium, live_server, anna, axe, scheme):
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto(f"{live_server.url}/u/{tokens.token_of(links.make(anna).nonce)}/")
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.get_by_role("button").click()
    expect(page.get_by_role("heading")).to_have_text(re.compile("unsubscribed"))
    axe(page)
    context.close()


def test_a_formatted_mail_is_written_previewed_and_sent_from_the_bar(browser_page, anna, axe):
    browser_page.goto("/people/")
    browser_page.locator("tbody [name=ids]").check()
    browser_page.get_by_role("button", name="Mail", exact=True).click()
    expect(browser_page.get_by_role("heading", level=1)).to_have_text("Write to 1 person")
    browser_page.get_by_label("Subject").fill("Hello {{ first_name }}")
    text = browser_page.get_by_role("textbox", name="Message")
    text.click()
    browser_page.keyboard.type("News for ")
    browser_page.get_by_role("button", name="Bold").click()
    browser_page.get_by_label("Insert a merge field").select_option(label="First name")
    browser_page.get_by_role("button", name="Preview").last.click()
    expect(browser_page.locator("#mail-preview b")).to_have_text("Anna")
    axe(browser_page)
    browser_page.get_by_role("button", name="Send to 1 person").click()
    expect(browser_page).to_have_url(re.compile(r"/mails/\?batch=\d+$"))
    axe(browser_page)
    [message] = Message.objects.all()
    assert (message.subject, "<b>Anna</b>" in message.html, "News for Anna" in message.text) == (
        "Hello Anna",
        True,
        True,
    )


def test_the_pages_of_a_mail_and_its_settings_are_accessible(window, alice, anna, axe):
    page = window(alice)
    for url in (f"/people/{anna.pk}/mail/", "/settings/mail/", "/mails/"):
        page.goto(url)
        axe(page)
    page.goto(f"/people/{anna.pk}/mail/")
    page.get_by_label("Subject").fill("Hello")
    page.get_by_role("textbox", name="Message").fill("News")
    page.get_by_role("button", name="Send to 1 person").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello")
    axe(page)

"""A real Chromium against the live site, signed in; console errors and CSP violations fail the test."""

import os
import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from contacts.models import User

# Playwright's synchronous API runs an event loop in the thread in which the tests use the ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

# The shell without a browser's own windows works half as long for the same page. Whoever has Chromium may use that.
CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# Milliseconds; the tests share their machine with others.
PATIENCE = 15_000
expect.set_options(timeout=PATIENCE)
# Without motion nothing is seen half faded in.
CONTEXT = {"locale": "en-GB", "reduced_motion": "reduce"}
# The browser logs every refusal; a form that is not right (422) or a conflict (409, 412) is an answer, not a fault. And
# htmx logs a request that a newer one has replaced; one that really fails is a sendError.
EXPECTED = re.compile(r"Failed to load resource: .* status of (409|412|422) |htmx:(afterRequest|sendAbort)\b")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder as a browser test."""
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return the browser of this test process."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium, live_server) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a browser of its own for a user; options are those of a browser context."""
    faults: list[str] = []
    contexts: list[BrowserContext] = []

    def open_for(user: User, **options) -> Page:
        context = chromium.new_context(**{"base_url": live_server.url, **CONTEXT, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_cookies([_session_cookie(user, live_server.url)])
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    yield open_for
    for context in contexts:
        context.close()
    assert [fault for fault in faults if not EXPECTED.match(fault)] == []


@pytest.fixture
def browser_page(window, bob) -> Page:
    """Return a page of a browser in which bob, a member, is signed in."""
    return window(bob)


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Return a function that asserts that axe finds nothing on the page, an open dialog included."""

    def check(page: Page) -> None:
        results = Axe().run(page, options={"resultTypes": ["violations"]})
        assert results.violations_count == 0, results.generate_report()

    return check


def _session_cookie(user: User, url: str) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": url,
    }

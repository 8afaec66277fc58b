"""Long tasks as people see them: progress on every page, the list of tasks, cancelling, and word of the end."""

import re

import pytest
from playwright.sync_api import expect

from compliance.acts.source import source_params
from compliance.card.rules import Source
from compliance.card.source_registry import SourceType
from contacts import tasks
from contacts.jobs import batches
from contacts.models import Contact

IMPORT = source_params(Source(SourceType.IMPORT))


@pytest.fixture
def waiting(transactional_db, person, bob, monkeypatch):
    """Return an order of bob's for six people that no worker has begun, three to a chunk."""
    monkeypatch.setattr(batches, "INLINE_LIMIT", 0)
    monkeypatch.setattr(batches, "CHUNK", 3)
    for place in range(6):
        person(last_name=f"Berg {place}", email=f"{place}@example.com")
    actor = batches.user_actor(bob, "page")
    return batches.order(Contact.objects.all(), "source", actor=actor, params=IMPORT, selection={"filter": {}})


def test_progress_stands_on_every_page_and_the_end_is_told_on_the_next(browser_page, waiting, axe):
    page = browser_page
    page.goto("/people/")
    bar = page.get_by_role("progressbar", name="Source: Import")
    expect(bar).to_have_attribute("value", "0")
    batches._next_chunk(waiting.pk, batches.actor_of(waiting))
    expect(bar).to_have_attribute("value", "50")
    expect(page.locator(".running-pace")).to_contain_text("3 of 6")
    axe(page)
    # Left between two looks: one under way would be told of the end, and nobody would read it.
    with page.expect_response("**/tasks/running/"):
        pass
    page.goto("about:blank")
    tasks.run_batch(waiting.pk)
    page.goto("/settings/")
    expect(page.locator(".toast-message")).to_have_text("Source set for 6 people.")
    expect(bar).to_have_count(0)
    page.reload()
    expect(page.locator("#running-tasks")).to_have_text("")
    expect(page.locator(".toast-message")).to_have_count(0)


def test_the_list_follows_a_running_task_to_its_end(browser_page, waiting, axe):
    page = browser_page
    page.goto("/tasks/")
    row = page.get_by_role("row", name=re.compile("Source: Import"))
    expect(row).to_contain_text("Waiting to start")
    axe(page)
    batches._next_chunk(waiting.pk, batches.actor_of(waiting))
    expect(row).to_contain_text("3 of 6")
    tasks.run_batch(waiting.pk)
    expect(row).to_contain_text("Source set for 6 people.")
    expect(row.get_by_role("button", name="Undo")).to_be_visible()
    expect(row.get_by_role("button", name="Cancel")).to_have_count(0)


def test_a_running_task_is_cancelled_from_the_list(browser_page, waiting):
    page = browser_page
    page.goto("/tasks/")
    page.get_by_role("row", name=re.compile("Source: Import")).get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    waiting.refresh_from_db()
    assert waiting.state == "cancelled"


def test_the_list_fits_a_phone(browser_page, waiting, axe):
    page = browser_page
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto("/tasks/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    axe(page)

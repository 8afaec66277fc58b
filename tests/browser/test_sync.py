"""The Sync page and its settings in a browser: set up, tested, tried out, activated, watched."""

import pytest
from playwright.sync_api import expect

from tests.unsubscribes.crm.conftest import connected, org, running_org, sync, unsubscribe  # noqa: F401
from unsubscribes.crm import tasks
from unsubscribes.crm.models import SyncConnection, SyncRun

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}


def fits(page) -> bool:
    """Tell whether the page has no sideways scroll."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_an_administrator_sets_the_sync_up_without_a_shell(window, alice, org, person, unsubscribe, axe):  # noqa: F811, PLR0917
    unsubscribe(person(email="anna@example.com"))
    org.create("Contact", ANNA)
    page = window(alice)
    page.goto("/sync/")
    axe(page)
    page.get_by_role("link", name="Connect Salesforce").click()
    expect(page.get_by_label("Private key")).to_be_hidden()
    page.get_by_label("How the app signs in").select_option(label="JWT bearer")
    expect(page.get_by_label("Private key")).to_be_visible()
    page.get_by_label("How the app signs in").select_option(label="Client credentials")
    page.get_by_label("Login URL").fill(org.url)
    page.get_by_label("Consumer key").fill(org.client_id)
    page.get_by_label("Consumer secret").fill(org.client_secret)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Test the connection next.")).to_be_visible()
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator(".check-lines li")).to_have_count(15)
    axe(page)
    page.get_by_role("button", name="Make a dry run").click()
    expect(page.get_by_text("It begins as soon as a worker is free.")).to_be_visible()
    tasks.run_salesforce(SyncRun.objects.get().pk)
    expect(page.get_by_text("would be opted out in Salesforce")).to_be_visible()
    axe(page)
    page.get_by_role("link", name="To the settings").click()
    page.get_by_label("That is much. Type yes to go on.").fill("yes")
    axe(page)
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_text("The sync is active.")).to_be_visible()
    assert SyncConnection.objects.get().state == "active"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_sync_can_be_read_by_all(window, alice, org, sync, person, unsubscribe, axe, scheme):  # noqa: F811, PLR0917
    anna = person(email="anna@example.com")
    [hers] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "An opt-out needs a reason.", times=1)
    run = sync()
    page = window(alice, color_scheme=scheme, viewport={"width": 320, "height": 700})
    lists = ("/sync/", "/sync/runs/", "/sync/errors/", "/sync/records/?show=dead")
    others = (f"/sync/runs/{run.pk}/", f"/sync/records/{hers}/", "/settings/salesforce/", f"/people/{anna.pk}/")
    for url in (*lists, *others, "/settings/salesforce/disconnect/"):
        page.goto(url)
        axe(page)
        assert fits(page), url
    page.goto("/sync/")
    page.get_by_role("button", name="Retry all").click()
    expect(page.get_by_text("1 record is tried again now.")).to_be_visible()
    assert sync().written == 1

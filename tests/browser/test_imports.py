"""Importing a file of people, as somebody at the screen does it; the test is the worker."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from compliance.imports import working
from compliance.models import ImportJob
from contacts.models import Contact

FILES = Path(__file__).parents[1] / "data" / "imports"


def work_off() -> None:
    for job in ImportJob.objects.filter(attempt__gt=0):
        while working.run(job.pk):
            pass


@pytest.fixture
def still(window, bob):
    """Return a page without motion: a toast that comes while axe looks stands at once."""
    return window(bob, reduced_motion="reduce")


def upload(page, name: str) -> None:
    page.goto("/people/import/")
    page.get_by_label("File", exact=True).set_input_files(FILES / name)
    page.get_by_role("button", name="Show preview").click()


def test_a_salesforce_report_is_previewed_mapped_and_imported(still, axe):
    still.goto("/people/")
    still.get_by_role("link", name="Import", exact=True).click()
    expect(still.get_by_role("heading", level=1)).to_have_text("Import people")
    axe(still)
    upload(still, "salesforce.csv")
    expect(still.get_by_text("Salesforce report")).to_be_visible()
    expect(still.get_by_text("Waiting to start")).to_be_visible()
    axe(still)
    work_off()
    expect(still.get_by_role("heading", name="What would happen")).to_be_visible()
    still.get_by_label("Authorization Type").select_option(label="Legitimate Interest")
    still.get_by_role("button", name="Update preview").click()
    expect(still.get_by_text("Waiting to start")).to_be_visible()
    work_off()
    expect(still.get_by_role("heading", name="What would happen")).to_be_visible()
    axe(still)
    assert Contact.objects.count() == 0
    still.get_by_role("button", name="Start import").click()
    expect(still.get_by_text("You can leave this page")).to_be_visible()
    still.reload()
    expect(still.get_by_text("Waiting to start")).to_be_visible()
    work_off()
    expect(still.get_by_role("heading", name="Done")).to_be_visible()
    axe(still)
    still.get_by_role("link", name="View the new people").click()
    expect(still).to_have_url(re.compile("created_after="))
    assert set(Contact.objects.values_list("card__authorization_type", flat=True)) == {2}


def test_an_import_needs_no_script(window, bob):
    page = window(bob, java_script_enabled=False)
    upload(page, "hubspot.csv")
    work_off()
    page.reload()
    expect(page.get_by_text("HubSpot export")).to_be_visible()
    page.get_by_role("button", name="Start import").click()
    work_off()
    page.reload()
    job = ImportJob.objects.get()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    assert (job.state, job.created) == ("done", Contact.objects.count())


def test_a_file_that_cannot_be_read_is_refused_beside_its_field(still, axe, tmp_path):
    (tmp_path / "people.csv").write_text("First Name,Email\r\n")
    still.goto("/people/import/")
    still.get_by_label("File", exact=True).set_input_files(tmp_path / "people.csv")
    still.get_by_role("button", name="Show preview").click()
    expect(still.get_by_role("alert")).to_contain_text("The file has a header and no rows.")
    axe(still)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_fit_the_screen(window, bob, axe, width):
    page = window(bob, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page.goto("/people/import/")
    axe(page)
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "rejects.csv", "mimeType": "text/csv", "buffer": b"Email,Name,Shoe size\r\nno address,Bo Ek,42\r\n"}
    )
    page.get_by_role("button", name="Show preview").click()
    work_off()
    expect(page.get_by_role("link", name="Download rejected rows")).to_be_visible()
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width

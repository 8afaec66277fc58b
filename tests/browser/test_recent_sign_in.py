from playwright.sync_api import expect

from contacts.models import Contact
from tests.sessions import age_all

PASSWORD = "correct-horse-battery"


def test_deleting_many_asks_for_the_password_and_goes_on_with_the_same_people(browser_page, person, axe):
    for name in ("Ada", "Bea"):
        person(first_name=name, last_name="Berg", email=f"{name}@example.com")
    page = browser_page
    page.goto("/people/")
    age_all()
    page.locator("tbody input[type=checkbox]").nth(0).check()
    page.locator("tbody input[type=checkbox]").nth(1).check()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    axe(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Delete 2 people")).to_be_visible()
    page.locator(".dialog-footer button").click()
    expect(page.get_by_text("2 people deleted.")).to_be_visible()
    assert Contact.objects.count() == 0

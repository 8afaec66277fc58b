"""The page of the seals: what it says to whom."""

import pytest
from django.test import Client

from contacts.jobs import engine
from contacts.models import RootPlaces, Seal, Verification
from contacts.sealing import verification


@pytest.fixture
def administering(alice):
    client = Client()
    client.force_login(alice)
    return client


def text(answer):
    return " ".join(answer.content.decode().split())


def test_before_anything_happened_it_says_so(administering):
    page = text(administering.get("/settings/proof/"))
    assert "Not verified yet. Runs weekly or on demand." in page
    assert "Nothing is sealed yet." in page


def test_it_shows_the_newest_root_and_a_good_verification(history, administering, administrator):
    row = verification.begin(actor=administrator)
    while verification.work(row.pk):
        continue
    page = text(administering.get("/settings/proof/"))
    assert bytes(Seal.objects.get().root).hex() in page
    assert "All is well: no event was changed, removed or slipped in." in page
    assert "7 events compared, 0 of them not sealed yet. Asked for by alice," in page


def test_it_names_the_first_bad_event(history, administering, administrator, forged):
    forged(f"DELETE FROM contacts_contactevent WHERE id = {history[2]}")
    row = verification.begin(actor=administrator)
    while verification.work(row.pk):
        continue
    assert verification.last().bad_event == history[2]
    assert f"Event {history[2]} is bad. This event was removed." in text(administering.get("/settings/proof/"))


def test_everybody_may_have_it_verified_and_two_orders_are_one(history, charlie):
    client = Client()
    client.force_login(charlie)
    for _ in range(2):
        assert client.post("/settings/proof/verify/").status_code == 302
    assert Verification.objects.get().actor_name == "charlie"
    assert "Under way: 0 events compared so far." in text(client.get("/settings/proof/"))


def test_administrators_set_where_roots_go(administering, charlie):
    values = {"mail_to": "lawyer@example.com", "webhook_url": "https://example.com/hook", "timestamp_url": ""}
    assert administering.post("/settings/proof/", values).status_code == 302
    assert RootPlaces.objects.get().webhook_url == "https://example.com/hook"
    page = text(administering.get("/settings/proof/"))
    assert "https://example.com/hook: nothing sent yet" in page
    assert "The secret is" in page
    answer = administering.post("/settings/proof/", values | {"webhook_url": "http://example.com/hook"})
    assert (answer.status_code, "Give an address that begins with https://." in text(answer)) == (422, True)
    client = Client()
    client.force_login(charlie)
    assert "The secret is" not in text(client.get("/settings/proof/"))


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_what_may_be_secret_in_an_address_is_for_those_who_set_it(request, client, who):
    client.force_login(request.getfixturevalue(who))
    hidden = {"webhook_url": "https://example.com/hook/hush?key=hush", "timestamp_url": "https://u:hush@example.org"}
    RootPlaces.objects.create(pk=1, mail_to="lawyer@example.com", **hidden)
    page = text(client.get("/settings/proof/"))
    assert "hush" not in page
    for line in ("lawyer@example.com:", "https://example.com/…:", "https://example.org/…:"):
        assert line in page


def test_a_verification_whose_worker_died_goes_on(history, administrator, forged):
    row = verification.begin(actor=administrator)
    assert engine.stalled(verification.QUEUE) == []
    Verification.objects.update(heartbeat_at="2026-01-01T00:00Z")
    assert engine.stalled(verification.QUEUE) == [row.pk]

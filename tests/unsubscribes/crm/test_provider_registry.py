"""What the connected CRM is called: whatever people read says its name, and no other CRM's."""

# ruff: noqa: F811 - the fixture is imported by name

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance.suppression.opt_out_source_registry import OptOutSource
from contacts.events import history
from contacts.models import Contact
from exports.erasure import erasure
from exports.integrity.all_checks import CHECKS
from exports.overview import processing
from salesconnect.common.sync_words import CODES, alert_words, code_words, kinds, state_words
from salesconnect.lib.actor import system
from salesconnect.pages.person.history import lines
from tests.unsubscribes.crm.conftest import ACTOR, unsubscribe  # noqa: F401
from tests.unsubscribes.crm.drivers import CabinetDriver
from unsubscribes.crm import clock, provider_registry
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncError, SyncRecord, SyncRun
from unsubscribes.crm.monitoring.alerts import Alert
from unsubscribes.crm.runs.running import RunTurn

FILE = "tests.unsubscribes.crm.file_provider.FileProvider"
ANNA, BO, CY = "anna@example.com", "bo@example.com", "cy@example.com"


@pytest.fixture
def cabinet(tmp_path, monkeypatch, db) -> CabinetDriver:
    """Connect the file, which is no Salesforce."""
    monkeypatch.setitem(provider_registry.PROVIDERS, "file", FILE)
    driver = CabinetDriver(tmp_path / "cabinet.json")
    connecting.connect(driver.settings(), actor=ACTOR)
    SyncConnection.objects.update(state="active")
    return driver


@pytest.fixture
def anna(cabinet, person, unsubscribe) -> Contact:
    """Return somebody who said no there; somebody else's record is refused, a third is erased here only."""
    anna, bo, cy = (person(email=address) for address in (ANNA, BO, CY))
    records = [cabinet.create(address) for address in (ANNA, BO, CY)]
    sync()
    cabinet.opt_out(records[0])
    cabinet.refuse(records[1], cabinet.lasting)
    unsubscribe(bo)
    sync()
    erasure.erase(cy.pk, on_request=True, actor=ACTOR)
    sync_control.request_run(actor=ACTOR, is_dry=True, start=False)
    return anna


def sync() -> SyncRun:
    run = sync_control.request_run(actor=ACTOR, start=False)
    RunTurn(run, manual=True).go()
    return run


def read(client: Client, address: str) -> str:
    """Return a page without what nobody reads, and without the source whose own name it is, by which one may filter."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    html = re.sub(r'\b(?:href|action|id|for|class|aria-labelledby)="[^"]*"', "", answer.content.decode())
    return re.sub(r'<option value="salesforce_sync".*?</option>', "", html, flags=re.DOTALL)


@pytest.mark.parametrize("language", ["en", "sv"])
def test_every_page_names_the_connected_crm_and_no_other(administrating, alice, anna, language):
    alice.language = language
    alice.save()
    lists = ("salesforce-records", "salesforce-errors", "salesforce-runs", "erase-elsewhere")
    own = [reverse(name) for name in ("sync", "salesforce-settings", *lists)]
    shared = [reverse("person", args=[anna.pk]), "/unsubscribes/", "/compliance/", "/requests/", "/settings/deletion/"]
    run = reverse("salesforce-run", args=[SyncRun.objects.latest("pk").pk])
    shown = {address: read(administrating, address) for address in (*own, *shared, run)}
    assert [address for address, html in shown.items() if "Salesforce" in html] == []
    assert [address for address, html in shown.items() if re.search(r"\bLead\b", html)] == []
    assert [address for address in ("/sync/", shared[0], "/compliance/") if "Cabinet" not in shown[address]] == []


def test_the_kinds_of_records_are_those_of_the_crm(administrating, cabinet, person):
    assert "No Person in Cabinet belongs to this person." in read(administrating, f"/people/{person().pk}/")
    assert "Every Person, whose it is here" in read(administrating, reverse("salesforce-records"))


def test_the_history_names_the_crm_from_which_an_opt_out_came(cabinet, person):
    anna = person()
    for source in (OptOutSource.SALESFORCE_SYNC, OptOutSource.CRM_SYNC):
        history.record([anna.pk], history.UNSUBSCRIBED, actor=system("sync"), changes={"source": [None, str(source)]})
    history.record([anna.pk], history.VIEWED, actor=system("sync"))
    newest, newer, new, _created = lines.of_person(anna.pk).html.split("</li>")[:4]
    assert ["from Cabinet" in each for each in (newest, newer, new)] == [True, True, False]
    assert ("from Salesforce" in new, "from Salesforce" in newest + newer) == (True, False)


def test_a_source_that_two_share_names_neither(cabinet, monkeypatch):
    assert provider_registry.names_of_sources() == {"salesforce_sync": "Salesforce", "crm_sync": "Cabinet"}
    monkeypatch.setitem(provider_registry.PROVIDERS, "other", FILE)
    assert provider_registry.names_of_sources() == {"salesforce_sync": "Salesforce"}


def test_the_texts_of_the_sync_and_of_the_records_name_it_too(cabinet):
    said = [f"{found.what} {found.advice}" for found in map(code_words, (*CODES, "SOMETHING_NEW", "HTTP_503"))]
    said += [alert_words(Alert(clock.CODE, skew=dt.timedelta(seconds=seconds))).what for seconds in (-90, 90)]
    said += [*kinds().values(), *map(state_words, SyncConnection.State)]
    said += [check.in_words() for check in CHECKS]
    said += [fact for section in processing.record(actor=ACTOR) for fact in section.facts]
    # The ID of a record in Salesforce is a field of a person, whatever is connected.
    said = [words.replace("Salesforce ID", "") for words in said]
    assert [words for words in said if "Salesforce" in words or "%(" in words] == []
    assert sum("Cabinet" in words for words in said) >= 15


def test_one_crm_is_named_without_a_database():
    """Here whatever opens the database fails."""
    said = [provider_registry.spoken_of(), code_words("SOMETHING_NEW").what, state_words("paused_auth")]
    assert said == ["Salesforce", "Salesforce refuses it", "Paused: Salesforce refuses the sign-in"]


@pytest.mark.parametrize("name", ["sync", "salesforce-errors", "salesforce-records"])
def test_a_list_looks_once_which_of_several_is_connected(administrating, cabinet, name):
    counts = []
    for number in range(3):
        said = {"state": "dead", "code": f"SOMETHING_NEW_{number}"}
        record = SyncRecord.objects.create(sf_id=f"P{number}", sobject="Person")
        OutboxEntry.objects.create(record=record, desired=True, **said)
        for code in (said["code"], "OPT_OUT_WINS"):
            SyncError.objects.create(sf_id=record.sf_id, sobject="Person", **said | {"code": code})
        with CaptureQueriesContext(connection) as queries:
            shown = administrating.get(reverse(name)).content.decode()
        assert shown.count("Cabinet refuses it") > number
        counts.append(len(queries))
    assert counts == [counts[0]] * 3

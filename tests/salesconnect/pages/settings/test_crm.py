"""The settings page: what it shows and stores, the test of the connection, activation, pause."""

# ruff: noqa: F811 - the fixtures of the sync are imported by name

import pytest
from django.test import Client
from django.urls import reverse

from compliance.suppression.opt_out_source_registry import OptOutSource
from tests.unsubscribes.crm.conftest import ACTOR, connected, org, running_org, sync, unsubscribe  # noqa: F401
from tests.unsubscribes.crm.drivers import CabinetDriver
from unsubscribes.crm import provider_registry, tasks
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import SyncConnection, SyncCursor, SyncRecord, SyncRun

URL = "/settings/salesforce/"
FILE = "tests.unsubscribes.crm.file_provider.FileProvider"


@pytest.fixture
def given(org) -> dict[str, str]:
    """Return the form filled in for the org."""
    return {
        "flow": "client_credentials",
        "login_url": org.url,
        "client_id": org.client_id,
        "client_secret": org.client_secret,
        "field": "HasOptedOutOfEmail",
        "budget_percent": "20",
    }


def page(client: Client, url: str = URL, **posted: str) -> str:
    answer = client.post(url, posted, follow=True) if posted or url != URL else client.get(url)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_a_new_team_is_told_how_to_begin(administrating, db):
    assert "How to begin" in page(administrating)
    assert "Connect Salesforce" in administrating.get("/sync/").content.decode()


def test_the_connection_is_stored_and_its_secret_never_shown(administrating, given, org):
    shown = page(administrating, **given)
    row = SyncConnection.objects.get()
    assert (row.login_url, row.budget_percent, row.state, row.create_people) == (org.url, 20, "off", False)
    assert org.client_secret not in shown + row.secret
    assert "One is stored" in shown
    page(administrating, **given | {"client_secret": "", "budget_percent": "30", "create_people": "on"})
    row.refresh_from_db()
    assert (row.budget_percent, row.create_people) == (30, True)
    assert all(line.ok for line in connecting.test(actor=ACTOR))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"login_url": "http://example.com"}, "begins with https://"),
        ({"client_id": ""}, "consumer key of the app"),
        ({"client_secret": ""}, "consumer secret, or the private key"),
        ({"flow": "jwt_bearer", "private_key": "no key"}, "no private key in PEM form"),
        ({"flow": "jwt_bearer"}, "in whose name the app signs in"),
        ({"field": "own", "own_field": "Opted_Out"}, "ends in __c"),
        ({"field": "own", "own_field": "X__c FROM User"}, "ends in __c"),
        ({"budget_percent": "0"}, "from 1 to 100"),
        ({"budget_percent": "many"}, "whole number"),
        ({"flow": "password"}, "valid choice"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(administrating, given, wrong, words):
    answer = administrating.post(URL, given | wrong)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert not SyncConnection.objects.exists()


def test_what_the_environment_sets_is_shown_and_not_changed(administrating, org, settings):
    settings.SALESFORCE_LOGIN_URL, settings.SALESFORCE_CLIENT_ID = org.url, org.client_id
    settings.SALESFORCE_CLIENT_SECRET = org.client_secret
    shown = page(administrating)
    assert "The environment says how to sign in" in shown
    assert (org.url in shown, org.client_secret in shown, 'name="login_url"' in shown) == (True, False, False)
    page(administrating, field="own", own_field="Mail_No__c", budget_percent="5", login_url="https://other.example")
    row = SyncConnection.objects.get()
    assert (row.login_url, row.opt_out_field, row.budget_percent) == (org.url, "Mail_No__c", 5)
    assert "In order:" in page(administrating, reverse("salesforce-test"))


def test_the_test_says_what_is_missing_and_what_to_do(administrating, connected, org):
    org.access(object="Lead", field="HasOptedOutOfEmail", level="read")
    org.settings(history={"Contact": ["HasOptedOutOfEmail"]})
    shown = page(administrating, reverse("salesforce-test"))
    assert (shown.count("In order:"), shown.count("Not in order:")) == (14, 1)
    assert "edit access to the object and to the field" in shown
    assert SyncConnection.objects.get().history_of == ["Contact"]


def test_a_refused_sign_in_is_one_red_line(administrating, connected, org):
    org.app(client_secret="another")
    shown = page(administrating, reverse("salesforce-test"))
    assert (shown.count("In order:"), shown.count("Not in order:"), "invalid_client" in shown) == (0, 1, True)


def test_activation_shows_what_would_change_and_takes_a_typed_yes(administrating, given, org, person, unsubscribe):
    unsubscribe(person(email="anna@example.com"))
    org.create("Contact", {"LastName": "Berg", "Email": "anna@example.com"})
    page(administrating, **given)
    assert "Make a dry run" in page(administrating)
    administrating.post(reverse("salesforce-activate"))
    assert SyncConnection.objects.get().state == "off"
    assert "Waiting" in page(administrating, reverse("salesforce-try"))
    tasks.run_salesforce(SyncRun.objects.get().pk)
    shown = page(administrating)
    assert ("would be opted out in Salesforce" in shown, "Type yes to go on" in shown) == (True, True)
    page(administrating, reverse("salesforce-activate"), yes="perhaps")
    assert SyncConnection.objects.get().state == "off"
    page(administrating, reverse("salesforce-activate"), yes="Yes")
    assert SyncConnection.objects.get().state == "active"


def test_the_file_of_a_dry_run_speaks_the_readers_language(administrating, connected, org, person, unsubscribe):
    anna = person(email="anna@example.com")
    unsubscribe(anna)
    [hers] = org.create("Contact", {"LastName": "Berg", "Email": "anna@example.com"})
    run = sync_control.request_run(actor=ACTOR, is_dry=True, start=False)
    tasks.run_salesforce(run.pk)
    answer = administrating.get(reverse("salesforce-run-file", args=[run.pk]))
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[1] == f"would be opted out in Salesforce,Contact,{hers},{anna.pk},http://testserver/people/{anna.pk}/"


def test_pause_resume_and_disconnect(administrating, connected, sync, org):
    org.create("Contact", {"LastName": "Berg", "Email": "anna@example.com"})
    sync()
    assert "Resume" in page(administrating, reverse("salesforce-pause"))
    assert SyncConnection.objects.get().state == "paused"
    page(administrating, reverse("salesforce-resume"))
    assert SyncConnection.objects.get().state == "active"
    assert "Disconnect Salesforce?" in administrating.get(reverse("salesforce-disconnect")).content.decode()
    page(administrating, reverse("salesforce-disconnect"))
    assert (SyncConnection.objects.count(), SyncRecord.objects.count(), SyncCursor.objects.count()) == (0, 0, 0)


def test_another_field_is_another_list_of_opt_outs(sync, org, person, unsubscribe):
    anna = person(email="anna@example.com")
    [hers] = org.create("Contact", {"LastName": "Berg", "Email": "anna@example.com"})
    unsubscribe(anna)
    sync()
    for name in ("Contact", "Lead"):
        org.add_field(name, "Mail_No__c")
    connecting.connect({"opt_out_field": "Mail_No__c"}, actor=ACTOR)
    assert (SyncConnection.objects.get().state, connecting.accepted_dry_run()) == ("off", None)
    SyncConnection.objects.update(state="active")
    sync()
    assert org.record(hers, "Mail_No__c")["Mail_No__c"] is True


def test_a_dry_run_of_another_connection_says_nothing_of_this_one(connected, org):
    tasks.run_salesforce(sync_control.request_run(actor=ACTOR, is_dry=True, start=False).pk)
    assert connecting.accepted_dry_run() is not None
    connecting.disconnect(actor=ACTOR)
    connecting.connect({"login_url": org.url, "client_id": org.client_id, "secret": org.client_secret}, actor=ACTOR)
    assert connecting.accepted_dry_run() is None


class TestAnotherCrm:
    """The page of a CRM of which the page knows nothing: the form is made of what the provider declares."""

    @pytest.fixture(autouse=True)
    def cabinet(self, tmp_path, monkeypatch, db) -> CabinetDriver:
        monkeypatch.setitem(provider_registry.PROVIDERS, "file", FILE)
        return CabinetDriver(tmp_path / "cabinet.json")

    def test_has_its_own_form_words_and_steps(self, administrating):
        assert "Connect Cabinet instead" in page(administrating)
        shown = administrating.get(f"{URL}?crm=file").content.decode()
        assert '<h1 class="page-title">Cabinet</h1>' in shown
        assert "Bring in people who exist only in Cabinet" in shown
        assert ("Where the cabinet stands" in shown, "Take the key from the clerk." in shown) == (True, True)
        assert [name for name in ("flow", "client_id", "own_field") if f'name="{name}"' in shown] == []
        assert "Connect Salesforce instead" in shown

    def test_is_connected_and_tested_by_its_page(self, administrating, cabinet):
        given = {"login_url": str(cabinet.cabinet.path), "secret": "the key of the cabinet", "budget_percent": "20"}
        assert administrating.post(f"{URL}?crm=file", given).status_code == 302
        row = SyncConnection.objects.get()
        assert (row.provider, row.login_url, row.secret == given["secret"]) == ("file", given["login_url"], False)
        shown = page(administrating)
        assert ("Cabinet settings" in shown, "One is stored" in shown, "instead" in shown) == (True, True, False)
        assert given["secret"] not in shown
        assert "A dry run reads every record" in shown
        assert "In order:" in page(administrating, reverse("salesforce-test"))
        assert "Disconnect Cabinet?" in administrating.get(reverse("salesforce-disconnect")).content.decode()
        administrating.post(reverse("salesforce-disconnect"))
        assert not SyncConnection.objects.exists()

    def test_says_beside_its_field_what_is_wrong(self, administrating):
        answer = administrating.post(f"{URL}?crm=file", {"login_url": "", "secret": "", "budget_percent": "0"})
        assert (answer.status_code, "from 1 to 100" in answer.content.decode()) == (422, True)


@pytest.mark.parametrize("crm", list(provider_registry.every()), ids=lambda crm: crm.key)
class TestEveryCrm:
    def test_declares_fields_that_fit_the_connection(self, crm):
        given = {field.name: "x" for field in crm.setup.fields}
        columns = {*connecting.SETTABLE, "secret"}
        assert set(crm.setup.values(given)) - columns == set()
        assert {crm.setup.place_of(name, given) for name in crm.setup.values(given)} - set(given) == set()
        assert set(crm.setup.initial(SyncConnection())) == {one.name for one in crm.setup.fields if not one.is_secret}

    def test_shows_fields_for_answers_that_there_are(self, crm):
        answers = {f"{field.name}={value}" for field in crm.setup.fields for value, _label in field.choices}
        assert {field.shown_when for field in crm.setup.fields} - answers - {""} == set()

    def test_names_the_source_of_its_opt_outs(self, crm):
        assert crm.source in OptOutSource

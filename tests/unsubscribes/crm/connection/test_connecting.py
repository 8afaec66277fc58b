"""Connecting, trying out, activating; the command and what it exits with; the page of the API."""

import io

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.management import call_command
from rest_framework.test import APIClient

from contacts.accounts import tokens
from salesconnect.lib.errors import Conflict, Forbidden, Invalid
from tests.unsubscribes.crm.conftest import ACTOR, box, is_out
from unsubscribes.crm import tasks
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncCursor, SyncError, SyncRecord, SyncRun
from unsubscribes.crm.runs import leases, running
from unsubscribes.crm.salesforce import preflight

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}


@pytest.fixture
def off(connected) -> SyncConnection:
    """Return a connection that was never activated."""
    SyncConnection.objects.update(state="off")
    connected.refresh_from_db()
    return connected


def command(*words: str) -> tuple[int, str]:
    """Run the command; return its exit code and what it said."""
    out = io.StringIO()
    try:
        call_command("sync_salesforce", *words, stdout=out, stderr=out)
    except SystemExit as stop:
        return stop.code, out.getvalue()
    return 0, out.getvalue()


def test_a_dry_run_reads_alone_and_tells_what_it_would_do(org, off, person, unsubscribe):
    anna, bo = person(email="anna@example.com"), person(email="bo@example.com", last_name="Bo")
    unsubscribe(anna)
    bo_there = {"LastName": "Bo", "Email": "bo@example.com", "HasOptedOutOfEmail": True}
    [hers, *_rest] = org.create("Contact", ANNA, bo_there, {"LastName": "Nobody"})
    code, said = command("--dry-run")
    assert (code, said) == (0, "Dry run: opt_out_here 1, write_there 1, ambiguous 0, unmatched 1, people 2\n")
    assert {entry["method"] for entry in org.journal(path="/data/")} == {"GET"}
    assert (SyncRecord.objects.count(), OutboxEntry.objects.count(), SyncCursor.objects.count()) == (0, 0, 0)
    assert (is_out(bo), box(org, hers)) == (False, False)
    lines = SyncRun.objects.get().file.read().decode().splitlines()
    assert (lines[0], len(lines), f"write_there,Contact,{hers},{anna.pk}" in lines) == (
        "What,Object,Salesforce ID,Person", 4, True,
    )  # fmt: skip


def test_so_much_change_takes_a_yes(org, off, person, unsubscribe):
    unsubscribe(person(email="anna@example.com"))
    [hers] = org.create("Contact", ANNA)
    assert command("--activate")[0] == 2
    assert SyncConnection.objects.get().state == "off"
    assert command("--activate", "--yes")[0] == 0
    assert (SyncConnection.objects.get().state, box(org, hers)) == ("active", True)


def test_nothing_is_synced_before_it_is_activated(org, off):
    assert command()[0] == 2
    with pytest.raises(Conflict) as refusal:
        connecting.activate(actor=ACTOR)
    assert refusal.value.code == "dry_run_first"
    tasks.pull_salesforce()
    assert org.journal() == []


def test_a_pause_by_hand_holds_until_somebody_ends_it(org, connected, person, unsubscribe):
    sync_control.pause(actor=ACTOR)
    assert command()[0] == 2
    tasks.push_salesforce()
    assert org.journal() == []
    sync_control.resume(actor=ACTOR)
    assert command()[0] == 0


def test_a_failure_is_told_by_the_exit_code(org, connected):
    org.app(client_secret="another")
    code, said = command()
    assert (code, "invalid_client" in said or "failed" in said) == (1, True)


def test_a_run_that_will_not_let_go_is_waited_for_and_then_left_alone(org, connected, monkeypatch):
    monkeypatch.setattr(running, "MANUAL_WAIT", 0.2)
    with leases.held("read"):
        assert command()[0] == 3
    assert (SyncRun.objects.get().state, org.journal()) == ("cancelled", [])
    assert command()[0] == 0


def test_a_run_that_was_ordered_before_a_pause_is_cancelled(org, connected):
    ordered = sync_control.request_run(actor=ACTOR)
    sync_control.pause(actor=ACTOR)
    tasks.run_salesforce(ordered.pk)
    assert (SyncRun.objects.get().state, org.journal()) == ("cancelled", [])


def test_the_environment_sets_the_connection_up(org, db, settings):
    settings.SALESFORCE_LOGIN_URL, settings.SALESFORCE_CLIENT_ID = org.url, org.client_id
    settings.SALESFORCE_CLIENT_SECRET = org.client_secret
    assert command("--activate", "--yes")[0] == 0
    first = SyncConnection.objects.get().token_generation
    assert command()[0] == 0
    assert SyncConnection.objects.get().token_generation == first


def test_tasks_do_by_themselves_what_the_command_does(org, connected, person, unsubscribe):
    anna = person(email="anna@example.com")
    [hers] = org.create("Contact", ANNA)
    tasks.pull_salesforce()
    unsubscribe(anna)
    tasks.push_salesforce()
    assert box(org, hers)
    org.clear_journal()
    tasks.push_salesforce()
    tasks.pull_salesforce()
    tasks.sweep_salesforce()
    assert org.api_calls() == 1


def test_a_sign_in_by_key_works_as_well(org, connected):
    key = rsa.generate_private_key(65_537, 2_048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    org.app(public_key=public.decode(), approved=[org.username])
    values = {"flow": "jwt_bearer", "username": org.username, "secret": private.decode()}
    connecting.connect(values | {"login_url": org.url, "client_id": org.client_id}, actor=ACTOR)
    assert command() == (0, "done: 0 read, 0 changed, 0 written, 0 errors, 4 calls, 0 waiting\n")


@pytest.mark.parametrize("url", ["http://example.com", "ftp://example.com", "", "https://"])
def test_a_token_goes_over_no_open_line(db, url):
    with pytest.raises(Invalid):
        connecting.connect({"login_url": url, "client_id": "x", "secret": "y"}, actor=ACTOR)


def test_only_administrators_touch_the_connection(org, connected, member, auditor):
    for actor in (member, auditor):
        for act in (
            sync_control.pause,
            sync_control.resume,
            sync_control.retry_all,
            connecting.disconnect,
            sync_control.request_run,
        ):
            with pytest.raises(Forbidden):
                act(actor=actor)


def test_the_check_is_green_and_says_what_is_not(org, connected):
    assert [line.ok for line in preflight.check(connected)] == [True] * 15
    org.access(object="Lead", field="HasOptedOutOfEmail", level="read")
    org.access(object="Contact", field="HasOptedOutOfEmail", level="none")
    ids = org.create("Contact", *({"LastName": f"P{n}"} for n in range(10)))
    org.hide(ids)
    connected.refresh_from_db()
    red = [line.what for line in preflight.check(connected) if not line.ok]
    assert red == [
        "Contact: fields", "Contact: opt-out can be written", "Contact: sharing", "Lead: opt-out can be written",
    ]  # fmt: skip


def test_the_api_tells_how_it_stands(org, sync, person, unsubscribe, alice):
    anna = person(email="anna@example.com")
    [hers] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", times=1)
    sync()
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(alice, 'tests')}")
    now = api.get("/api/v1/sync/status/").json()
    assert (now["state"], now["outbox"]["dead"], now["usage"]["budget"]) == ("active", 1, 10_000)
    [error] = api.get("/api/v1/sync/errors/").json()["results"]
    assert (error["record_id"], error["code"], error["state"]) == (hers, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "dead")
    [record] = api.get(f"/api/v1/contacts/{anna.pk}/salesforce/").json()["results"]
    assert (record["id"], record["opted_out"], record["outbox"]) == (hers, False, "dead")
    assert api.post(f"/api/v1/sync/errors/{error['id']}/retry/").status_code == 200
    assert (sync().written, box(org, hers)) == (1, True)
    assert SyncError.objects.get().state == "resolved"
    ordered = api.post("/api/v1/sync/run/", {"direction": "pull"}, format="json")
    tasks.run_salesforce(ordered.json()["run"])
    newest = api.get("/api/v1/sync/runs/").json()["results"][0]
    assert (ordered.status_code, newest["state"], newest["calls"]) == (202, "done", 1)


def test_the_log_says_once_a_day_how_the_sync_stands(org, sync, person, unsubscribe, caplog):
    tasks.digest_salesforce()
    anna = person(email="anna@example.com")
    org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", times=1)
    sync()
    caplog.clear()
    with caplog.at_level("INFO"):
        tasks.digest_salesforce()
    [said] = caplog.messages
    assert "active; 2 runs, 2 read, 0 changed, 0 written" in said
    assert said.endswith("0 waiting, 1 dead letters; errors: FIELD_CUSTOM_VALIDATION_EXCEPTION 1")


def test_what_the_environment_lacks_is_said_in_words(db, settings):
    settings.SALESFORCE_LOGIN_URL, settings.SALESFORCE_CLIENT_ID = "https://exempel.my.salesforce.com", "x"
    settings.SALESFORCE_CLIENT_SECRET = ""
    assert command() == (2, "Give the consumer secret, or the private key.\n")

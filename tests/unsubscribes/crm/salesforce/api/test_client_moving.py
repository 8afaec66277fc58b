"""An org that is not where it was: its My Domain renamed, moved to another instance, or down for maintenance."""

import pytest

from salesconnect.common import sync_words
from tests.unsubscribes.crm.conftest import box, is_out
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncError
from unsubscribes.crm.salesforce.api import client
from unsubscribes.crm.salesforce.provider import Salesforce
from unsubscribes.crm.values import WriteLimits
from unsubscribes.crm.writing import jobs

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}
OLD = "127.0.0.1"
ELSEWHERE = {"Location": "https://new.my.salesforce.example/"}


@pytest.fixture
def anna(org, sync, person):
    """Return a person and her record, whose box has been ticked since the last read."""
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    org.opt_out(contact)
    org.clear_journal()
    return anna, contact


def move(org, **fault) -> None:
    """Let the org be at another host: the old one answers as `fault` says, whatever is asked."""
    org.settings(instance_url=org.url.replace(OLD, "localhost"))
    org.fault(**fault, match={"host": OLD, "path": "/services/data/", "times": 0})


GOODBYES = [
    *({"do": "status", "status": status, "headers": ELSEWHERE, "body": []} for status in (301, 302, 303, 307, 308)),
    {"do": "status", "status": 400, "code": "URL_NOT_RESET"},
    {"do": "html", "status": 200},
    {"do": "html", "status": 404},
    {"do": "html", "status": 503},
    {"do": "drop_before"},
]


@pytest.mark.parametrize("goodbye", GOODBYES, ids=str)
def test_an_org_that_moved_is_found_by_a_new_token(org, sync, anna, goodbye):
    move(org, **goodbye)
    run = sync("pull")
    assert (run.state, is_out(anna[0])) == ("done", True)
    assert len(org.journal(path="oauth2/token")) == 1
    row = SyncConnection.objects.get()
    assert (row.state, row.instance_url, row.composite) == ("active", org.url.replace(OLD, "localhost"), True)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_an_org_that_cannot_be_found_pauses_and_says_so(org, sync, anna, status):
    org.fault("status", status=status, headers=ELSEWHERE, body=[], match={"path": "/services/data/", "times": 0})
    assert sync().state == "failed"
    row = SyncConnection.objects.get()
    assert (row.state, row.message) == ("paused_auth", f"INSTANCE_MOVED HTTP {status} new.my.salesforce.example")
    assert "another address" in sync_words.connection_trouble(row).what
    assert (len(org.journal(path="services/data")), len(org.journal(path="oauth2/token"))) == (2, 1)
    org.clear_faults()
    assert (sync().state, is_out(anna[0]), SyncConnection.objects.get().state) == ("done", True, "active")


def test_a_login_url_that_moved_pauses_and_says_so(org, sync, anna):
    org.expire_tokens()
    org.fault("status", status=301, headers=ELSEWHERE, body=[], match={"path": "oauth2/token", "times": 0})
    assert sync().state == "failed"
    row = SyncConnection.objects.get()
    assert (row.state, row.message.split()[0]) == ("paused_auth", "LOGIN_URL_MOVED")
    assert "login URL" in sync_words.connection_trouble(row).what


def test_maintenance_pauses_nothing_and_costs_no_opt_out(org, sync, anna):
    org.fault("html", status=503, match={"path": "/services/", "times": 0})
    assert sync().state == "failed"
    assert (SyncConnection.objects.get().state, len(org.journal()) <= 2 * (client.TRIES + 1)) == ("active", True)
    org.clear_faults()
    assert (sync().state, is_out(anna[0])) == ("done", True)


def test_a_page_for_people_is_not_taken_for_a_refusal(org, sync, anna):
    """A proxy's 404 says nothing of what the org can do: composite requests are tried again."""
    org.fault("html", status=404, match={"path": "composite", "times": 0})
    sync("pull")
    assert SyncConnection.objects.get().composite
    org.clear_faults()
    assert (sync("pull").calls, is_out(anna[0])) == (1, True)


def test_an_org_that_moves_during_a_bulk_job_ends_it(org, sync, person, unsubscribe, monkeypatch):
    monkeypatch.setattr(Salesforce, "limits", WriteLimits(batch=200, jobs_above=5, job=10_000))
    monkeypatch.setattr(jobs, "POLLS", (0.3,) * 100)
    people = [person(email=f"p{n}@example.com", last_name=f"P{n}") for n in range(10)]
    ids = org.create("Contact", *({"LastName": f"P{n}", "Email": f"p{n}@example.com"} for n in range(10)))
    sync()
    unsubscribe(*people)
    org.settings(instance_url=org.url.replace(OLD, "localhost"))
    org.fault("status", status=301, body=[], match={"host": OLD, "path": "jobs/ingest/", "nth": 3, "times": 0})
    sync("push")
    assert set(ids) <= org.opted_out()
    assert not OutboxEntry.objects.filter(state__in=("pending", "retry", "leased", "dead")).exists()
    assert not SyncError.objects.exists()
    assert box(org, ids[0])

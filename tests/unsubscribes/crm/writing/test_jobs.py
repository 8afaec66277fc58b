"""Large jobs of Salesforce's: longer than a turn, killed at each step, with lost answers, and with news meanwhile."""

import signal
import time

import pytest

from compliance.suppression import suppression
from tests.unsubscribes.crm.conftest import ACTOR, box, is_out
from tests.unsubscribes.crm.runs.test_running_crashes import CHILD, command, leases_run_out
from unsubscribes.crm.connection import sync_control
from unsubscribes.crm.models import OutboxEntry, SyncJob, SyncRecord, SyncRun
from unsubscribes.crm.outbox import outbox
from unsubscribes.crm.runs import running
from unsubscribes.crm.runs.running import RunTurn
from unsubscribes.crm.salesforce.provider import Salesforce
from unsubscribes.crm.values import WriteLimits
from unsubscribes.crm.writing import jobs

FEW_ARE_MANY = """
import django
django.setup()
from unsubscribes.crm.salesforce.provider import Salesforce
from unsubscribes.crm.values import WriteLimits
from unsubscribes.crm.writing import jobs
Salesforce.limits, jobs.POLLS = WriteLimits(batch=200, jobs_above=1, job=10_000), (0.3,)
"""
PEOPLE = 12
LONG = 300
STEPS = {
    "before it is stored": ("unsubscribes.crm.writing.jobs", "_stored", "before"),
    "after it is stored": ("unsubscribes.crm.writing.jobs", "_stored", "after"),
    "after it is made": ("unsubscribes.crm.salesforce.api.client", "Client.send", "after"),
    "before it is uploaded": ("unsubscribes.crm.writing.jobs", "_create", "after"),
    "after it is closed": ("unsubscribes.crm.writing.jobs", "_ask_later", "before"),
    "before its end is read": ("unsubscribes.crm.writing.jobs", "_results", "before"),
    "after its end is read": ("unsubscribes.crm.writing.jobs", "_results", "after"),
    "before it is settled": ("unsubscribes.crm.writing.settling", "settle", "before"),
    "after it is settled": ("unsubscribes.crm.writing.settling", "settle", "after"),
}


@pytest.fixture
def soon(monkeypatch) -> None:
    """Let a few people be many, and a turn short."""
    monkeypatch.setattr(Salesforce, "limits", WriteLimits(batch=200, jobs_above=1, job=10_000))
    monkeypatch.setattr(jobs, "POLLS", (0.1,))
    monkeypatch.setattr(running, "PATIENCE_FOR_JOBS", 0.0)


@pytest.fixture
def opted_out(org, connected, sync) -> list[str]:
    """Return the records of people who are opted out here, of which nobody there has heard."""
    org.generate("Contact", PEOPLE)
    sync()
    hashes = SyncRecord.objects.values_list("address_hash", flat=True)
    suppression.suppress_hashes(list(hashes), source="manual")
    org.clear_journal()
    return sorted(SyncRecord.objects.values_list("sf_id", flat=True))


def turn(direction: str = "push") -> SyncRun:
    """Make one turn as a worker does, which waits for nothing."""
    run = sync_control.request_run(actor=ACTOR, direction=direction, start=False)
    SyncJob.objects.update(due_at=run.created_at)
    RunTurn(run).go()
    run.refresh_from_db()
    return run


def made(org) -> int:
    return len(org.journal(method="POST", path="jobs/ingest"))


def worked(org) -> list[str]:
    """Return the states of the jobs that were not given up."""
    return [state for state in org.state()["jobs"] if state != "Aborted"]


def states() -> dict[str, int]:
    found = list(OutboxEntry.objects.values_list("state", flat=True))
    return {state: found.count(state) for state in set(found)}


def test_a_job_that_outlasts_its_turn_is_settled_by_a_later_one(org, opted_out, soon):
    org.settings(bulk_seconds=LONG)
    for _turn in range(3):
        assert (turn().state, states(), made(org)) == ("done", {"leased": PEOPLE}, 1)
    leases_run_out()
    assert (turn().written, states(), made(org)) == (0, {"leased": PEOPLE}, 1)
    org.clock(advance=LONG + 1)
    run = finished(org)
    assert (run.written, states(), made(org)) == (PEOPLE, {"done": PEOPLE}, 1)
    assert (org.opted_out(), SyncJob.objects.count()) == (set(opted_out), 0)


def finished(org) -> SyncRun:
    """Make turns until no job is left; return the last."""
    for _turn in range(20):
        run = turn()
        if not SyncJob.objects.exists() and not set(states()) & {"pending", "retry", "leased"}:
            return run
        time.sleep(0.3)
    raise AssertionError(states())


def test_what_a_read_shows_as_done_is_settled_while_the_job_goes_on(org, opted_out, soon):
    org.settings(bulk_seconds=LONG)
    turn()
    org.opt_out(opted_out[:5])
    turn("pull")
    assert states() == {"leased": PEOPLE - 5, "done": 5}
    org.clock(advance=LONG + 1)
    finished(org)
    assert (states(), made(org), org.opted_out()) == ({"done": PEOPLE}, 1, set(opted_out))


def test_no_entry_is_left_beside_one_that_is_being_written(org, opted_out, soon):
    org.settings(bulk_seconds=LONG)
    turn()
    hashes = SyncRecord.objects.values_list("address_hash", flat=True)
    suppression.suppress_hashes(list(hashes), source="complaint")
    turn("both")
    outbox.enqueue(list(SyncRecord.objects.values_list("pk", flat=True)), True)
    assert (states(), made(org)) == ({"leased": PEOPLE}, 1)


def test_a_consent_that_is_given_while_the_opt_out_is_written_waits_and_holds(  # noqa: PLR0917 - one scene
    org, sync, person, unsubscribe, consent, soon
):
    people = [person(email=f"p{n}@example.com", last_name=f"P{n}") for n in range(2)]
    ids = org.create("Contact", *({"LastName": "X", "Email": who.email} for who in people))
    sync()
    org.settings(bulk_seconds=LONG)
    unsubscribe(*people)
    turn()
    consent(people[0])
    turn("both")
    assert states() == {"leased": 2, "pending": 1}
    org.clock(advance=LONG + 1)
    time.sleep(0.3)
    turn("pull")
    finished(org)
    turn()
    assert [is_out(who) for who in people] == [False, True]
    assert [box(org, each) for each in ids] == [False, True]
    unsubscribe(people[0])
    finished(org)
    assert (is_out(people[0]), box(org, ids[0])) == (True, True)


def test_an_opt_out_that_is_taken_back_and_said_again_meanwhile_stands(org, sync, person, unsubscribe, consent, soon):  # noqa: PLR0917 - one scene
    people = [person(email=f"p{n}@example.com", last_name=f"P{n}") for n in range(2)]
    ids = org.create("Contact", *({"LastName": "X", "Email": who.email} for who in people))
    sync()
    org.settings(bulk_seconds=LONG)
    unsubscribe(*people)
    turn()
    consent(people[0])
    turn("both")
    unsubscribe(people[0])
    turn("both")
    assert states() == {"leased": 2, "superseded": 1}
    org.clock(advance=LONG + 1)
    finished(org)
    assert [box(org, each) for each in ids] == [True, True]
    assert "pending" not in states()


def test_a_job_that_salesforce_has_forgotten_is_made_anew(org, opted_out, soon):
    org.settings(bulk_seconds=LONG)
    turn()
    SyncJob.objects.update(sf_id="750QE0000000099YAA")
    turn()
    assert (SyncJob.objects.count(), states()) == (0, {"retry": PEOPLE})


@pytest.mark.parametrize(("method", "path"), [("POST", "jobs/ingest$"), ("PUT", "batches$"), ("PATCH", "jobs/ingest/")])
def test_a_lost_answer_makes_no_second_job(org, opted_out, soon, method, path):
    org.fault("drop_after", match={"method": method, "path": path})
    turn()
    leases_run_out()
    finished(org)
    assert (org.opted_out(), states()) == (set(opted_out), {"done": PEOPLE})
    assert worked(org) == ["JobComplete"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_that_is_killed_at_a_job_leaves_one_job_and_loses_nothing(org, opted_out, soon, step):
    killed = command("-c", FEW_ARE_MANY + CHILD, *STEPS[step], "--push")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    leases_run_out()
    finished(org)
    assert (org.opted_out(), set(states())) == (set(opted_out), {"done"})
    assert worked(org) == ["JobComplete"]

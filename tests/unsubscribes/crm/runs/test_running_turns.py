"""Who waits for whom: runs that meet another, dry runs that are killed, two beats at once."""

import datetime as dt

import pytest
from django.utils import timezone

from contacts.jobs import engine
from tests.unsubscribes.crm.conftest import ACTOR
from unsubscribes.crm import tasks
from unsubscribes.crm.connection import sync_control
from unsubscribes.crm.models import SyncRun
from unsubscribes.crm.runs import leases, running
from unsubscribes.crm.runs.running import RunTurn


@pytest.fixture
def sent(monkeypatch) -> list[tuple]:
    """Return the messages that were sent to workers."""
    messages: list[tuple] = []
    for module in (running, tasks, engine):
        monkeypatch.setattr(module, "kick", lambda *message: messages.append(message))
    return messages


def ordered(direction: str = "both", **options) -> SyncRun:
    return sync_control.request_run(actor=ACTOR, direction=direction, start=False, **options)


def state(run: SyncRun) -> str:
    run.refresh_from_db()
    return run.state


def test_a_run_that_meets_another_is_called_when_that_ends(org, connected, sent):
    waiting, other = ordered("push"), ordered("push")
    with leases.held("write"):
        tasks.run_salesforce(waiting.pk)
    assert (state(waiting), sent) == ("queued", [])
    RunTurn(other).go()
    assert sent == [("unsubscribes.run_salesforce", waiting.pk)]
    tasks.run_salesforce(waiting.pk)
    assert state(waiting) == "done"


def test_a_run_that_waits_is_called_though_the_other_fails(org, connected, sent):
    waiting, other = ordered("pull"), ordered("pull")
    with leases.held("read"):
        tasks.run_salesforce(waiting.pk)
    org.app(client_secret="another")
    org.expire_tokens()
    RunTurn(other).go()
    assert (state(other), sent) == ("failed", [("unsubscribes.run_salesforce", waiting.pk)])


def test_the_sweep_calls_a_run_that_waits_for_one_that_was_killed(org, connected, sent):
    waiting = ordered("push")
    with leases.held("write"):
        tasks.run_salesforce(waiting.pk)
    tasks.sweep_salesforce()
    assert sent == [("unsubscribes.run_salesforce", waiting.pk)]


def test_a_dry_run_that_was_killed_ends_as_failed(org, connected, sent):
    run = ordered(is_dry=True)
    long_ago = timezone.now() - dt.timedelta(minutes=5)
    SyncRun.objects.filter(pk=run.pk).update(state="running", started_at=long_ago, heartbeat_at=long_ago)
    tasks.run_salesforce(run.pk)
    assert state(run) == "running"
    tasks.sweep_salesforce()
    assert (state(run), run.message, sent) == ("failed", "killed", [])
    tasks.run_salesforce(run.pk)
    assert (state(run), org.journal(path="queryAll")) == ("failed", [])


def test_two_beats_at_once_leave_one_run(org, connected, sent):
    with leases.held("read"):
        tasks.pull_salesforce()
    assert SyncRun.objects.count() == 0
    tasks.pull_salesforce()
    assert [run.state for run in SyncRun.objects.all()] == ["done"]

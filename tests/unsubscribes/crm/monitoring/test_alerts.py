"""Work of the sync that waits longer than it may is told on the page, in the API and to a monitoring system."""

import datetime as dt
from html import unescape
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from salesconnect.common.sync_words import alert_words
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncJob, SyncNotice, SyncRecord, SyncRun
from unsubscribes.crm.monitoring import alerts, sync_metrics

STATUS = "/api/v1/sync/status/"
AGO = timezone.now() - dt.timedelta(hours=1)


def silent_run() -> None:
    SyncRun.objects.create(kind="push", state="running", started_at=AGO, heartbeat_at=AGO)


def queued_run() -> None:
    SyncRun.objects.create(kind="push", created_at=AGO)


def notice() -> None:
    SyncNotice.objects.create(address_hash=uuid4(), at=AGO)


def entry(**values) -> None:
    record = SyncRecord.objects.create(sf_id="003QE0000000001YAA", sobject="Contact")
    OutboxEntry.objects.create(record=record, desired=True, created_at=AGO, **values)


def due_entry() -> None:
    entry(due_at=AGO)


def left_entry() -> None:
    entry(state="leased", lease=uuid4(), leased_until=AGO)


def long_job() -> None:
    SyncJob.objects.create(lease=uuid4(), sf_id="750QE0000000001YAA", sobject="Contact", records=1, created_at=AGO)


STUCK = {
    "RUN_SILENT": silent_run,
    "RUN_WAITS": queued_run,
    "NOTICES_WAIT": notice,
    "OUTBOX_WAITS": due_entry,
    "LEASE_LEFT": left_entry,
    "JOB_LASTS": long_job,
}


@pytest.mark.parametrize("code", STUCK)
def test_what_waits_too_long_is_told_everywhere(connected, signed_in, api, code):
    assert alerts.alerts() == []
    STUCK[code]()
    [alert] = alerts.alerts()
    assert (alert.code, alert.number) == (code, 1)
    assert alert_words(alert).what in unescape(signed_in.get(reverse("sync")).content.decode())
    [problem] = api.get(STATUS).json()["problems"]
    assert (problem["code"], problem["count"]) == (code, 1)
    told = next(measure for measure in sync_metrics.collect() if measure.name == "sync_problems")
    assert ({"code": code}, 1.0) in told.samples


def test_what_is_leased_to_a_job_is_not_left(connected):
    lease = uuid4()
    SyncJob.objects.create(lease=lease, sf_id="750QE0000000001YAA", sobject="Contact", records=1)
    entry(state="leased", lease=lease, leased_until=AGO)
    assert alerts.alerts() == []


def test_clock_and_careless_writing_stand_in_the_status(connected, signed_in, api):
    SyncConnection.objects.update(clock_ahead=dt.timedelta(minutes=10), conditional_writes=False)
    status = api.get(STATUS).json()
    assert (status["clock_ahead"], status["conditional_writes"]) == (600, False)
    assert [problem["code"] for problem in status["problems"]] == ["UNCONDITIONAL_WRITES", "CLOCK_DIFFERS"]
    shown = signed_in.get(reverse("sync")).content.decode()
    assert "10 minutes behind" in shown
    assert "If-Unmodified-Since" in shown


def test_nothing_is_told_while_somebody_has_paused_the_sync(connected, api):
    due_entry()
    SyncConnection.objects.update(state="paused")
    assert api.get(STATUS).json()["problems"] == []

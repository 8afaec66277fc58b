import datetime as dt

import pytest
from celery.schedules import crontab
from django.conf import settings
from django.utils import timezone
from kombu import Queue

from salesconnect import celery_app
from salesconnect.operations import beat

SCHEDULE = settings.CELERY_BEAT_SCHEDULE
BUSY_MINUTES = 60


def interval(schedule: crontab | int) -> dt.timedelta:
    """Return the time from one run to the next."""
    if not isinstance(schedule, crontab):
        return dt.timedelta(seconds=schedule)
    start, wait, _now = schedule.remaining_delta(timezone.now())
    following, wait_again, _now = schedule.remaining_delta(start + wait)
    return following + wait_again - (start + wait)


@pytest.fixture
def queue():
    """Return an empty queue of the broker that no worker listens to."""
    with celery_app.connection_for_write() as connection:
        waiting = connection.SimpleQueue(Queue("tests-of-the-schedule"))
        waiting.clear()
        yield waiting
        waiting.clear()
        waiting.close()


def test_every_scheduled_task_exists():
    celery_app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in SCHEDULE.values()}
    assert scheduled - set(celery_app.tasks) == set()


@pytest.mark.parametrize("name", SCHEDULE)
def test_no_message_outlives_the_one_that_follows(name):
    entry = SCHEDULE[name]
    assert dt.timedelta(0) < dt.timedelta(seconds=entry["options"]["expires"]) <= interval(entry["schedule"])


def test_of_an_hours_messages_a_busy_worker_is_left_with_one_each(queue, monkeypatch):
    scheduler = beat.Scheduler(app=celery_app, lazy=True)
    scheduler.setup_schedule()
    entries = {name: scheduler.schedule[name] for name in SCHEDULE}
    began = now = timezone.now()
    monkeypatch.setattr(celery_app, "now", lambda: now)
    sent = 0
    for minute in range(BUSY_MINUTES + 1):
        now = began + dt.timedelta(minutes=minute)
        for entry in entries.values():
            if minute % max(interval(SCHEDULE[entry.name]["schedule"]) // dt.timedelta(minutes=1), 1) == 0:
                entry.options["queue"] = "tests-of-the-schedule"
                scheduler.apply_async(entry, advance=False)
                sent += 1
    alive = []
    for _message in range(sent):
        headers = queue.get(timeout=5).headers
        if dt.datetime.fromisoformat(headers["expires"]) > now:
            alive.append(headers["task"])
    assert sorted(alive) == sorted(entry["task"] for entry in SCHEDULE.values())

"""Beat: one is at work, the others wait, and none forgets what was done."""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from salesconnect import celery_app
from salesconnect.models import ScheduledRun, SignOfLife
from salesconnect.operations import beat, liveness

pytestmark = pytest.mark.django_db(transaction=True)
SCHEDULE = {
    "daily": {"task": "tests.daily", "schedule": 24 * 3600},
    "often": {"task": "tests.often", "schedule": 1},
}


@pytest.fixture
def start(monkeypatch):
    """Return a function that makes a beat, and the list of what the beats asked for."""
    asked: list[str] = []
    SignOfLife.objects.all().delete()
    ScheduledRun.objects.all().delete()
    before, celery_app.conf.beat_schedule = celery_app.conf.beat_schedule, SCHEDULE

    def one() -> beat.Scheduler:
        scheduler = beat.Scheduler(app=celery_app)
        monkeypatch.setattr(scheduler, "apply_entry", lambda entry, **_: asked.append(entry.name))
        return scheduler

    yield one, asked
    celery_app.conf.beat_schedule = before


def age(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE salesconnect_signoflife SET at = now() - make_interval(secs => %s)", [seconds])


def due(*names: str) -> None:
    ScheduledRun.objects.filter(name__in=names).update(last_run_at=timezone.now() - dt.timedelta(days=2))


def work(scheduler: beat.Scheduler, turns: int = 3) -> float:
    return [scheduler.tick() for _turn in range(turns)][-1]


def test_a_second_beat_waits_and_takes_over_when_the_first_is_dead(start):
    one, asked = start
    first, second = one(), one()
    work(first)
    assert (work(second), second.at_work, liveness.beats_waiting()) == (beat.WAIT_SECONDS, False, 1)
    due("often", "daily")
    age(beat.DEAD_SECONDS + 1)
    asked.clear()
    work(second)
    assert (sorted(asked), second.at_work, liveness.beats_waiting()) == (["daily", "often"], True, 0)
    assert work(first) == beat.WAIT_SECONDS
    assert first.at_work is False


def test_a_beat_that_ends_leaves_the_work_to_the_next_at_once(start):
    one, _asked = start
    first, second = one(), one()
    work(first)
    first.close()
    work(second)
    assert (second.at_work, SignOfLife.objects.count()) == (True, 1)


def test_a_new_beat_goes_on_where_the_last_one_left_off(start):
    one, asked = start
    ScheduledRun.objects.create(name="daily", last_run_at=timezone.now() - dt.timedelta(hours=25), total=7)
    first = one()
    work(first)
    assert asked.count("daily") == 1
    assert ScheduledRun.objects.get(name="daily").total == 8
    first.close()
    asked.clear()
    work(one())
    assert "daily" not in asked


def test_a_beat_without_its_database_waits(start, monkeypatch):
    one, asked = start
    scheduler = one()
    monkeypatch.setattr(beat, "_TAKE", "SELECT nothing FROM nowhere")
    assert (scheduler.tick(), asked) == (beat.WAIT_SECONDS, [])

import datetime as dt

import pytest
import time_machine
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.utils import timezone

from compliance.acts.source import source_params
from compliance.card.rules import Source
from compliance.card.source_registry import SourceType
from contacts import tasks
from contacts.events import partitions
from contacts.jobs import batches, engine
from contacts.models import Batch, Contact

IMPORT = source_params(Source(SourceType.IMPORT))


@pytest.fixture
def sent(monkeypatch):
    sent = []
    monkeypatch.setattr(engine, "kick", lambda *message: sent.append(message))
    return sent


@pytest.fixture
def waiting(person, member, monkeypatch):
    for number in range(3):
        person(last_name="Berg", email=f"{number}@example.com")
    monkeypatch.setattr(batches, "INLINE_LIMIT", 0)
    monkeypatch.setattr(batches, "CHUNK", 1)
    return batches.order(Contact.objects.all(), "source", actor=member, params=IMPORT)


def test_a_batch_is_worked_off(waiting, sent):
    tasks.run_batch(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.done, waiting.changed, sent) == ("done", 3, 3, [])


def test_a_batch_that_takes_longer_than_a_turn_asks_for_another(waiting, sent, monkeypatch):
    monkeypatch.setattr(engine, "TURN_SECONDS", 0)
    tasks.run_batch(waiting.pk)
    assert sent == [("contacts.run_batch", waiting.pk)]


def test_the_sweep_wakes_what_nobody_has_touched_for_half_a_minute(waiting, sent):
    tasks.sweep_batches()
    assert sent == []
    Batch.objects.filter(pk=waiting.pk).update(heartbeat_at=timezone.now() - dt.timedelta(seconds=31))
    tasks.sweep_batches()
    assert sent == [("contacts.run_batch", waiting.pk)]


def test_the_months_ahead_have_their_partitions(db):
    tasks.ensure_partitions()
    assert partitions.ensure() == 0


@pytest.mark.parametrize("today", ["2019-01-01", "2020-02-29", "2020-03-01", "2021-03-31", "2021-12-01"])
def test_yesterday_has_its_partition_on_every_day_of_a_year(db, today):
    """A clock that is set back over the first of a month, or a history that is brought in, must find its month."""
    with time_machine.travel(f"{today}T00:00:01Z", tick=False):
        partitions.ensure(months_ahead=0)
        yesterday = timezone.now() - dt.timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"contacts_contactevent_{yesterday:%Y_%m}"])
        assert cursor.fetchone() == (True,)


def test_sessions_that_have_ended_are_deleted_with_what_they_say(db):
    old, new = SessionStore(), SessionStore()
    for session, days in ((old, -1), (new, 1)):
        session["_messages"] = "Anna Berg was created."
        session.set_expiry(timezone.now() + dt.timedelta(days=days))
        session.save()
    tasks.forget_sessions()
    assert (old.exists(old.session_key), new.exists(new.session_key)) == (False, True)

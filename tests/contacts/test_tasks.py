import datetime as dt

import pytest
from django.utils import timezone

from compliance.orders import source_params
from compliance.rules import Source, SourceType
from contacts import batches, partitions, tasks
from contacts.models import Batch, Contact

IMPORT = source_params(Source(SourceType.IMPORT))


@pytest.fixture
def sent(monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "kick", lambda *message: sent.append(message))
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
    monkeypatch.setattr(batches, "TURN_SECONDS", 0)
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

"""Rows that are queues: tried, let wait longer and longer, given up with words, and never in the way of others."""

import datetime as dt

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.utils import timezone

from compliance.imports import services as import_services
from compliance.imports import working
from contacts import tasks
from contacts.jobs import attempts, batches
from contacts.jobs.acts import ACTS
from contacts.models import Batch, Contact, RootDelivery, Seal, Verification, WorkAttempt
from contacts.sealing import delivery, places, verification
from contacts.sealing import services as sealing
from salesconnect.lib.actor import system
from unsubscribes.crm import tasks as sync_tasks
from unsubscribes.models import SyncRun

SECONDS = sum(attempts.DELAYS)


@pytest.fixture
def waiting(person, member, monkeypatch):
    """Return a function that orders a bulk change for a worker."""
    monkeypatch.setattr(batches, "INLINE_LIMIT", 0)
    for name in "abc":
        person(email=f"{name}@example.com")

    def order(kind="source"):
        params = {"source_type": 1, "source_other": ""}
        return batches.order(Contact.objects.all(), kind, actor=member, params=params)

    return order


@pytest.fixture
def handler(monkeypatch):
    """Return a function that makes another handler carry out the kind `source`."""

    def use(function):
        monkeypatch.setattr(type(ACTS["source"]), "run", lambda _self, *chunk: function(*chunk))

    return use


def broken(*_args, **_options):
    raise ZeroDivisionError


def time_passes():
    WorkAttempt.objects.update(not_before=timezone.now() - dt.timedelta(seconds=1))


def until_it_ends(work):
    """Work again and again as the sweep would; return how often."""
    for number in range(1, 50):
        if work():
            return number
        time_passes()
    raise AssertionError("it never ends")


def test_a_batch_that_always_fails_ends_with_words(waiting, handler):
    handler(broken)
    batch = waiting()
    other = waiting()

    def work():
        assert batches.run(batch.pk) is False
        return Batch.objects.get(pk=batch.pk).ended

    assert until_it_ends(work) == attempts.TRIES
    batch.refresh_from_db()
    assert (batch.state, batch.error, batch.finished_at is not None) == ("failed", attempts.GIVEN_UP, True)
    assert (Batch.objects.get(pk=other.pk).state, WorkAttempt.objects.count()) == ("queued", 0)


def test_between_two_attempts_it_waits_longer_each_time_and_others_do_not(waiting, handler):
    handler(broken)
    batch, other = waiting(), waiting()
    Batch.objects.update(created_at=timezone.now() - dt.timedelta(hours=1))
    delays = []
    for _attempt in range(attempts.TRIES - 1):
        batches.run(batch.pk)
        assert batches.stalled() == [other.pk]
        delays.append(WorkAttempt.objects.get().not_before - timezone.now())
        time_passes()
        assert batches.stalled() == [batch.pk, other.pk]
    assert [round(delay.total_seconds()) for delay in delays] == list(attempts.DELAYS)
    assert SECONDS < 3_600


def test_who_gets_further_begins_to_count_anew(waiting, handler, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 1)
    done = []

    def every_second(contacts, batch, actor):
        done.append(1)
        if len(done) % 2:
            raise ZeroDivisionError
        return batches.Outcome(changed=contacts.count())

    handler(every_second)
    batch = waiting()

    def work():
        batches.run(batch.pk)
        return Batch.objects.get(pk=batch.pk).ended

    assert until_it_ends(work) == 4
    assert (Batch.objects.get(pk=batch.pk).state, WorkAttempt.objects.count()) == ("done", 0)


def test_a_worker_that_dies_each_time_counts_too(waiting, handler):
    def deadly(*_args):
        raise SystemExit

    handler(deadly)
    batch = waiting()

    def work():
        try:
            batches.run(batch.pk)
        except SystemExit:
            return False
        return Batch.objects.get(pk=batch.pk).state == "failed"

    assert until_it_ends(work) == attempts.TRIES + 1


def test_a_database_that_is_away_is_no_attempt(waiting, handler):
    def away(*_args):
        raise OperationalError("server closed the connection")

    handler(away)
    batch = waiting()
    for _turn in range(2 * attempts.TRIES):
        with pytest.raises(OperationalError):
            batches.run(batch.pk)
    assert (Batch.objects.get(pk=batch.pk).state, WorkAttempt.objects.count()) == ("queued", 0)


def test_who_finds_another_worker_there_counts_nothing(waiting, handler, monkeypatch):
    monkeypatch.setattr(batches, "_next_chunk", lambda *_args: False)
    batch = waiting()
    for _turn in range(2 * attempts.TRIES):
        assert batches.run(batch.pk) is False
    assert WorkAttempt.objects.count() == 0


def test_an_import_at_which_workers_die_ends_with_words(db, administrator, monkeypatch):
    def deadly(*_args, **_options):
        raise SystemExit

    monkeypatch.setattr(working, "take_in", deadly)
    file = ContentFile(b"Email\r\nanna@example.com\r\n")
    job = import_services.start(file, "x.csv", actor=administrator)

    def work():
        try:
            working.run(job.pk)
        except SystemExit:
            return False
        job.refresh_from_db()
        return job.ended

    assert until_it_ends(work) == attempts.TRIES + 1
    assert (job.state, job.error) == ("failed", attempts.GIVEN_UP)


def test_a_verification_that_cannot_be_carried_out_says_so_and_nothing_of_an_event(person, monkeypatch):
    monkeypatch.setattr(verification, "_compare_events", broken)
    person()
    row = verification.begin(actor=system("task"))

    def work():
        tasks.verify_history(row.pk)
        row.refresh_from_db()
        return row.finished_at

    assert until_it_ends(work) == attempts.TRIES
    assert (row.good, row.problem, row.bad_event, verification.running()) == (False, "broken", None, None)
    assert verification.stalled() == []
    assert Verification.objects.count() == 1


def test_a_run_of_the_sync_at_which_workers_die_ends(db, monkeypatch):
    class Deadly:
        def __init__(self, run):
            pass

        def go(self):
            raise SystemExit

    monkeypatch.setattr(sync_tasks, "Running", Deadly)
    run = SyncRun.objects.create(kind="full", actor_name="x")

    def work():
        try:
            sync_tasks.run_salesforce(run.pk)
        except SystemExit:
            return False
        run.refresh_from_db()
        return run.finished_at

    assert until_it_ends(work) == attempts.TRIES + 1
    assert (run.state, run.message) == ("failed", "killed")


def test_a_root_that_cannot_be_sent_one_way_goes_the_others_and_waits(person, monkeypatch, administrator):
    sent = []
    monkeypatch.setitem(delivery.CHANNELS, places.MAIL, delivery.Channel(dt.timedelta(days=1), broken))
    good = delivery.Channel(dt.timedelta(), lambda _seal, target: sent.append(target))
    monkeypatch.setitem(delivery.CHANNELS, places.WEBHOOK, good)
    places.change(
        {"mail_to": "a@example.com", "webhook_url": "https://example.com/x", "timestamp_url": ""}, actor=administrator
    )
    person()
    sealing.seal_open()
    assert Seal.objects.exists()
    assert delivery.send_due() == 1
    row = RootDelivery.objects.get(way=places.MAIL)
    assert (row.attempts, row.error, sent) == (1, "ZeroDivisionError", ["https://example.com/x"])
    assert row.not_before > timezone.now()

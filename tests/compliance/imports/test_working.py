import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from django.core.files.base import ContentFile
from django.db import connection, connections
from django.utils import timezone, translation
from django.utils.translation import get_language

from compliance.imports import chunking, import_jobs, pipeline, working
from compliance.models import ComplianceCard, ImportJob, ImportReject, ImportSeen
from contacts.jobs import engine
from contacts.jobs.batches import user_actor
from contacts.models import Contact, ContactEvent
from salesconnect.lib.csv import RowError
from salesconnect.lib.errors import Conflict, Forbidden, Invalid
from tests.importing import counts

FILE = "".join(["Email\r\n", *(f"{number}@example.se\r\n" for number in range(1_000))]).encode()
# A worker in a process of its own, on the database of the tests.
WORKER = """
import sys, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from compliance.imports import chunking, working
chunking.CHUNK_ROWS = 50
while working.run(int(sys.argv[2])):
    pass
"""


class Killed(BaseException):
    """What no handler catches, as a process that ends."""


@pytest.fixture
def started(member):
    """Return a function that starts an import that no worker has seen yet."""
    return lambda content=FILE: import_jobs.start(ContentFile(content), "people.csv", actor=member)


def fresh(job: ImportJob) -> ImportJob:
    return ImportJob.objects.get(pk=job.pk)


def everybody_came_in_once() -> bool:
    """Tell whether each person of FILE is there once, with a card and one event that names the right line."""
    addresses = Contact.objects.values_list("email", flat=True)
    events = ContactEvent.objects.filter(action="created").values_list("contact_id", "changes__line")
    lines = {pk: int(email.partition("@")[0]) + 2 for pk, email in Contact.objects.values_list("pk", "email")}
    return (
        Counter(addresses) == Counter(f"{number}@example.se" for number in range(1_000))
        and ComplianceCard.objects.count() == 1_000
        and Counter(events) == Counter(lines.items())
    )


@pytest.mark.parametrize("step", ["_lock", "_create", "_update"])
def test_what_was_begun_when_the_worker_died_is_not_there_and_the_next_one_goes_on(started, monkeypatch, step):
    monkeypatch.setattr(chunking, "CHUNK_ROWS", 300)
    job, done = started(), []
    act = getattr(pipeline, step)

    def die_in_the_third_chunk(*args):
        done.append(args)
        result = act(*args)
        if len(done) == 3:
            raise Killed
        return result

    monkeypatch.setattr(pipeline, step, die_in_the_third_chunk)
    with pytest.raises(Killed):
        working.run(job.pk)
    assert (fresh(job).done, fresh(job).line, Contact.objects.count()) == (600, 601, 600)
    assert (working.run(job.pk), counts(fresh(job))) == (False, (1_000, 1_000, 0, 0, 0))
    assert everybody_came_in_once()


@pytest.mark.race
@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("after", [0, 150, 400, 750])
def test_a_worker_killed_at_any_moment_leaves_no_row_out_and_none_done_twice(started, after):
    job = started()
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, connection.settings_dict["NAME"], str(job.pk)],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
    )
    while fresh(job).done <= after and worker.poll() is None:
        time.sleep(0.001)
    worker.send_signal(signal.SIGKILL)
    assert worker.wait() == -signal.SIGKILL
    assert after < fresh(job).done < 1_000
    deadline = time.monotonic() + 30
    while not fresh(job).ended and time.monotonic() < deadline:
        working.run(job.pk)
    assert counts(fresh(job)) == (1_000, 1_000, 0, 0, 0)
    assert everybody_came_in_once()


@pytest.mark.race
@pytest.mark.usefixtures("transactional_db")
def test_two_workers_on_one_import_do_each_row_once(started, monkeypatch):
    monkeypatch.setattr(chunking, "CHUNK_ROWS", 20)
    job = started()

    def work():
        while not fresh(job).ended:
            working.run(job.pk)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (fresh(job).state, counts(fresh(job))) == ("done", (1_000, 1_000, 0, 0, 0))
    assert everybody_came_in_once()


@pytest.mark.race
@pytest.mark.usefixtures("transactional_db")
def test_two_imports_of_the_same_people_at_once_create_each_once(started, monkeypatch):
    monkeypatch.setattr(chunking, "CHUNK_ROWS", 100)
    header, *rows = FILE.splitlines(keepends=True)
    jobs = [started(), started(header + b"".join(reversed(rows)))]

    def work(job):
        while working.run(job.pk):
            pass
        connections.close_all()

    workers = [threading.Thread(target=work, args=[job]) for job in jobs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ended = [fresh(job) for job in jobs]
    assert [job.state for job in ended] == ["done", "done"]
    assert [job.done for job in ended] == [1_000, 1_000]
    assert sum(job.created for job in ended) == Contact.objects.count() == 1_000


def test_a_chunk_that_somebody_overtakes_is_done_again_with_the_newer_values(take_in, person, monkeypatch):
    anna = person(email="anna@example.se", phone="1", company="Old AB")
    lock, calls = pipeline._lock, []

    def after_an_edit():
        calls.append(1)
        if len(calls) == 1:
            ComplianceCard.objects.filter(pk=anna.pk).update(version=7)
        return lock()

    monkeypatch.setattr(pipeline, "_lock", after_an_edit)
    job = take_in("Email,Phone", "anna@example.se,2", "bo@example.se,3")
    assert (counts(job), calls) == ((2, 1, 1, 0, 0), [1, 1])
    assert Contact.objects.get(pk=anna.pk).phone == "2"


def test_an_import_begun_anew_stops_the_worker_of_the_reading_before(started, member):
    job = import_jobs.start(ContentFile(FILE), "people.csv", actor=member, dry_run=True)
    chunk = chunking.Chunk(last_line=2)
    import_jobs.begin(job.pk, actor=member, dry_run=False)
    assert working._work_off(job, chunk, member) is False


def test_a_right_withdrawn_meanwhile_stops_the_import(started, bob):
    job = started()
    bob.is_active = False
    bob.save()
    assert working.run(job.pk) is False
    assert (fresh(job).state, fresh(job).error) == ("failed", "The right to do this was withdrawn meanwhile.")
    assert Contact.objects.count() == 0


def test_a_file_that_is_gone_fails_the_import_in_words(started):
    job = started()
    job.file.storage.delete(job.file.name)
    assert working.run(job.pk) is False
    assert (fresh(job).state, fresh(job).error) == ("failed", "The file can no longer be read.")


def test_what_nobody_foresaw_fails_the_import_instead_of_trying_for_ever(started, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError

    monkeypatch.setattr(working, "process_chunk", broken)
    job = started()
    assert working.run(job.pk) is False
    assert (fresh(job).state, ImportSeen.objects.count()) == ("failed", 0)


def test_an_import_without_a_sign_of_life_is_found_within_half_a_minute(started):
    stalled, fine, unbegun = started(), started(), started()
    old = timezone.now() - dt.timedelta(seconds=31)
    ImportJob.objects.filter(pk=stalled.pk).update(heartbeat_at=old, state="running")
    ImportJob.objects.filter(pk=unbegun.pk).update(heartbeat_at=None, attempt=0)
    assert engine.stalled(working.QUEUE) == [stalled.pk]
    assert not fine.ended


def test_the_file_of_an_import_is_removed_when_all_of_it_is_in(take_in, started):
    done, running = take_in("Email", "anna@example.com"), started()
    storage = done.file.storage
    assert working.forget_old() == 1
    assert (storage.exists(done.file.name), storage.exists(running.file.name)) == (False, True)


def test_previewed_files_and_rejected_rows_are_forgotten_after_a_month(take_in):
    job = take_in("Email", "no address", dry_run=True)
    storage, name = job.file.storage, job.file.name
    assert (working.forget_old(), storage.exists(name), ImportReject.objects.count()) == (0, True, 1)
    ImportJob.objects.update(created_at=timezone.now() - dt.timedelta(days=31))
    assert (working.forget_old(), storage.exists(name)) == (1, False)
    assert ImportReject.objects.count() == 0
    assert fresh(job).rejected == 1


def test_files_that_were_never_begun_or_were_cancelled_are_forgotten_too(member, started):
    unbegun, cancelled = import_jobs.receive(ContentFile(FILE), "people.csv", actor=member), started()
    import_jobs.cancel(cancelled.pk, actor=member)
    assert working.forget_old() == 1
    assert (bool(fresh(unbegun).file), bool(fresh(cancelled).file)) == (True, False)
    ImportJob.objects.update(created_at=timezone.now() - dt.timedelta(days=31))
    assert (working.forget_old(), bool(fresh(unbegun).file)) == (1, False)


def test_reasons_are_given_in_the_language_of_who_ordered(take_in, monkeypatch):
    monkeypatch.setattr(chunking, "clean_row", lambda _values, today: RowError(f"{get_language()} {today.year > 2000}"))
    with translation.override("sv"):
        job = take_in("Email", "no address")
    assert (job.language, job.rejects.get().reason) == ("sv", "sv True")


def test_an_auditor_may_not_import(auditor):
    with pytest.raises(Forbidden):
        import_jobs.start(ContentFile(FILE), "people.csv", actor=auditor)
    assert ImportJob.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "mapping", "fields"),
    [
        (b"", None, ["file"]),
        (b"Colour,Size\r\nred,1\r\n", None, ["file"]),
        (FILE, {"Nothing": "email"}, ["mapping"]),
        (FILE, {"Email": "shoe_size"}, ["mapping"]),
    ],
)
def test_a_file_or_mapping_that_does_not_fit_is_refused(member, content, mapping, fields):
    with pytest.raises(Invalid) as refusal:
        import_jobs.start(ContentFile(content), "people.csv", actor=member, mapping=mapping)
    assert list(refusal.value.fields) == fields
    assert ImportJob.objects.count() == 0


def test_an_ended_import_cannot_be_cancelled(take_in, member):
    job = take_in("Email", "a@example.se")
    with pytest.raises(Conflict):
        import_jobs.cancel(job.pk, actor=member)


def test_the_worker_knows_who_ordered(started, bob):
    assert working._actor_of(started()) == user_actor(bob, "import")

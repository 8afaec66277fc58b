"""What is sealed when: late commits, killed workers, erasures at the same moment."""

import os
import signal
import subprocess
import sys
from threading import Event, Thread

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from contacts import tasks
from contacts.events import history as events
from contacts.models import Contact, ContactEvent, Seal, SealedLeaf
from contacts.sealing import published, sealing
from exports.erasure import erasure
from salesconnect.lib.actor import system
from tests.products.product import ROOT
from unsubscribes.merging.merge import merge

committing = [
    pytest.mark.race,
    pytest.mark.django_db(transaction=True),
]


def record(*contact_ids):
    events.record(contact_ids, events.EXPORTED, actor=system("command"), changes={"reason": (None, "Audit")})


def numbers():
    return list(ContactEvent.objects.order_by("id").values_list("id", flat=True))


def sealed():
    return list(SealedLeaf.objects.order_by("event_id").values_list("event_id", flat=True))


def test_what_is_there_is_sealed_once(db, verdict):
    record(1, 2, 3)
    assert sealing.seal_open() == sealing.Sealed(1, 3)
    assert sealing.seal_open() == sealing.Sealed(0, 0)
    assert (sealed(), verdict()) == (numbers(), "good")


def test_many_events_become_many_linked_seals(db, verdict, monkeypatch):
    monkeypatch.setattr(sealing, "SEAL_SIZE", 10)
    record(*range(35))
    assert sealing.seal_open() == sealing.Sealed(4, 35)
    seals = list(Seal.objects.all())
    assert [seal.events for seal in seals] == [10, 10, 10, 5]
    assert [bytes(seal.previous) for seal in seals[1:]] == [bytes(seal.root) for seal in seals[:-1]]
    assert [seal.settled for seal in seals] == [*numbers()[9:30:10], numbers()[-1]]
    assert verdict() == "good"


def test_the_turn_of_a_worker_is_bounded_and_the_next_goes_on(db, verdict, monkeypatch):
    monkeypatch.setattr(sealing, "SEAL_SIZE", 10)
    record(*range(35))
    assert sealing.seal_open(pieces=2) == sealing.Sealed(2, 20)
    assert sealing.seal_open(pieces=2) == sealing.Sealed(2, 15)
    assert verdict() == "good"


def test_the_same_event_has_another_leaf_each_time_it_is_sealed(db):
    record(1, 1)
    sealing.seal_open()
    first, second = SealedLeaf.objects.order_by("event_id")
    assert (first.salt, bytes(first.commitment)) != (second.salt, bytes(second.commitment))


class Writer(Thread):
    """A transaction that writes an event and stays open until it is told to end."""

    def __init__(self):
        super().__init__()
        self.written, self.end = Event(), Event()
        self.start()
        assert self.written.wait(10)

    def run(self):
        with transaction.atomic():
            record(1)
            self.written.set()
            self.end.wait(30)
        connection.close()

    def commit(self):
        self.end.set()
        self.join()


class TestLateCommits:
    pytestmark = committing

    def test_an_event_that_commits_after_later_ones_were_sealed_is_sealed_then(self, verdict):
        late = Writer()
        record(2, 3)
        later = numbers()
        assert sealing.seal_open() == sealing.Sealed(1, 2)
        assert Seal.objects.get().settled < later[0] - 1
        record(4)
        assert sealing.seal_open() == sealing.Sealed(1, 1)
        late.commit()
        assert numbers()[0] == later[0] - 1
        assert sealing.seal_open() == sealing.Sealed(1, 1)
        assert (sealed(), verdict()) == (numbers(), "good")

    def test_what_was_settled_moves_on_once_the_late_one_has_ended(self, verdict):
        late = Writer()
        record(2)
        sealing.seal_open()
        late.commit()
        sealing.seal_open()
        record(5)
        sealing.seal_open()
        assert sealing.last_settled() >= numbers()[-2]
        record(6)
        sealing.seal_open()
        assert (sealing.last_settled(), verdict()) == (numbers()[-1], "good")

    def test_writers_do_not_wait_for_the_sealing_nor_the_sealing_for_them(self):
        late = Writer()
        with transaction.atomic():
            sealing.seal_next(None, 0)
            early = Writer()
            early.commit()
        late.commit()
        assert sealing.seal_open().events == 2

    def test_an_erasure_at_the_same_moment_leaves_no_salt_for_values_that_are_gone(self, person, member, verdict):
        anna = person(email="anna@example.com", other="Met at the fair")
        record(anna.pk)
        done = Event()

        def erase():
            erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
            done.set()
            connection.close()

        with transaction.atomic():
            sealing.seal_next(None, 0)
            thread = Thread(target=erase)
            thread.start()
            assert not done.wait(0.5)
        thread.join()
        assert SealedLeaf.objects.filter(salt=None).exists()
        assert verdict() == "good"


def test_an_event_that_was_scrubbed_before_it_was_sealed_is_sealed_as_it_is(person, member, verdict):
    anna = person(email="anna@example.com", other="Met at the fair")
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    sealing.seal_open()
    assert verdict() == "good"


def test_erasing_a_person_who_took_in_another_leaves_the_history_verifiable(person, member, verdict):
    anna, twin = person(email="anna@example.com"), person(email="anna2@example.com", last_name="Berg")
    record(anna.pk, twin.pk)
    merge(anna.pk, twin.pk, actor=member)
    sealing.seal_open()
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert verdict() == "good"
    assert SealedLeaf.objects.filter(salt=None).count() > 1


CHILD = """
import os, signal, sys
import django
django.setup()
from contacts.sealing import sealing
sealing.SEAL_SIZE = 10
moment, close, turns = sys.argv[1], sealing._close, []
def killed(*args):
    turns.append(args)
    if moment == "before the seal" and len(turns) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    close(*args)
    if moment == "before the commit" and len(turns) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
sealing._close = killed
from django.core.management import call_command
call_command("seal_history")
"""


class TestKilled:
    pytestmark = committing

    @pytest.mark.parametrize("moment", ["before the seal", "before the commit"])
    def test_a_killed_sealing_leaves_whole_seals_and_the_next_goes_on(self, moment, verdict):
        record(*range(55))
        environment = os.environ | {
            "SALESCONNECT_TEST_DATABASE": connection.settings_dict["NAME"],
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        child = subprocess.run([sys.executable, "-c", CHILD, moment], cwd=ROOT, env=environment, check=False)
        assert child.returncode == -signal.SIGKILL
        assert list(Seal.objects.values_list("number", "events")) == [(1, 10), (2, 10)]
        assert verdict() == "good"
        assert sealing.seal_open() == sealing.Sealed(1, 35)
        assert (sealed(), verdict()) == (numbers(), "good")


def test_the_roots_are_appended_to_a_file_a_line_a_seal(history):
    assert published.append() == 1
    record(1)
    call_command("seal_history")
    lines = published.file().read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [
        [str(seal.number), bytes(seal.root).hex()] for seal in Seal.objects.all()
    ]


def test_a_line_that_a_crash_cut_short_is_written_anew(history):
    published.append()
    whole = published.file().read_bytes()
    published.file().write_bytes(whole[:-30])
    assert published.append() == 1
    assert published.file().read_bytes() == whole


def test_the_worker_seals_and_publishes_each_minute(history):
    record(1, 2)
    tasks.seal_history()
    assert sealed() == numbers()
    assert len(published.file().read_text().splitlines()) == 2

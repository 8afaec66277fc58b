"""Workers that are killed after each step, two at once, and random edits on both sides under random faults."""

import os
import random
import signal
import subprocess
import sys

import pytest
from django.db import connection

from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.lib.actor import system
from tests.products.product import ROOT
from tests.soak import seeds, sized
from tests.unsubscribes.crm.conftest import is_out
from unsubscribes.crm.models import OutboxEntry, SyncNotice
from unsubscribes.crm.runs import leases

STEPS = sized(6, 30)
PEOPLE = 6

pytestmark = [
    pytest.mark.soak,
    pytest.mark.race,
    pytest.mark.django_db(transaction=True),
]
# What a killed worker leaves is taken up once its lease is over; the tests do not wait for that.
KILLED_AT = {
    "after the entries": ("unsubscribes.crm.outbox.outbox", "lease", "before"),
    "after the lease": ("unsubscribes.crm.salesforce.api.client", "Client.update", "before"),
    "after the write": ("unsubscribes.crm.writing.settling", "settle", "before"),
    "after the settling": ("unsubscribes.crm.writing.settling", "settle", "after"),
    "before a page": ("unsubscribes.crm.reading.applying", "apply", "before"),
    "inside a page's transaction": ("unsubscribes.crm.reading.applying", "apply", "after"),
    "after a page": ("unsubscribes.crm.reading.pull", "Pull._count", "after"),
}
# The steps of a read of everything and of linking; those of a re-consent. `make test` takes the first of each.
KILLED_IN_FULL = {
    "before a page of everything": ("unsubscribes.crm.reading.pull", "Pull._apply_full", "before"),
    "after a page of everything": ("unsubscribes.crm.reading.pull", "Pull._apply_full", "after"),
    "before the watermark moves": ("unsubscribes.crm.reading.pull", "Pull._finish", "before"),
    "after the notices": ("unsubscribes.crm.outbox.outbox", "collect", "after"),
    "before linking": ("unsubscribes.crm.people.linking", "link", "before"),
    "after linking": ("unsubscribes.crm.people.linking", "link", "after"),
}
KILLED_IN_RETURN = {
    "after the box was cleared": ("unsubscribes.crm.salesforce.api.client", "Client.change", "after"),
    "before the box is cleared": ("unsubscribes.crm.salesforce.api.client", "Client.change", "before"),
    "after the record was read": ("unsubscribes.crm.writing.clearing", "_read_now", "after"),
    "before it is settled": ("unsubscribes.crm.writing.settling", "written", "before"),
    "after it is settled": ("unsubscribes.crm.writing.settling", "written", "after"),
}
SAMPLE = sized(1, None)
CHILD = """
import importlib, os, signal, sys
import django
django.setup()
module, path, moment = sys.argv[1:4]
place = importlib.import_module(module)
*outer, name = path.split(".")
for each in outer:
    place = getattr(place, each)
act = getattr(place, name)
def killed(*args, **kwargs):
    if moment == "after":
        act(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(place, name, killed)
from django.core.management import call_command
call_command("sync_salesforce", *sys.argv[4:])
"""


def command(*words: str) -> subprocess.CompletedProcess:
    """Run a program on this test's database."""
    environment = os.environ | {
        "SALESCONNECT_TEST_DATABASE": connection.settings_dict["NAME"],
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SALESFORCE_LOGIN_URL": "",
    }
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def leases_run_out() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE unsubscribes_synclease SET until = now() - interval '1 second'")
        cursor.execute("UPDATE unsubscribes_outboxentry SET leased_until = now() - interval '1 second'")
        cursor.execute("UPDATE unsubscribes_outboxentry SET due_at = now() WHERE state IN ('pending', 'retry')")


@pytest.fixture
def both_ways(org, connected, sync, person, unsubscribe):
    """Return two people and their records: Anna opted out here, Bo there, and nobody has heard of it yet."""
    anna, bo = person(email="anna@example.com"), person(email="bo@example.com", last_name="Bo")
    ids = org.create("Contact", *({"LastName": "X", "Email": who.email} for who in (anna, bo)))
    sync()
    unsubscribe(anna)
    org.opt_out(ids[1])
    return anna, bo, ids


@pytest.mark.parametrize("step", KILLED_AT)
def test_a_killed_run_loses_nothing(org, both_ways, sync, step):
    anna, bo, ids = both_ways
    killed = command("-c", CHILD, *KILLED_AT[step])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    leases_run_out()
    assert sync().state == "done"
    assert (is_out(anna), is_out(bo), org.opted_out()) == (True, True, set(ids))
    assert not OutboxEntry.objects.exclude(state__in=("done", "superseded")).exists()


@pytest.mark.parametrize("step", list(KILLED_IN_FULL)[:SAMPLE])
def test_a_killed_read_of_everything_loses_nothing(org, both_ways, sync, step):
    anna, bo, ids = both_ways
    killed = command("-c", CHILD, *KILLED_IN_FULL[step], "--full")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    leases_run_out()
    assert sync().state == "done"
    assert (is_out(anna), is_out(bo), org.opted_out()) == (True, True, set(ids))


@pytest.mark.parametrize("step", list(KILLED_IN_RETURN)[:SAMPLE])
def test_a_killed_return_of_a_consent_neither_loses_nor_invents_one(org, both_ways, sync, consent, step):
    anna, _bo, ids = both_ways
    sync()
    consent(anna)
    killed = command("-c", CHILD, *KILLED_IN_RETURN[step])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    leases_run_out()
    assert sync().state == "done"
    assert (is_out(anna), org.opted_out()) == (False, {ids[1]})
    assert not OutboxEntry.objects.exclude(state__in=("done", "superseded")).exists()


def test_the_command_syncs_and_says_so(org, both_ways):
    done = command("manage.py", "sync_salesforce")
    assert (done.returncode, done.stdout[:4]) == (0, "done"), done.stderr
    assert org.opted_out() == set(both_ways[2])


def test_two_workers_at_once_write_each_record_once(org, both_ways):
    workers = [
        subprocess.Popen(
            [sys.executable, "manage.py", "sync_salesforce"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            env=os.environ
            | {
                "SALESCONNECT_TEST_DATABASE": connection.settings_dict["NAME"],
                "DJANGO_SETTINGS_MODULE": "tests.settings",
            },
        )
        for _worker in range(2)
    ]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    # One that was read just before the other wrote it is asked for again, rather than taken for written.
    entries = OutboxEntry.objects.filter(state="done").count()
    assert (len(org.journal(method="PATCH")), len(org.journal(path="oauth2/token"))) == (entries, 1)


def test_a_lease_that_is_held_is_respected_and_one_that_ran_out_is_not(db):
    with leases.held("read") as first, leases.held("read") as second:
        assert (first is None, second is None) == (False, True)
        leases_run_out()
        with leases.held("read") as third:
            assert third is not None


@pytest.mark.parametrize("seed", seeds(8, 60))
def test_both_sides_agree_when_all_is_quiet_and_no_opt_out_is_lost(org, sync, person, consent, seed):
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    people = [person(email=f"p{n}@example.com", last_name=f"P{n}") for n in range(PEOPLE)]
    ids = org.create("Contact", *({"LastName": "X", "Email": who.email} for who in people * 2))
    sync()
    said: dict[int, str] = {}
    for _step in range(STEPS):
        act(chance, org, sync, consent, people, ids, said)
    quiet(org, sync)
    ticked = org.opted_out()
    for place, who in enumerate(people):
        boxes = {ids[place] in ticked, ids[place + PEOPLE] in ticked}
        assert boxes == {is_out(who)}
        assert is_out(who) or said.get(who.pk) != "no"


def act(chance, org, sync, consent, people, ids, said) -> None:  # noqa: PLR0917 - one scene
    """Let one thing happen: an opt-out here or there, a new consent, a cleared box, a fault, or a sync."""
    place = chance.randrange(PEOPLE)
    who = people[place]
    match chance.randrange(7):
        case 0:
            suppression.unsubscribe(Contact.objects.filter(pk=who.pk), actor=system("page"), source="manual")
            said[who.pk] = "no"
        case 1:
            org.clock(advance=3)
            org.opt_out(ids[place + PEOPLE * chance.randrange(2)])
            said[who.pk] = "no"
        case 2 if is_out(who):
            quiet(org, sync)
            consent(who)
            said[who.pk] = "yes"
            org.clock(advance=3)
        case 3:
            org.edit(ids[place], {"Title": "Chief"})
        case 4:
            deed = chance.choice(["drop_before", "drop_after", "truncate"])
            org.fault(deed, match={"path": chance.choice(["composite$", "composite/sobjects", "queryAll"])})
        case _:
            sync(chance.choice(["pull", "push", "both"]))


def quiet(org, sync) -> None:
    """Sync until nothing is left to do."""
    org.clear_faults()
    for _cycle in range(5):
        run = sync()
        waiting = SyncNotice.objects.exists() or OutboxEntry.objects.filter(state__in=("pending", "retry")).exists()
        if run.state == "done" and not run.changed and not run.written and not waiting:
            return
    raise AssertionError((run.state, run.message))

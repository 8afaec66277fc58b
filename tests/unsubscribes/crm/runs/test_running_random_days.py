"""Random days on both sides, with all that goes wrong: no "no" is lost, none made up, nothing asked without end."""

import datetime as dt
import random
import signal

import pytest
from django.db.models import Q

from tests.soak import KILLS, SOAK, seeds, sized
from tests.unsubscribes.crm.runs.test_running_crashes import CHILD, KILLED_AT, KILLED_IN_FULL, command, leases_run_out
from tests.unsubscribes.crm.world import World
from unsubscribes.crm import tasks
from unsubscribes.crm.models import OutboxEntry, SyncConnection, SyncNotice, SyncRun
from unsubscribes.crm.people import erasing
from unsubscribes.crm.writing.push import retry_dead

pytestmark = [pytest.mark.soak, pytest.mark.race, pytest.mark.django_db(transaction=True)]

STEPS = sized(30, 60)
# Requests of one turn in this small world: pages, tries after misfortunes, records that were looked up.
CALLS = 60
THERE = (
    "tick",
    "tick",
    "tick_in_flight",
    "land",
    "clear",
    "rename",
    "readdress",
    "delete",
    "undelete",
    "merge",
    "convert",
)
HERE = ("unsubscribe", "consent_again", "move", "erase", "come")
FATE = ("fault", "refusal")
TURNS = ("pull", "push", "push", "both", "whole", "killed")


@pytest.fixture
def world(org, sync, person, consent, request):
    """Return a world in which everybody is known to both sides."""
    chance = random.Random(request.param)  # noqa: S311 - to be repeated
    world = World(org, chance, person, consent)
    world.found()
    sync()
    return world


@pytest.mark.parametrize("world", seeds(6, 60), indirect=True)
def test_no_word_is_lost_and_none_is_made_up(org, sync, world, record_property):
    for _step in range(STEPS):
        name = world.chance.choice([*THERE, *THERE, *HERE, *FATE, *TURNS, *TURNS])
        world.log.append(name)
        if name == "consent_again":
            quiet(world, sync)
        if name in TURNS:
            turn(world, sync, name)
        else:
            getattr(world, name)()
        org.clock(advance=3)
    record_property(KILLS, world.kills)
    world.log.append("quiet")
    quiet(world, sync, mended=False)
    sync(full=True)
    quiet(world, sync, mended=False)
    world.check_words()
    world.check_entries()
    quiet(world, sync)
    world.check_words()
    world.check_boxes()
    erasing.forget(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))


def turn(world: World, sync, name: str) -> None:
    """Let the worker do one turn, an hour after the last; whatever it meets, it asks only so often."""
    before = SyncRun.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    OutboxEntry.objects.filter(state="retry").update(due_at="2020-01-01T00:00Z")
    SyncConnection.objects.exclude(state="active").update(state="active", paused_until=None)
    asked = len(world.org.journal())
    if name in ("pull", "both"):
        tasks.pull_salesforce()
    if name in ("push", "both"):
        tasks.push_salesforce()
    if name == "whole":
        sync("pull", full=True)
    if name == "killed":
        killed(world)
    assert len(world.org.journal()) - asked <= CALLS, world.log
    runs = SyncRun.objects.filter(pk__gt=before)
    if runs.filter(kind__in=("pull", "full"), state="done").exists():
        world.read()


def killed(world: World) -> None:
    """Kill a worker in the middle, and let its leases run out."""
    if SOAK:
        step = world.chance.choice([*KILLED_AT.values(), *KILLED_IN_FULL.values()])
        world.kills += command("-c", CHILD, *step).returncode == -signal.SIGKILL
    leases_run_out()


def quiet(world: World, sync, *, mended: bool = True) -> None:
    """Sync until nothing is left to do; `mended` says that whatever refused a record is mended too."""
    world.land()
    if mended:
        world.org.clear_faults()
        retry_dead(Q())
    leases_run_out()
    for _cycle in range(12):
        run = sync()
        waits = OutboxEntry.objects.filter(state__in=("pending", "retry"))
        waiting = SyncNotice.objects.exists() or (mended and waits.exists())
        if run.state == "done" and not run.changed and not run.written and not waiting:
            world.read()
            return
    raise AssertionError((run.state, run.message, world.log))

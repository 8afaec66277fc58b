"""Verification: everything is recomputed, in a straight line and constant memory, and the first bad event is named.

First the events against their leaves, window by window of numbers; then the leaves against their trees, seal by seal,
each linked to the one before; then the seals against the roots that were written to the file.
"""

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from contacts.jobs import engine
from contacts.models import Seal, SealedLeaf, Verification
from contacts.sealing import published, tree
from contacts.sealing.leaves import COMMITMENT, HASH
from contacts.sealing.sealing import last_settled
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import statement
from salesconnect.lib.kick import kick

WINDOW = 20_000
TASK = "contacts.verify_history"
FIRST = -(2**63)

Problem = Verification.Problem

# The numbers and the times of events come from one statement, so they run alike; an hour is for clocks that were set.
# Windows end where leaves do, so the last, open one holds what is not sealed yet.
WINDOW_END = (
    "SELECT max(event_id) FROM (SELECT event_id FROM contacts_sealedleaf WHERE event_id > %s ORDER BY 1 LIMIT %s) w"
)
COMPARE = statement(__file__, "compare_events", hash=HASH, commitment=COMMITMENT)
LEAVES = "SELECT position, hash, event_id FROM contacts_sealedleaf WHERE seal_number = %s ORDER BY position"


@dataclass(frozen=True, slots=True)
class Finding:
    problem: str
    event: int | None


def last() -> Verification | None:
    """Return the last verification that came to its end; None when there was none yet."""
    return Verification.objects.exclude(good=None).order_by("-pk").first()


def running() -> Verification | None:
    return Verification.objects.filter(good=None).order_by("-pk").first()


@transaction.atomic
def order(*, actor: Actor) -> Verification:
    """Have the history verified by a worker; one that is under way is returned instead of a second."""
    actor.require("verify_history")
    verification = running() or begin(actor=actor)
    kick(TASK, verification.pk)
    return verification


def begin(*, actor: Actor) -> Verification:
    actor.require("verify_history")
    return Verification.objects.create(user_id=actor.user_id, actor_name=actor.name)


def work(verification_id: int, seconds: float | None = None) -> bool:
    """Verify for a turn; returns whether something is left. What is checked stays checked when a worker is killed."""
    return engine.steps(lambda: _step(verification_id), seconds)


def _open() -> QuerySet[Verification]:
    return Verification.objects.filter(good=None)


def _progress(verification_id: int) -> str:
    row = Verification.objects.get(pk=verification_id)
    return f"{row.good} {row.after_event} {row.events_done} {row.after_seal}"


def _give_up(verification_id: int, _words: str) -> None:
    """End a verification that cannot be carried out: it says nothing good, and nothing of any event."""
    # A verification has what it found instead of a state, and nobody cancels what nobody else waits for.
    open_one = Verification.objects.filter(pk=verification_id, good=None)
    open_one.update(good=False, problem=Problem.BROKEN, bad_event=None, finished_at=Now())


QUEUE = engine.Queue("verification", TASK, _open, work, _progress, _give_up, silent_seconds=90, began="started_at")


@transaction.atomic
def _step(verification_id: int) -> bool:
    """Check one window or one seal; False when it is over, or somebody else is at it."""
    row = engine.claim(Verification.objects.filter(pk=verification_id, good=None)).first()
    if row is None:
        return False
    bad = _check_seal(row) if row.events_done else _compare_events(row)
    if bad:
        row.good, row.problem, row.bad_event, row.finished_at = False, bad.problem, bad.event, Now()
    row.heartbeat_at = Now()
    row.save()
    return row.good is None


def _compare_events(row: Verification) -> Finding | None:
    after = row.after_event if row.after_event is not None else FIRST
    with connection.cursor() as cursor:
        cursor.execute(WINDOW_END, [after, WINDOW])
        edge = cursor.fetchone()[0]
        values = {
            "after": after,
            "edge": edge if edge is not None else -FIRST - 1,
            "newest": row.newest_at,
            "settled": last_settled(),
        }
        cursor.execute(COMPARE, values)
        number, unsealed, newest, bad_event, problem = cursor.fetchone()
    row.events += number
    row.unsealed += unsealed
    row.newest_at = newest or row.newest_at
    row.after_event, row.events_done = edge, edge is None
    return Finding(problem, bad_event) if problem else None


def _check_seal(row: Verification) -> Finding | None:
    before, seal = (Seal.objects.filter(pk=number).first() for number in (row.after_seal, row.after_seal + 1))
    if seal is None:
        row.good, row.finished_at = True, Now()
        return _after_last_seal(row.after_seal) or _differs_from_published()
    row.after_seal = seal.number
    with connection.cursor() as cursor:
        cursor.execute(LEAVES, [seal.number])
        leaves = cursor.fetchall()
    first = min((event for _position, _hash, event in leaves), default=None)
    if before and bytes(seal.previous) != bytes(before.root):
        return Finding(Problem.LINK, first)
    if before and first is not None and first <= before.settled:
        return Finding(Problem.SLIPPED_IN, first)
    top = tree.tree_root(bytes(hashed) for _position, hashed, _event in leaves)
    whole = [position for position, _hash, _event in leaves] == list(range(seal.events))
    at, previous = tree.moment(seal.sealed_at), bytes(seal.previous)
    root = tree.seal_hash(seal.number, top, previous, events=seal.events, settled=seal.settled, sealed_at=at)
    good = whole and top == bytes(seal.tree) and root == bytes(seal.root)
    return None if good else Finding(Problem.SEAL, first)


def _after_last_seal(number: int) -> Finding | None:
    leaf = SealedLeaf.objects.filter(seal_number__gt=number).order_by("seal_number", "position").first()
    if leaf or Seal.objects.filter(number__gt=number).exists():
        return Finding(Problem.SEAL, leaf.event_id if leaf else None)
    return None


def _differs_from_published() -> Finding | None:
    """Compare the seals with the roots in the file, which an intruder of the database does not reach."""
    number = published.first_difference()
    if number is None:
        return None
    first = SealedLeaf.objects.filter(seal_number=number).order_by("event_id").values_list("event_id", flat=True)
    return Finding(Problem.PUBLISHED, first.first())

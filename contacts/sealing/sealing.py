"""Sealing: events that are not sealed yet are closed into seals, one transaction for each seal.

Event ids come from a sequence and commit in any order, so an id that is missing now may appear later. The horizon is
the id below which none can: 1. read the last id given out; 2. note which transactions are writing events (an INSERT
holds its table lock from before it takes an id to the end of its transaction); 3. once all of those have ended, every
event up to that id is committed. Events that are visible are sealed in any case, below the horizon or above it.
No writer waits for any of this.
"""

from dataclasses import dataclass

from django.db import connection, transaction

from contacts.models import Seal, SealHorizon
from contacts.sealing import tree
from contacts.sealing.leaves import COMMITMENT, HASH, LOCK
from salesconnect.lib.database.sql import statement

SEAL_SIZE = 10_000

SEAL = statement(__file__, "seal", commitment=COMMITMENT, hash=HASH)
CLOCK = "SELECT clock_timestamp(), sha256(uuid_send(gen_random_uuid()))"
WRITERS = """
    SELECT array_agg(DISTINCT virtualtransaction) FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'contacts_contactevent'::regclass AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mode = 'RowExclusiveLock' AND pid IS DISTINCT FROM pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Sealed:
    seals: int
    events: int


def seal_open(pieces: int | None = None) -> Sealed:
    """Seal what is there and not sealed yet, at most so many pieces; several at once take turns."""
    settled = advance_horizon()
    after, seals, events = None, 0, 0
    while pieces is None or seals < pieces:
        number, last = seal_next(after, settled)
        events += number
        seals += bool(number)
        if number < SEAL_SIZE:
            break
        after = last
    return Sealed(seals, events)


@transaction.atomic
def advance_horizon() -> int:
    """Advance the horizon, and return the id up to which all events are committed."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
        horizon, _created = SealHorizon.objects.get_or_create(pk=1)
        settled = last_settled()
        if horizon.reached > settled:
            return settled if set(horizon.writers) & set(writers()) else horizon.reached
        cursor.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM contacts_contactevent_id_seq")
        horizon.reached = cursor.fetchone()[0]
        horizon.writers = writers()
        horizon.save()
        return settled if horizon.writers else horizon.reached


@transaction.atomic
def seal_next(after: int | None, settled: int) -> tuple[int, int]:
    """Close one piece into a seal; returns how many events it holds, and the highest number of them.

    `after` is where the piece begins, None for what the last seal left. Up to `settled` no event can turn up any more.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
        before = Seal.objects.order_by("-number").first()
        start = after if after is not None else (before.settled if before else 0)
        number = before.number + 1 if before else 1
        cursor.execute(SEAL, {"after": start, "piece": SEAL_SIZE, "number": number})
        leaves = sorted((position, bytes(hashed), event) for position, hashed, event in cursor)
        if not leaves:
            return 0, start
        last = leaves[-1][2]
        reached = min(settled, last) if len(leaves) == SEAL_SIZE else settled
        reached = max(reached, before.settled if before else 0)
    _close(number, [hashed for _place, hashed, _event in leaves], before, reached)
    return len(leaves), last


def last_settled() -> int:
    """Return up to which number the last seal says that all events are sealed."""
    return Seal.objects.order_by("-number").values_list("settled", flat=True).first() or 0


def _close(number: int, leaves: list[bytes], before: Seal | None, settled: int) -> None:
    """Add the seal over these leaf hashes. The first is linked to a random beginning, which names the chain."""
    with connection.cursor() as cursor:
        cursor.execute(CLOCK)
        sealed_at, beginning = cursor.fetchone()
    previous = bytes(before.root) if before else bytes(beginning)
    top, at = tree.tree_root(leaves), tree.moment(sealed_at)
    Seal.objects.create(
        number=number,
        events=len(leaves),
        tree=top,
        previous=previous,
        settled=settled,
        sealed_at=sealed_at,
        root=tree.seal_hash(number, top, previous, events=len(leaves), settled=settled, sealed_at=at),
    )


def writers() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(WRITERS)
        return cursor.fetchone()[0] or []

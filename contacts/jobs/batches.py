"""Bulk orders: approved once, frozen into chunks, done at once or by a worker, resumable, cancellable.

What an order does to one chunk says its act; how work goes on in the background is `contacts.jobs.engine`.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.jobs import engine
from contacts.jobs.acts import ACTS
from contacts.models import Batch, BatchChunk, Contact, User
from contacts.models.batch import OPEN, State
from contacts.people.queries import ContactQuerySet, array
from salesconnect.lib.actor import Actor, Forbidden, system
from salesconnect.lib.database.sql import fill, statement
from salesconnect.lib.database.transactions import act
from salesconnect.lib.door_registry import Door
from salesconnect.lib.errors import Conflict
from salesconnect.lib.kick import kick
from salesconnect.lib.outcome import Outcome

INLINE_LIMIT = 5_000
CHUNK = 5_000
TASK = "contacts.run_batch"

FREEZE = """
    WITH frozen AS (
        INSERT INTO contacts_batchchunk (batch_id, number, contact_ids, done) {chunks}
        RETURNING cardinality(contact_ids) AS people
    ) SELECT coalesce(sum(people), 0)::bigint FROM frozen
"""
CHUNKS = """
    SELECT %s, (place - 1) / %s, array_agg(id), false
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ({ids}) AS chosen (id)) AS numbered
    GROUP BY 2
"""
SAME_CHUNKS = "SELECT %s, number, contact_ids, false FROM contacts_batchchunk WHERE batch_id = %s AND done"

NAMES_KEPT_DAYS = 30
KEPT_FILTERS = [
    "authorization_type", "source_type", "unsubscribed", "owner", "created_after", "created_before", "updated_after",
    "updated_before", "consent_before", "consent_after", "verdict", "restricted", "to_inform", "review",
]  # fmt: skip
FORGET_NAMES = statement(__file__, "forget_names")


@act
def order(
    contacts: ContactQuerySet | None,
    kind: str,
    *,
    actor: Actor,
    params: dict[str, Any] | None = None,
    selection: dict[str, Any] | None = None,
    missing: int = 0,
    undoes: Batch | None = None,
    approved: int | None = None,
    refused: Mapping[str, int] | None = None,
    waits_above: int | None = None,
) -> Batch:
    """Freeze who is meant, and carry the order out: up to 5,000 people at once, more by a worker.

    Without `contacts` they are those whom `undoes`, the batch to be undone, has worked on.
    `missing` counts ids of the selection that do not exist; they are refused as `not_found`. `refused` counts people
    who are left out beforehand, by reason. `approved` is the number of people that the user was shown; `Conflict`
    (`moved`, with `now`) when it is another by now. Above `waits_above` people the order waits for another
    administrator. Returns the batch, done, queued or waiting. Raises what the kind's service raises; then nothing has
    changed.
    """
    ACTS[kind].demand(actor)
    batch = Batch.objects.create(
        kind=kind,
        params=params or {},
        selection=selection or {},
        user_id=actor.user_id,
        actor_name=actor.name,
        door=actor.door,
        undoes=undoes,
        refused=({"not_found": missing} if missing else {}) | dict(refused or {}),
    )
    people = _freeze(batch, contacts)
    if approved is not None and people != approved:
        raise Conflict("moved", _("The number of people changed meanwhile. Nothing was done."), now=people)
    left_out = missing + sum((refused or {}).values())
    Batch.objects.filter(pk=batch.pk).update(total=people + left_out, done=left_out)
    if waits_above is not None and people > waits_above:
        Batch.objects.filter(pk=batch.pk).update(state=State.WAITING)
    elif people <= INLINE_LIMIT:
        while _next_chunk(batch.pk, actor):
            pass
        _finish(batch.pk)
    else:
        kick(TASK, batch.pk)
    batch.refresh_from_db()
    return batch


def run(batch_id: int) -> bool:
    """Work on a batch for a turn; returns whether work is left."""
    return engine.turn(QUEUE, batch_id)


def _work(batch_id: int) -> bool:
    batch = Batch.objects.select_related("user").get(pk=batch_id)
    if batch.ended or batch.state == State.WAITING:
        return False
    try:
        if engine.steps(lambda: _chunk_without_waiting(batch_id, actor_of(batch))):
            return True
    except Forbidden:
        _fail(batch_id, gettext_noop("The right to do this was withdrawn meanwhile."))
    else:
        _finish(batch_id)
    return False


@act
def cancel(batch_id: int, *, actor: Actor) -> Batch:
    """Stop an order of one's own, or as an administrator anybody's; what is done stays done.

    Raises `Forbidden`, and `Conflict` (`ended`) when it has ended already.
    """
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    actor.require(ACTS[batch.kind].right)
    engine.cancel(batch, ordered_by=batch.user_id, actor=actor, ended=_("This change has already ended."))
    return batch


@act
def approve(batch_id: int, *, actor: Actor) -> Batch:
    """Let an order begin that waits for a second administrator.

    Raises `Forbidden`, `SignInAgain`, and `Conflict`: `page_only` for a program, `own_order` for who gave the order,
    `not_waiting`.
    """
    actor.require_recent("manage_tasks")
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    if actor.by_token or actor.user_id is None:
        raise Conflict("page_only", _("Only a person who is signed in can approve this."))
    if batch.state != State.WAITING:
        raise Conflict("not_waiting", _("Nothing waits for approval here."))
    if batch.user_id == actor.user_id:
        raise Conflict("own_order", _("You ordered this yourself; another administrator has to approve it."))
    batch.state, batch.approved_by = State.QUEUED, actor.name
    batch.save(update_fields=["state", "approved_by"])
    kick(TASK, batch_id)
    return batch


@act
def forget_names() -> int:
    """Take the words out of orders that ended a month ago: names that were searched for, drafts, descriptions.

    What they were and what came of them stays, and a reason, which the history of everybody concerned gives too; so
    do the numbers of those whom it concerned. Returns how many orders that were.
    """
    with connection.cursor() as cursor:
        before = timezone.now() - dt.timedelta(days=NAMES_KEPT_DAYS)
        kept = sorted({name for declared in ACTS.values() for name in declared.kept_params})
        cursor.execute(FORGET_NAMES, {"before": before, "params": kept, "filters": KEPT_FILTERS})
        forgotten: int = cursor.fetchone()[0]
        return forgotten


def actor_of(batch: Batch) -> Actor:
    """Return who ordered the batch, with the rights that the user has now: a withdrawn right stops the work."""
    return ordered_by(batch.user, batch.door)  # type: ignore[arg-type] # the field holds doors alone


def ordered_by(user: User | None, door: Door) -> Actor:
    """Return who ordered what a worker does: a user with the rights of now, or the system itself."""
    return user_actor(user, door) if user else system(door)


def user_actor(user: User, door: Door) -> Actor:
    """Return the actor for a user who comes through `door`; an inactive user has no rights."""
    return Actor(user.pk, str(user), user.role if user.is_active else "", door)


def _freeze(batch: Batch, contacts: ContactQuerySet | None) -> int:
    """Store the ids in chunks, in one statement that never brings them here; returns how many there are.

    Without `contacts` they are those whom the batch that is undone has worked on.
    """
    if contacts is None:
        chunks, params = SAME_CHUNKS, (batch.pk, batch.undoes_id)
    else:
        ids, whose = contacts.ids_sql()
        chunks, params = fill(CHUNKS, ids=ids), (batch.pk, CHUNK, *whose)
    with connection.cursor() as cursor:
        cursor.execute(fill(FREEZE, chunks=chunks), params)
        people: int = cursor.fetchone()[0]
    return people


@act
def _chunk_without_waiting(batch_id: int, actor: Actor) -> bool:
    """Do a chunk and go on before the disk has it: what a failing machine forgets is not done, and is done again."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    return _next_chunk(batch_id, actor)


@act
def _next_chunk(batch_id: int, actor: Actor) -> bool:
    """Do one chunk with its events and the batch's counters in one transaction; False when none is left to take.

    1. Look whether the batch was cancelled. 2. Take a chunk that nobody works on; its row lock is the lease.
    3. Act. 4. Count. The batch row is locked last and briefly, so that workers meet there only to add numbers.
    """
    batch = Batch.objects.get(pk=batch_id)
    if batch.ended:
        return False
    what = ACTS[batch.kind]
    waiting = BatchChunk.objects.filter(batch_id=batch_id, done=False).order_by("number")
    chunks = list(engine.claim(waiting)[: what.chunks])
    if not chunks:
        return False
    _look_up_singly()
    ids = [number for chunk in chunks for number in chunk.contact_ids]
    outcome = what.run(Contact.objects.among(ids), batch, actor)
    outcome.refused["not_found"] += len(ids) - outcome.total
    BatchChunk.objects.filter(pk__in=[chunk.pk for chunk in chunks]).update(done=True)
    _name(batch_id, outcome.named)
    _count(batch_id, outcome, len(ids))
    return True


def _look_up_singly() -> None:
    """Let PostgreSQL find a chunk's people by their keys: for a disk that turns it would read a million instead."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL random_page_cost = 1.1")


def _name(batch_id: int, refused: Mapping[str, Sequence[int]]) -> None:
    """Keep who was refused, for whoever wants to know more than how many."""
    with connection.cursor() as cursor:
        for reason, ids in refused.items():
            cursor.execute(
                "INSERT INTO contacts_batchrefusal (batch_id, contact_id, reason) SELECT %s, unnest(%s::bigint[]), %s",
                [batch_id, array(ids), reason],
            )


def _count(batch_id: int, outcome: Outcome, people: int) -> None:
    batch = Batch.objects.select_for_update().get(pk=batch_id)
    Batch.objects.filter(pk=batch_id).update(
        done=F("done") + people,
        changed=F("changed") + outcome.changed,
        unchanged=F("unchanged") + outcome.unchanged,
        refused=dict(+(Counter(batch.refused) + outcome.refused)),
        **engine.going_on(),
    )


def _finish(batch_id: int) -> None:
    """Close a batch unless another worker still does a chunk of it."""
    if not BatchChunk.objects.filter(batch_id=batch_id, done=False).exists():
        engine.end(Batch.objects.filter(pk=batch_id), State.DONE)


def _fail(batch_id: int, error: str) -> None:
    engine.end(Batch.objects.filter(pk=batch_id), State.FAILED, error=error)


def _open() -> QuerySet[Batch]:
    return Batch.objects.filter(state__in=OPEN)


def _progress(batch_id: int) -> str:
    return "{} {}".format(*Batch.objects.values_list("state", "done").get(pk=batch_id))


QUEUE = engine.Queue("batch", TASK, _open, _work, _progress, _fail)

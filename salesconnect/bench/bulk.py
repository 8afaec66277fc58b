"""Bulk authorization, its undo, and the bulk export, against plain SQL."""

import io
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import connection

from compliance import orders, services
from compliance.rules import Authorization, AuthorizationType
from contacts import batches
from contacts.models import Batch, Contact
from contacts.queries import ContactQuerySet
from exports import services as exports
from salesconnect.bench import database
from salesconnect.bench.measure import RUNS, Measure, compared, limited, seconds
from salesconnect.bench.plans import Scans
from salesconnect.bench.site import keys
from salesconnect.lib.actor import system

SOME, FEW = 100_000, 6_000
ACTOR = system("command")
GROUNDS = (AuthorizationType.CONTRACT, AuthorizationType.LEGITIMATE_INTEREST)

# The yardstick: the same rows updated and the same events inserted, by one statement.
PLAIN = """
    WITH changed AS (
        UPDATE compliance_compliancecard SET authorization_type = %(type)s, authorization_other = '',
               consent_date = NULL, consent_purpose = '', version = version + 1, updated_at = now()
        WHERE contact_id <= %(last)s AND authorization_type IS DISTINCT FROM %(type)s RETURNING contact_id
    )
    INSERT INTO contacts_contactevent (contact_id, action, door, actor_name, changes)
    SELECT contact_id, 'authorization', 'command', 'bench', '{"authorization_type": [null, "contract"]}' FROM changed
"""
COPY = """
    COPY (SELECT c.*, card.* FROM contacts_contact c JOIN compliance_compliancecard card ON contact_id = id)
    TO STDOUT (FORMAT csv)
"""


def measures(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the measures of bulk acts."""
    acts = Acts()
    with scans.watched("bulk acts and export"):
        chosen = _first(min(FEW, people))
        acts.order(chosen)
        acts.undo()
        _export(chosen)
    yield from _some(acts, min(SOME, people))
    everyone = Contact.objects.all()
    plain = seconds(_plain(2**62), prepare=_vacuum, runs=1)
    ours = seconds(lambda: acts.order(everyone), prepare=_vacuum, runs=1)
    yield compared(f"bulk authorization of all {people:,}", ours, plain, 1.5)
    export, copy = seconds(lambda: _export(everyone), runs=3), seconds(_copy, runs=3)
    yield compared(f"export of {people:,}", export, copy, 1.5)
    yield limited("peak memory of a worker that exports them", _peak_of_export(everyone), 150, "MB")


class Acts:
    """The product's own acts, each time with another legal basis, so that everybody changes."""

    def __init__(self) -> None:
        self.turn = 0
        self.batch: Batch | None = None

    def order(self, chosen: ContactQuerySet) -> None:
        """Preview an order and carry it out, as a user does."""
        self.turn += 1
        params = orders.authorization_params(Authorization(GROUNDS[self.turn % 2]))
        values = dict(zip((column.name for column in services.AUTHORIZATION_COLUMNS), params.values(), strict=True))
        orders.preview(chosen, services.AUTHORIZATION_COLUMNS, values)
        self.batch = _finish(batches.order(chosen, "authorization", actor=ACTOR, params=params))

    def undo(self) -> None:
        """Take the last order back; raises when it did not give everybody back what the order changed."""
        assert self.batch  # noqa: S101 - an order came before
        undone = _finish(orders.undo(self.batch, actor=ACTOR))
        assert undone.changed == self.batch.changed  # noqa: S101 - else the time would mean nothing


def _some(acts: Acts, some: int) -> Iterator[Measure]:
    """Yield the acts on some people. The three take turns, so that a busy moment of the machine meets all."""
    chosen = _first(some)
    plain = _plain(chosen.order_by("-id").values_list("pk", flat=True)[0])
    times: dict[str, list[float]] = {"plain": [], "order": [], "undo": []}
    for _run in range(RUNS):
        times["plain"].append(seconds(plain, prepare=_vacuum, runs=1, warm_up=False))
        times["order"].append(seconds(lambda: acts.order(chosen), prepare=_vacuum, runs=1, warm_up=False))
        times["undo"].append(seconds(acts.undo, prepare=_vacuum, runs=1, warm_up=False))
    plain_time, order_time, undo_time = (statistics.median(taken) for taken in times.values())
    yield compared(f"bulk authorization of {some:,}", order_time, plain_time, 1.3)
    yield compared(f"undo of {some:,}", undo_time, plain_time, 1.5)


def _first(number: int) -> ContactQuerySet:
    return Contact.objects.filter(pk__lte=Contact.objects.order_by("id").values_list("pk", flat=True)[number - 1])


def _finish(batch: Batch) -> Batch:
    while batches.run(batch.pk):
        pass
    batch.refresh_from_db()
    return batch


def _plain(last: int) -> Callable[[], None]:
    turn = [0]

    def run() -> None:
        turn[0] += 1
        with connection.cursor() as cursor:
            cursor.execute(PLAIN, {"type": int(GROUNDS[turn[0] % 2]), "last": last})

    return run


def _export(chosen: ContactQuerySet) -> None:
    job = exports.order_export(chosen, actor=ACTOR, reason="bench")
    _finish(job.batch)


def _peak_of_export(chosen: ContactQuerySet) -> float:
    """Return how many MB a process of its own takes at most to work an export off."""
    job = exports.order_export(chosen, actor=ACTOR, reason="bench")
    command = [sys.executable, "-m", "salesconnect.bench.work", str(job.batch_id)]
    environment = {**os.environ, "DATABASE_URL": database.url(), **keys()}
    done = subprocess.run(  # noqa: S603 - our own program
        command, cwd=settings.BASE_DIR, env=environment, check=True, capture_output=True
    )
    return float(done.stdout)


def _copy() -> None:
    with connection.cursor() as cursor:
        cursor.copy_expert(COPY, _Nowhere())


def _vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM compliance_compliancecard")


class _Nowhere(io.RawIOBase):
    def write(self, row: object) -> int:
        return 0

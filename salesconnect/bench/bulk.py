"""Bulk authorization, its undo, and the bulk export, against plain SQL."""

import io
from collections.abc import Callable, Iterator

from django.db import connection

from compliance import orders, services
from compliance.rules import Authorization, AuthorizationType
from contacts import batches
from contacts.models import Batch, Contact
from contacts.queries import ContactQuerySet
from exports import services as exports
from salesconnect.bench.measure import Measure, compared, limited, peak_mb, seconds
from salesconnect.lib.actor import system

SOME = 100_000
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


def measures(people: int) -> Iterator[Measure]:
    """Yield the measures of bulk acts."""
    some = min(SOME, people)
    last = Contact.objects.order_by("id").values_list("pk", flat=True)[some - 1]
    chosen = Contact.objects.filter(pk__lte=last)
    plain_some = seconds(_plain(last), prepare=_vacuum)
    ours, undo = _ours(chosen)
    yield compared(f"bulk authorization of {some:,}", ours, plain_some, 1.3)
    yield compared(f"undo of {some:,}", undo, plain_some, 1.5)
    plain_all = seconds(_plain(2**62), prepare=_vacuum, runs=1)
    whole, _undo = _ours(Contact.objects.all(), runs=1)
    yield compared(f"bulk authorization of all {people:,}", whole, plain_all, 1.5)
    yield limited("peak memory of bulk acts", peak_mb(), 300, "MB")
    yield compared(f"export of {people:,}", seconds(_export, runs=1), seconds(_copy, runs=1), 1.5)


def _ours(chosen: ContactQuerySet, runs: int = 3) -> tuple[float, float]:
    """Return the times of an order with its preview, and of its undo."""
    turn = [0]
    done: list[Batch] = []

    def order() -> None:
        turn[0] += 1
        authorization = Authorization(GROUNDS[turn[0] % 2])
        params = orders.authorization_params(authorization)
        values = dict(zip((c.name for c in services.AUTHORIZATION_COLUMNS), params.values(), strict=True))
        orders.preview(chosen, services.AUTHORIZATION_COLUMNS, values)
        done.append(_finish(batches.order(chosen, "authorization", actor=ACTOR, params=params)))

    forward = seconds(order, prepare=_vacuum, runs=runs)
    waiting = iter(reversed(done))
    back = seconds(lambda: _finish(orders.undo(next(waiting), actor=ACTOR)), prepare=_vacuum, runs=runs)
    return forward, back


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


def _export() -> None:
    job = exports.order_export(Contact.objects.all(), actor=ACTOR, reason="bench")
    _finish(job.batch)


def _copy() -> None:
    with connection.cursor() as cursor:
        cursor.copy_expert(COPY, _Nowhere())


def _vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM compliance_compliancecard")


class _Nowhere(io.RawIOBase):
    def write(self, row: object) -> int:
        return 0

"""Bulk authorization and its undo, against one statement that changes and inserts the same rows."""

from collections.abc import Iterator
from itertools import cycle

from django.db import connection

from compliance.acts.authorization import authorization_params
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from contacts.jobs import batches, bulk_undo
from contacts.jobs.selected import selected_act
from contacts.models import Batch, Contact
from contacts.people.queries import ContactQuerySet
from salesconnect.bench.measure import Measure, compared, middle, turns
from salesconnect.bench.plans import Scans
from salesconnect.lib.actor import system

SOME, FEW = 100_000, 6_000
ACTOR = system("command")
# Each act takes the next, so that everybody changes; three, for an undo brings back the one before.
GROUNDS = cycle((AuthorizationType.CONTRACT, AuthorizationType.LEGITIMATE_INTEREST, AuthorizationType.LEGAL_OBLIGATION))

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


def some(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the measures of an order for some people, and of its undo."""
    acts, number = Acts(), min(SOME, people)
    chosen = first(number)
    plain = Plain(chosen.order_by("-id").values_list("pk", flat=True)[0])
    plain()
    with scans.watched("bulk authorization and undo"):
        acts.order(first(min(FEW, people)))
        acts.undo()
    yardstick, order, undo = turns(plain, lambda: acts.order(chosen), acts.undo, prepare=_vacuum)
    yield compared(f"bulk authorization of {number:,}", *middle(order, yardstick), 1.3)
    yield compared(f"undo of {number:,}", *middle(undo, yardstick), 1.5)


def everyone(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the measure of an order for everybody."""
    acts, plain = Acts(), Plain(2**62)
    everybody = Contact.objects.all()
    yardstick, order = turns(plain, lambda: acts.order(everybody), prepare=_vacuum, runs=3)
    yield compared(f"bulk authorization of all {people:,}", *middle(order, yardstick), 1.5)


class Acts:
    def __init__(self) -> None:
        self.batch: Batch | None = None

    def order(self, chosen: ContactQuerySet) -> None:
        """Preview an order and carry it out, as a user does; raises when too few changed to be a measure."""
        params = authorization_params(Authorization(next(GROUNDS)))
        selected_act("authorization").preview(chosen, params)
        self.batch = finish(batches.order(chosen, "authorization", actor=ACTOR, params=params))
        assert self.batch.changed > self.batch.total / 2  # noqa: S101

    def undo(self) -> None:
        """Take the last order back; raises when it did not give everybody back what the order changed."""
        assert self.batch  # noqa: S101 - an order came before
        undone = finish(bulk_undo.undo(self.batch, actor=ACTOR))
        assert undone.changed == self.batch.changed  # noqa: S101 - else the time would mean nothing


class Plain:
    """The yardstick: everybody up to a number."""

    def __init__(self, last: int) -> None:
        self.last = last

    def __call__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(PLAIN, {"type": int(next(GROUNDS)), "last": self.last})


def first(number: int) -> ContactQuerySet:
    return Contact.objects.filter(pk__lte=Contact.objects.order_by("id").values_list("pk", flat=True)[number - 1])


def finish(batch: Batch) -> Batch:
    """Work a batch off, as a worker does; returns it as it is then."""
    while batches.run(batch.pk):
        pass
    batch.refresh_from_db()
    return batch


def _vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM compliance_compliancecard")

"""Export of many people, against COPY of all that is stored of them."""

import io
from collections.abc import Iterator

from django.db import connection

from contacts.models import Contact
from contacts.people.queries import ContactQuerySet
from exports.files import csv_export
from salesconnect.bench.bulk import ACTOR, FEW, finish, first
from salesconnect.bench.measure import Measure, compared, limited, middle, turns
from salesconnect.bench.plans import Scans
from salesconnect.bench.site import in_a_worker

COPY = """
    COPY (SELECT c.*, card.* FROM contacts_contact c JOIN compliance_compliancecard card ON contact_id = id)
    TO STDOUT (FORMAT csv)
"""


def measures(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the measures of an export of everybody."""
    with scans.watched("export"):
        _export(first(min(FEW, people)))
    everybody = Contact.objects.all()
    ours, yardstick = turns(lambda: _export(everybody), _copy)
    yield compared(f"export of {people:,}", *middle(ours, yardstick), 1.5)
    job = csv_export.order_export(everybody, actor=ACTOR, reason="bench")
    _seconds, peak = in_a_worker("batch", job.batch_id)
    yield limited("peak memory of a worker that exports them", peak, 150, "MB")


def _export(chosen: ContactQuerySet) -> None:
    finish(csv_export.order_export(chosen, actor=ACTOR, reason="bench").batch)


def _copy() -> None:
    with connection.cursor() as cursor:
        cursor.copy_expert(COPY, _Nowhere())


class _Nowhere(io.RawIOBase):
    def write(self, row: object) -> int:
        return 0

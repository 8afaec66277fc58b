"""The demo's past: people added over the last three months, so that charts and past days have data.

Everything is done by the services. Only the default of the events' time is changed, within a transaction that restores
it before it commits. Nothing else in the product backdates events.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from django.db import connection, transaction
from django.utils import timezone

from compliance.card import card_changes
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from contacts.events import partitions
from contacts.models import Contact
from exports.overview import daily_figures
from salesconnect.demo import fictitious
from salesconnect.lib.actor import system
from salesconnect.management.commands import seed_contacts

DAYS, WAVES = 88, 22
FOUND_LATER = 12

# Rows that carry the time of the transaction get the past time.
MOVED = (
    "UPDATE contacts_contact SET created_at = %(at)s WHERE created_at = now()",
    "UPDATE compliance_compliancecard SET updated_at = %(at)s WHERE updated_at = now()",
    "UPDATE compliance_suppression SET since = %(at)s, said_at = %(at)s WHERE since = now()",
)


def seed(people: int) -> None:
    """Add fictitious people, half at first and the others over time, and store the figures of each day."""
    first = timezone.now() - dt.timedelta(days=DAYS)
    partitions.ensure(first.date())
    coming = fictitious.people(people, first=seed_contacts.next_number(), today=first.date())
    for wave in range(WAVES):
        number = people // 2 if wave == 0 else people // 2 // (WAVES - 1)
        with happening_at(first + dt.timedelta(days=wave * DAYS // WAVES, hours=wave % 5)):
            seed_contacts.add(list(islice(coming, number)) if wave < WAVES - 1 else list(coming))
            _find_grounds()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE contacts_contact, compliance_compliancecard")
    while daily_figures.keep():
        continue


@contextmanager
def happening_at(at: dt.datetime) -> Iterator[None]:
    """Run the block in one transaction in which everything happens at a past moment."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE contacts_contactevent ALTER COLUMN at SET DEFAULT %s::timestamptz", [at])
        yield
        for statement in MOVED:
            cursor.execute(statement, {"at": at})
        cursor.execute("ALTER TABLE contacts_contactevent ALTER COLUMN at SET DEFAULT clock_timestamp()")


def _find_grounds() -> None:
    missing = Contact.objects.filter(card__authorization_type=None).order_by("pk").values_list("pk", flat=True)
    found = Contact.objects.filter(pk__in=list(missing[:FOUND_LATER]))
    card_changes.authorise(found, Authorization(AuthorizationType.CONTRACT), actor=system("command"))

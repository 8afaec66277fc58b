"""The list of opt-outs and opt-ins as a CSV; times are ISO 8601 in UTC, kinds and sources as in the API."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from compliance.models import Suppression
from contacts import history
from contacts.models import Contact
from salesconnect.lib import csv
from salesconnect.lib.actor import Actor
from salesconnect.lib.keyset import Page
from unsubscribes import ledger
from unsubscribes.ledger import Entry, Wanted

PAGE = 1_000
COLUMNS = ("Date", "What", "Person ID", "First Name", "Last Name", "Email ID", "Source", "Reason", "By")
ADDRESS_COLUMNS = ("Date", "What", "Address Hash", "Hash Key", "Source", "Reason")


@transaction.atomic
def export(wanted: Wanted, *, actor: Actor) -> Iterator[str]:
    """Return the lines of the list; the history of everybody in it tells that they were exported."""
    actor.require("export_people")
    people = Contact.objects.filter(pk__in=ledger.events(wanted).values("contact_id")).values_list("pk", flat=True)
    history.record(people, history.EXPORTED, actor=actor, changes={"reason": (None, _("the list of unsubscribes"))})
    return _lines(COLUMNS, lambda cursor: ledger.page(wanted, cursor=cursor, size=PAGE), _cells)


def export_unheld(wanted: Wanted, *, actor: Actor) -> Iterator[str]:
    """Return the lines of the suppressed addresses that nobody has; they name nobody."""
    actor.require("export_people")
    return _lines(ADDRESS_COLUMNS, lambda cursor: ledger.unheld_page(wanted, cursor=cursor, size=PAGE), _address_cells)


def _lines(
    columns: tuple[str, ...], page_at: Callable[[str | None], Page[Any]], cells: Callable[[Any], tuple[object, ...]]
) -> Iterator[str]:
    yield csv.BOM + csv.line(columns)
    cursor: str | None = None
    while True:
        page = page_at(cursor)
        yield "".join(csv.line(cells(row)) for row in page.rows)
        cursor = page.next
        if cursor is None:
            return


def _cells(entry: Entry) -> tuple[object, ...]:
    person = entry.person
    who = (person.pk, person.first_name, person.last_name, person.email) if person else ("", "", "", "")
    return (_utc(entry.at), entry.kind, *who, entry.source, entry.reason, entry.actor)


def _address_cells(held: Suppression) -> tuple[object, ...]:
    return (_utc(held.since), "suppressed", held.address_hash, held.hash_key, held.source, held.reason)


def _utc(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"

"""The list of opt-outs and opt-ins as a CSV; times are ISO 8601 in UTC, kinds and sources as in the API."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from compliance.models import Suppression
from contacts import recorded_files
from salesconnect.lib import csv
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.keyset import Page
from unsubscribes.opt_outs import listing
from unsubscribes.opt_outs.listing import OptOutEvent, OptOutFilter

PAGE = 1_000
COLUMNS = ("Date", "What", "Person ID", "First Name", "Last Name", "Email ID", "Source", "Reason", "By")
ADDRESS_COLUMNS = ("Date", "What", "Address Hash", "Hash Key", "Source", "Reason")


@transaction.atomic
def export(wanted: OptOutFilter, *, actor: Actor) -> Iterator[str]:
    """Yield the list as CSV; an export event is recorded for everybody in it."""
    actor.require("export_people")
    return recorded_files.write_recorded(
        _pages(lambda cursor: listing.page(wanted, cursor=cursor, size=PAGE)),
        lambda page: "".join(csv.line(_cells(entry)) for entry in page.rows),
        lambda page: (entry.person.pk for entry in page.rows if entry.person),
        head=csv.BOM + csv.line(COLUMNS),
        actor=actor,
        reason=_("the list of unsubscribes"),
    )


def export_addresses_of_nobody(wanted: OptOutFilter, *, actor: Actor) -> Iterator[str]:
    """Yield the suppressed addresses that nobody has, as hashes; there is no person to record an event for."""
    actor.require("export_people")
    return _unheld_lines(wanted)


def _unheld_lines(wanted: OptOutFilter) -> Iterator[str]:
    yield csv.BOM + csv.line(ADDRESS_COLUMNS)
    for page in _pages(lambda cursor: listing.addresses_of_nobody_page(wanted, cursor=cursor, size=PAGE)):
        yield "".join(csv.line(_address_cells(row)) for row in page.rows)


def _pages(page_at: Callable[[str | None], Page[Any]]) -> Iterator[Page[Any]]:
    cursor: str | None = None
    while True:
        page = page_at(cursor)
        yield page
        cursor = page.next
        if cursor is None:
            return


def _cells(entry: OptOutEvent) -> tuple[object, ...]:
    person = entry.person
    who = (person.pk, person.first_name, person.last_name, person.email) if person else ("", "", "", "")
    return (_utc(entry.at), entry.kind, *who, entry.source, entry.reason, entry.actor)


def _address_cells(held: Suppression) -> tuple[object, ...]:
    return (_utc(held.since), "suppressed", held.address_hash, held.hash_key, held.source, held.reason)


def _utc(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"

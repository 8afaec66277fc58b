"""How many people there are of each kind, now and at any past moment: by ground, source, opt-out, day of consent."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Case, F, Min, Sum, Value, When

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.models import CardTally
from compliance.verdict import asof
from salesconnect.lib.database.sql import statement

# The state before a moment is the present one, without those of the people whom something happened to since, and with
# what the events before the moment say of these.
TOUCHED_SINCE = """
    SELECT contact_id, contact_id, %(moment)s::timestamptz - interval '1 microsecond'
    FROM (SELECT DISTINCT contact_id FROM contacts_contactevent WHERE at >= %(moment)s) touched
"""


@dataclass(frozen=True, slots=True)
class Headcount:
    """What people of one kind have in common, in the card's codes, and how many they are."""

    authorization_type: int | None
    source_type: int | None
    unsubscribed: bool
    consent_date: dt.date | None
    number: int


def present(edges: Sequence[dt.date] = ()) -> list[Headcount]:
    """Return the kinds of people there are now.

    Consents between two `edges` are one kind, with one of their days; without edges each day is a kind of its own.
    """
    between = Case(*(When(consent_date__lt=edge, then=Value(place)) for place, edge in enumerate(sorted(edges), 1)))
    grouped = {"between": between} if edges else {"between": F("consent_date")}
    counted = (
        CardTally.objects.values("authorization_type", "source_type", "unsubscribed", **grouped)
        .annotate(given=Min("consent_date"), total=Sum("number"))
        .exclude(total=0)
        .order_by()
    )
    names = ("authorization_type", "source_type", "unsubscribed", "given", "total")
    return [Headcount(*row) for row in counted.values_list(*names)]


def before(moment: dt.datetime) -> list[Headcount]:
    """Return the kinds of people there were right before `moment`, from the events; what it costs grows with the
    number of people whom something happened to since.
    """
    states, values = asof.states_sql(TOUCHED_SINCE)
    values |= {"moment": moment, "grounds": AuthorizationType.slugs(), "sources": SourceType.slugs()}
    with connection.cursor() as cursor:
        cursor.execute(statement(__file__, "headcounts_past", states=states), values)
        return [Headcount(*row) for row in cursor]


def restricted_before(moment: dt.datetime) -> int:
    """Return of how many people the processing was restricted right before `moment`."""
    states, values = asof.states_sql(TOUCHED_SINCE)
    with connection.cursor() as cursor:
        cursor.execute(statement(__file__, "headcounts_restricted", states=states), values | {"moment": moment})
        number: int = cursor.fetchone()[0]
    return number

"""What a bulk change of the card would come to, counted without changing anything."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from compliance.card.card_changes import Column
from compliance.card.legal_basis_registry import CONSENTS
from contacts.jobs.selected import Counts
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.database.sql import listed, statement


def preview(contacts: ContactQuerySet, columns: Sequence[Column], values: Mapping[str, Any]) -> Counts:
    """Count who would change, who is so already, and who is refused.

    Also the consents that end, and those that another consent replaces with its date and purpose.
    """
    ids, params = contacts.ids_sql()
    names = ", ".join(column.name for column in columns)
    wanted = ", ".join(f"%s::{column.type}" for column in columns)
    ends = "authorization_type" in values and values["authorization_type"] not in CONSENTS
    with connection.cursor() as cursor:
        cursor.execute(
            statement(__file__, "preview", people=ids, columns=names, wanted=wanted, consents=listed(CONSENTS)),
            [*values.values(), *values.values(), *params],
        )
        total, restricted, change, consents, other_consents = cursor.fetchone()
    return Counts(
        total,
        change,
        {"restricted": restricted},
        consents_ended=consents if ends else 0,
        consents_replaced=other_consents if values.get("authorization_type") in CONSENTS else 0,
    )

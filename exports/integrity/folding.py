"""SQL that puts each card beside the fold of its events: the last event that sets a field says what it must be."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.utils import timezone

from compliance.card.card_changes import AUTHORIZATION_COLUMNS, SOURCE_COLUMNS
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.verdict import asof
from contacts.events import history
from salesconnect.lib.database.sql import fill, statement

COLUMNS = (*AUTHORIZATION_COLUMNS, *SOURCE_COLUMNS)
NAMES = ", ".join(column.name for column in COLUMNS)

# People in one statement: enough for few statements, few enough to sort in memory.
WINDOW = 50_000
EDGE = """
    SELECT max(contact_id) FROM (
        SELECT contact_id FROM compliance_compliancecard WHERE contact_id > %s ORDER BY 1 LIMIT %s) following
"""
OF_WINDOW = "{id} > %(after)s AND {id} <= %(edge)s"
OF_IDS = "{id} = ANY(%(ids)s)"


def _told(name: str) -> str:
    """Return SQL for a text field by the history. Where words were scrubbed from it, the card's own text counts."""
    told = f"coalesce(state->>'{name}', '')"
    return f"CASE WHEN state ? 'words_gone' AND {told} = '' THEN card.{name} ELSE {told} END AS {name}"


def folded(which: str) -> tuple[str, dict[str, Any]]:
    """Return SQL for cards (`OF_WINDOW` or `OF_IDS`) with what their histories say, and its parameters."""
    asked = "SELECT contact_id, contact_id, %(until)s::timestamptz FROM compliance_compliancecard WHERE "
    states, values = asof.states_sql(
        asked + fill(which, id="contact_id"),
        timezone.now() + history.CLOCK_SKEW,
        among=fill(which, id="event.contact_id"),
    )
    values |= {"grounds": AuthorizationType.slugs(), "sources": SourceType.slugs()}
    values["actions"] = [*values["actions"], history.SCRUBBED]
    folding = statement(
        __file__,
        "fold_cards",
        states=states,
        which=fill(which, id="card.contact_id"),
        card=", ".join(f"card.{column.name}" for column in COLUMNS),
        told=", ".join(f"told.{column.name}" for column in COLUMNS),
        authorization_other=_told("authorization_other"),
        consent_purpose=_told("consent_purpose"),
        source_other=_told("source_other"),
    )
    return folding, values


def windows() -> Iterator[dict[str, int]]:
    """Yield the parameters of `OF_WINDOW` for consecutive windows over all cards."""
    after = -(2**63)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(EDGE, [after, WINDOW])
            edge = cursor.fetchone()[0]
        if edge is None:
            return
        yield {"after": after, "edge": edge}
        after = edge

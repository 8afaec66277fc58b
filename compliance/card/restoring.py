"""What the card gets back when a bulk change of it is undone."""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg2.extras import Json

from compliance.card import card_changes
from compliance.card.card_changes import AUTHORIZATION_COLUMNS, Column
from compliance.verdict import asof
from contacts.jobs.bulk_undo import LATER, TOUCHED, undo_values
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet, array
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill, statement
from salesconnect.lib.outcome import Outcome

TOUCHED_AT = fill(
    "WITH {touched} SELECT contact_id, min(at), bool_and(changes ? 'basis_since') FROM touched GROUP BY 1",
    touched=TOUCHED,
)
PROBE_SIZE = 100
# What the clocks of a legal basis add to the statement of an undo: their place, what is set, what the event says. They
# stand in the event that is undone, but for changes of version 0.1.
CLOCK_SQL = (
    """coalesce(%(clocks)s::jsonb -> contact_id::text,
            jsonb_build_array(changes -> 'basis_since' -> 0, changes -> 'reviewed_on' -> 0)) AS clock,""",
    "basis_since = (wanted.clock ->> 0)::date, reviewed_on = (wanted.clock ->> 1)::date, ",
    """|| jsonb_build_object('basis_since', jsonb_build_array(NULL, wanted.clock -> 0),
                'reviewed_on', jsonb_build_array(NULL, wanted.clock -> 1))""",
)


def restore(contacts: ContactQuerySet, columns: Sequence[Column], undone: Batch, batch: Batch, actor: Actor) -> Outcome:
    """Give one chunk back what the order `undone` changed in these columns of the card."""
    ids, restricted = card_changes.lock_unrestricted(contacts)
    values = undo_values(ids, undone, batch, actor, [column.name for column in columns])
    with connection.cursor() as cursor:
        if columns is AUTHORIZATION_COLUMNS:
            values["clocks"] = Json(_clocks_before(cursor, ids, values))
        cursor.execute(_restore_sql(columns), values)
        restored, changed_since = cursor.fetchone()
    untouched = len(ids) - restored - len(changed_since)
    outcome = Outcome(changed=restored, unchanged=untouched).refuse("restricted", restricted)
    return outcome.refuse("changed_since", changed_since)


def _clocks_before(cursor: CursorWrapper, ids: list[int], values: dict[str, Any]) -> dict[str, list[str | None]]:
    """Return from when the clocks ran, by person, where the events that are undone do not tell it.

    A chunk was changed by one transaction, so its first events speak for all.
    """
    for start in range(0, len(ids), PROBE_SIZE):
        cursor.execute(TOUCHED_AT, values | {"ids": array(ids[start : start + PROBE_SIZE])})
        if touched := cursor.fetchall():
            return {} if all(told for _contact_id, _at, told in touched) else _folded_clocks(cursor, values)
    return {}


def _folded_clocks(cursor: CursorWrapper, values: dict[str, Any]) -> dict[str, list[str | None]]:
    """Return the clocks of the legal bases that come back, folded from the history: to undo is to review nothing."""
    cursor.execute(TOUCHED_AT, values)
    asked = [(contact_id, at - asof.INSTANT) for contact_id, at, _told in cursor.fetchall()]
    return {
        str(contact_id): [day.isoformat() if day else None for day in (state.basis_since, state.reviewed_on)]
        for (contact_id, _moment), state in zip(asked, asof.states(asked), strict=True)
    }


def _restore_sql(columns: Sequence[Column]) -> str:
    """Return the statement that gives back what the undone batch's events remember, but for what changed since."""
    restored = ", ".join(
        f"{_before(column)} AS {column.name}, card.{column.name} AS was_{column.name}" for column in columns
    )
    clock, moved, clocked = CLOCK_SQL if columns is AUTHORIZATION_COLUMNS else ("", "", "")
    return statement(
        __file__,
        "restore_cards",
        touched=TOUCHED,
        later=LATER,
        clock=clock,
        moved=moved,
        clocked=clocked,
        restored=restored,
        columns=", ".join(column.name for column in columns),
        wanted=", ".join(f"wanted.{column.name}" for column in columns),
        changes=card_changes.changes_sql(columns, old="wanted.was_", new="wanted."),
    )


def _before(column: Column) -> str:
    was = f"changes -> '{column.name}' ->> 0"
    if column.slugs:
        value = f"array_position(ARRAY{list(column.slugs)!r}, {was})::smallint"
    else:
        value = f"({was})::{column.type}"
    return f"CASE WHEN changes ? '{column.name}' THEN {value} ELSE card.{column.name} END"

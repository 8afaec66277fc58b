"""The bulk orders about the compliance card: authorization, source, unsubscribe, and undoing the first two."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg2.extras import Json

from compliance.card import services
from compliance.card.rules import Authorization, AuthorizationType, Source, SourceType
from compliance.card.services import AUTHORIZATION_COLUMNS, SOURCE_COLUMNS, Column
from compliance.models import Suppression
from compliance.suppression import suppression
from compliance.verdict import asof
from contacts.events import history
from contacts.jobs import batches
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet, array
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Conflict
from salesconnect.lib.outcome import Outcome
from salesconnect.lib.transactions import act

UNDO_DAYS = 30
# An event bears the time at which its act began; no act on people takes longer.
LONGEST_ACT = dt.timedelta(minutes=1)
TOUCHED_AT = """
    SELECT contact_id, min(at), bool_and(changes ? 'basis_since') FROM contacts_contactevent
    WHERE contact_id = ANY(%(ids)s) AND at >= %(ordered)s AND at < %(until)s AND batch_id = %(undone)s GROUP BY 1
"""
FEW = 100
# What the clocks of a legal basis add to the statement of an undo: their place, what is set, what the event says. They
# stand in the event that is undone, but for changes of version 0.1.
CLOCK = (
    """coalesce(%(clocks)s::jsonb -> contact_id::text,
            jsonb_build_array(changes -> 'basis_since' -> 0, changes -> 'reviewed_on' -> 0)) AS clock,""",
    "basis_since = (wanted.clock ->> 0)::date, reviewed_on = (wanted.clock ->> 1)::date, ",
    """|| jsonb_build_object('basis_since', jsonb_build_array(NULL, wanted.clock -> 0),
                'reviewed_on', jsonb_build_array(NULL, wanted.clock -> 1))""",
)
UNDOABLE = {"authorization": AUTHORIZATION_COLUMNS, "source": SOURCE_COLUMNS}


def authorization_params(authorization: Authorization) -> dict[str, Any]:
    """Return a legal basis as a batch stores it; `Invalid` when it breaks a rule, before anything is ordered."""
    services.refuse(authorization.errors(timezone.localdate()))
    return {
        "type": authorization.type,
        "other": authorization.other,
        "consent_date": authorization.consent_date.isoformat() if authorization.consent_date else None,
        "consent_purpose": authorization.consent_purpose,
    }


def source_params(source: Source) -> dict[str, Any]:
    """Return a source as a batch stores it; `Invalid` when it breaks a rule, before anything is ordered."""
    services.refuse(source.errors())
    return {"type": source.type, "other": source.other}


@batches.register("authorization", "edit_people", undoable=True)
def set_authorization(contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
    """Carry out one chunk of a bulk authorization."""
    params = batch.params
    authorization = Authorization(
        AuthorizationType(params["type"]) if params["type"] else None,
        params["other"],
        dt.date.fromisoformat(params["consent_date"]) if params["consent_date"] else None,
        params["consent_purpose"],
    )
    return services.authorise(contacts, authorization, actor=actor, batch_id=batch.pk)


@batches.register("source", "edit_people", undoable=True)
def set_source(contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
    """Carry out one chunk of a bulk source."""
    source = Source(SourceType(batch.params["type"]) if batch.params["type"] else None, batch.params["other"])
    return services.set_source(contacts, source, actor=actor, batch_id=batch.pk)


@batches.register("unsubscribe", "unsubscribe_people")
def unsubscribe(contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
    """Carry out one chunk of a bulk unsubscribe."""
    return suppression.unsubscribe(
        contacts,
        actor=actor,
        source=Suppression.Source.MANUAL,
        reason=batch.params.get("reason", ""),
        batch_id=batch.pk,
    )


def preview(contacts: ContactQuerySet, columns: Sequence[Column], values: dict[str, Any]) -> dict[str, int]:
    """Count, without changing anything: who would change, is so already, is refused.

    Also the consents that end, and those that another consent replaces with its date and purpose.
    """
    ids, params = contacts.ids_sql()
    names = ", ".join(column.name for column in columns)
    wanted = ", ".join(f"%s::{column.type}" for column in columns)
    consent = int(AuthorizationType.CONSENT)
    ends = "authorization_type" in values and values["authorization_type"] != consent
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*), count(*) FILTER (WHERE restricted_at IS NOT NULL),
                   count(*) FILTER (WHERE restricted_at IS NULL AND ({names}) IS DISTINCT FROM ({wanted})),
                   count(*) FILTER (WHERE restricted_at IS NULL AND authorization_type = {consent}),
                   count(*) FILTER (WHERE restricted_at IS NULL AND authorization_type = {consent}
                       AND ({names}) IS DISTINCT FROM ({wanted}))
            FROM compliance_compliancecard WHERE contact_id IN ({ids})
            """,
            [*values.values(), *values.values(), *params],
        )
        total, restricted, change, consents, other_consents = cursor.fetchone()
    return {
        "total": total,
        "change": change,
        "unchanged": total - change - restricted,
        "restricted": restricted,
        "consents_ended": consents if ends else 0,
        "consents_replaced": other_consents if values.get("authorization_type") == consent else 0,
    }


def preview_unsubscribe(contacts: ContactQuerySet) -> dict[str, int]:
    """Count, without changing anything: who would be unsubscribed, and who already is."""
    counts = contacts.aggregate(total=Count("pk"), change=Count("pk", filter=Q(card__unsubscribed=False)))
    return {**counts, "unchanged": counts["total"] - counts["change"]}


@act
def undo(batch: Batch, *, actor: Actor) -> Batch:
    """Restore what a bulk authorization or source changed, for 30 days; who was changed since is left alone.

    They are counted as `changed_since`. Only who gave the order may, and administrators. Returns the batch that does
    it. Raises `Conflict`: `not_undoable` (another kind), `not_ended`, `too_old`, `undone_before`.
    """
    actor.require("edit_people")
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    actor.require_own(batch.user_id)
    if batch.kind not in UNDOABLE:
        raise Conflict("not_undoable", _("Only changes of authorization and source can be undone."))
    if not batch.ended:
        raise Conflict("not_ended", _("Wait until the change has ended, or cancel it first."))
    if batch.created_at < timezone.now() - dt.timedelta(days=UNDO_DAYS):
        raise Conflict("too_old", _("A change can be undone for %(days)d days.") % {"days": UNDO_DAYS})
    if batch.undone_by.exists():
        raise Conflict("undone_before", _("This change has been undone already."))
    return batches.order(None, "undo", actor=actor, undoes=batch)


@batches.register("undo", "edit_people")
def restore(contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
    """Carry out one chunk of an undo."""
    undone = batch.undoes
    if undone is None:
        raise ValueError(f"batch {batch.pk} undoes nothing")
    columns = UNDOABLE[undone.kind]
    ids, restricted = services.lock_unrestricted(contacts)
    values = {
        "ids": ids,
        "undone": undone.pk,
        "ordered": undone.created_at,
        "since": undone.created_at - LONGEST_ACT,
        "until": timezone.now() + history.CLOCKS_DIFFER,
        "action": undone.kind,
        "fields": [column.name for column in columns],
        **history.event_values(actor, batch.pk),
    }
    with connection.cursor() as cursor:
        if columns is AUTHORIZATION_COLUMNS:
            values["clocks"] = Json(_clocks_before(cursor, values))
        cursor.execute(_restore_sql(columns), values | {"ids": array(ids)})
        restored, changed_since = cursor.fetchone()
    untouched = len(ids) - restored - len(changed_since)
    outcome = Outcome(changed=restored, unchanged=untouched).refuse("restricted", restricted)
    return outcome.refuse("changed_since", changed_since)


def _clocks_before(cursor: CursorWrapper, values: dict[str, Any]) -> dict[str, list[str | None]]:
    """Return from when the clocks ran, by person, where the events that are undone do not tell it.

    A chunk was changed by one transaction, so its first events speak for all.
    """
    ids = values["ids"]
    for start in range(0, len(ids), FEW):
        cursor.execute(TOUCHED_AT, values | {"ids": array(ids[start : start + FEW])})
        if touched := cursor.fetchall():
            return {} if all(told for _contact_id, _at, told in touched) else _folded_clocks(cursor, values)
    return {}


def _folded_clocks(cursor: CursorWrapper, values: dict[str, Any]) -> dict[str, list[str | None]]:
    """Return the clocks of the legal bases that come back, folded from the history: to undo is to review nothing."""
    cursor.execute(TOUCHED_AT, values | {"ids": array(values["ids"])})
    asked = [(contact_id, at - asof.INSTANT) for contact_id, at, _told in cursor.fetchall()]
    return {
        str(contact_id): [day.isoformat() if day else None for day in (state.basis_since, state.reviewed_on)]
        for (contact_id, _moment), state in zip(asked, asof.states(asked), strict=True)
    }


def _restore_sql(columns: Sequence[Column]) -> str:
    """Return the statement that gives back what the undone batch's events remember, but for what changed since.

    Of two changes of one person the later has the higher number: both took it with the person locked. No step joins
    two others: PostgreSQL knows nothing yet of events that are minutes old, and would take every step for one row and
    compare each with each.
    """
    restored = ", ".join(
        f"{_before(column)} AS {column.name}, card.{column.name} AS was_{column.name}" for column in columns
    )
    names = ", ".join(column.name for column in columns)
    clock, moved, clocked = CLOCK if columns is AUTHORIZATION_COLUMNS else ("", "", "")
    return f"""
        WITH touched AS MATERIALIZED (
            SELECT contact_id, id, changes FROM contacts_contactevent
            WHERE contact_id = ANY(%(ids)s) AND at >= %(ordered)s AND at < %(until)s AND batch_id = %(undone)s
        ), wanted AS MATERIALIZED (
            SELECT contact_id, {clock} {restored} FROM touched JOIN compliance_compliancecard card USING (contact_id)
            WHERE NOT EXISTS (
                SELECT FROM contacts_contactevent later
                WHERE later.contact_id = touched.contact_id AND later.at >= %(since)s AND later.at < %(until)s
                AND later.id > touched.id AND later.changes ?| %(fields)s
            )
        ), changed AS (
            UPDATE compliance_compliancecard card SET ({names}) = ROW({", ".join(f"wanted.{c.name}" for c in columns)}),
                   {moved}version = version + 1, updated_at = now()
            FROM wanted WHERE card.contact_id = wanted.contact_id
        ), logged AS (
            INSERT INTO contacts_contactevent ({history.COLUMNS})
            SELECT contact_id, %(batch_id)s, %(actor_id)s, %(action)s, %(door)s, %(actor_name)s,
                   {services.changes_sql(columns, old="wanted.was_", new="wanted.")} {clocked}
            FROM wanted ORDER BY contact_id
        )
        SELECT (SELECT count(*) FROM wanted),
               ARRAY(SELECT contact_id FROM touched EXCEPT SELECT contact_id FROM wanted ORDER BY contact_id)
    """


def _before(column: Column) -> str:
    was = f"changes -> '{column.name}' ->> 0"
    if column.slugs:
        value = f"array_position(ARRAY{list(column.slugs)!r}, {was})::smallint"
    else:
        value = f"({was})::{column.type}"
    return f"CASE WHEN changes ? '{column.name}' THEN {value} ELSE card.{column.name} END"

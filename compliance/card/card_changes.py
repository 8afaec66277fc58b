"""The acts on the compliance card, for one person or a million: one statement that changes only what differs."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from contacts.events import history
from contacts.models import Contact
from contacts.people.queries import ContactQuerySet, inlined
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill, statement
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Invalid, Missing, Restricted, Stale
from salesconnect.lib.outcome import Outcome


@dataclass(frozen=True, slots=True)
class ReviewClock:
    """The dates from which a review falls due: when the basis was recorded or reviewed, and its last review, if any."""

    since: dt.date | None
    reviewed: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the card: its SQL type, and the slugs of its codes where it holds a code."""

    name: str
    type: str
    slugs: Sequence[str] = ()

    def readable(self, prefix: str) -> str:
        """Return SQL for the value as the history holds it: slugs, not codes."""
        value = f"{prefix}{self.name}" if prefix else f"%({self.name})s::{self.type}"
        return f"(ARRAY{list(self.slugs)!r})[{value}]" if self.slugs else value


AUTHORIZATION_COLUMNS = (
    Column("authorization_type", "smallint", AuthorizationType.slugs()),
    Column("authorization_other", "text"),
    Column("consent_date", "date"),
    Column("consent_purpose", "text"),
)
SOURCE_COLUMNS = (Column("source_type", "smallint", SourceType.slugs()), Column("source_other", "text"))


# Every act locks cards in the order of their ids: two acts on the same people then wait instead of deadlocking.
LOCK = "SELECT {columns} FROM compliance_compliancecard WHERE contact_id IN ({ids}) ORDER BY contact_id FOR UPDATE"
CLOCK_CHANGES = """jsonb_build_object('basis_since', jsonb_build_array(old.basis_since, %(since)s::date),
                'reviewed_on', jsonb_build_array(old.reviewed_on, %(reviewed)s::date))"""
UNRESTRICTED = "restricted_at IS NULL"
"""Restricted data may be stored and read, and nothing else (GDPR art. 18(2)): every act but an opt-out asks this."""


@act
def authorise(
    contacts: ContactQuerySet,
    authorization: Authorization,
    *,
    actor: Actor,
    batch_id: int | None = None,
    clocks: ReviewClock | None = None,
) -> Outcome:
    """Set the legal basis of all `contacts`; what the card held before stays in the history.

    Its clocks begin today, unless `clocks` says from when they ran for it before: who takes a change back has reviewed
    nothing. Raises `Forbidden` without the right, and `Invalid` when the basis breaks a rule of the card. Restricted
    people are refused.
    """
    actor.require("edit_people")
    raise_invalid(authorization.errors(timezone.localdate()))
    values = authorization.values()
    columns, action = AUTHORIZATION_COLUMNS, history.AUTHORIZATION
    return _set(contacts, columns, values, action, actor=actor, batch_id=batch_id, clocks=clocks)


@act
def set_source(contacts: ContactQuerySet, source: Source, *, actor: Actor, batch_id: int | None = None) -> Outcome:
    """Set where the data of all `contacts` came from. Raises as `authorise` does."""
    actor.require("edit_people")
    raise_invalid(source.errors())
    return _set(contacts, SOURCE_COLUMNS, source.values(), history.SOURCE, actor=actor, batch_id=batch_id)


@act
def edit_card(
    contacts: ContactQuerySet,
    authorization: Authorization,
    source: Source,
    *,
    actor: Actor,
    version: int | None = None,
    clocks: ReviewClock | None = None,
) -> Outcome:
    """Set both halves of one person's card, the `clocks` as `authorise` does.

    Raises `Stale` when it is no longer at `version`, and `Restricted` as it says.
    """
    actor.require("edit_people")
    raise_invalid(authorization.errors(timezone.localdate()) | source.errors())
    lock_all_or_none(contacts)
    if version is not None:
        check_version(contacts.get().pk, version)
    authorised = authorise(contacts, authorization, actor=actor, clocks=clocks)
    outcomes = (authorised, set_source(contacts, source, actor=actor))
    return Outcome(changed=1) if any(outcome.changed for outcome in outcomes) else Outcome(unchanged=1)


def lock(contacts: ContactQuerySet) -> list[int]:
    ids, params = contacts.card_ids_sql()
    with connection.cursor() as cursor:
        cursor.execute(fill(LOCK, columns="contact_id", ids=ids), params)
        return [row[0] for row in cursor]


def lock_unrestricted(contacts: ContactQuerySet) -> tuple[list[int], list[int]]:
    """Lock the cards of `contacts`; return the ids of the people who are not restricted, and of those who are."""
    ids, params = contacts.card_ids_sql()
    with connection.cursor() as cursor:
        cursor.execute(fill(LOCK, columns=f"contact_id, {UNRESTRICTED}", ids=ids), params)
        rows = cursor.fetchall()
    free = [contact_id for contact_id, unrestricted in rows if unrestricted]
    return free, [contact_id for contact_id, unrestricted in rows if not unrestricted]


def lock_all_or_none(contacts: ContactQuerySet) -> list[int]:
    """Lock the cards of people for an act on all of them. Raises `Restricted` when one of them is restricted."""
    ids, restricted = lock_unrestricted(contacts)
    if restricted:
        raise Restricted
    return ids


def lock_one(contact_id: int) -> None:
    """Lock one person's card before an act on it. Raises `Missing` and `Restricted`."""
    if not lock_all_or_none(Contact.objects.filter(pk=contact_id)):
        raise Missing


def card_of(contact_id: int) -> ComplianceCard:
    """Return a person's card; raises `Missing` when the person has been deleted since the request was read."""
    card = ComplianceCard.objects.select_related("contact").filter(pk=contact_id).first()
    if card is None:
        raise Missing
    return card


def check_version(contact_id: int, version: int) -> None:
    """Lock one person; raise `Stale` when somebody changed the person after `version` was read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM compliance_compliancecard WHERE contact_id = %s FOR UPDATE", [contact_id])
        row = cursor.fetchone()
    if row and row[0] != version:
        raise Stale(contact_id, version, row[0])


def changes_sql(columns: Sequence[Column], old: str = "old.", new: str = "") -> str:
    """Return SQL for an event's `changes`: the columns that differ, each with what it was and what it is.

    `old` and `new` are table prefixes; an empty `new` means the statement's parameters.
    """
    parts = (
        f"CASE WHEN {old}{column.name} IS DISTINCT FROM {_value(column, new)} THEN jsonb_build_object("
        f"'{column.name}', jsonb_build_array({column.readable(old)}, {column.readable(new)})) ELSE '{{}}' END"
        for column in columns
    )
    return " || ".join(parts)


def _value(column: Column, prefix: str) -> str:
    return f"{prefix}{column.name}" if prefix else f"%({column.name})s::{column.type}"


def _set(
    contacts: ContactQuerySet,
    columns: Sequence[Column],
    values: Mapping[str, int | str | dt.date | None],
    action: str,
    *,
    actor: Actor,
    batch_id: int | None,
    clocks: ReviewClock | None = None,
) -> Outcome:
    """Lock as `lock_unrestricted` does, change what differs and record it, all in one statement.

    A bulk change of the legal basis records the clocks that it ends too: its undo takes them from there.
    """
    whose = inlined(*contacts.card_ids_sql())
    of_basis = columns is AUTHORIZATION_COLUMNS
    changes = changes_sql(columns) + (f" || {CLOCK_CHANGES}" if clocks or (of_basis and batch_id) else "")
    clocks = clocks or ReviewClock(timezone.localdate())
    changing = statement(
        __file__,
        "change_cards",
        people=whose,
        free=UNRESTRICTED,
        columns=", ".join(column.name for column in columns),
        wanted=", ".join(_value(column, "") for column in columns),
        moved="basis_since = %(since)s, reviewed_on = %(reviewed)s, " if of_basis else "",
        changes=changes,
    )
    acted = {"action": action, "since": clocks.since, "reviewed": clocks.reviewed, **values}
    acted |= history.event_values(actor, batch_id)
    with connection.cursor() as cursor:
        cursor.execute(changing, acted)
        free, changed, restricted = cursor.fetchone()
    return Outcome(changed=changed, unchanged=free - changed).refuse("restricted", restricted)


def raise_invalid(errors: dict[str, list[str]]) -> None:
    if errors:
        raise Invalid(errors)

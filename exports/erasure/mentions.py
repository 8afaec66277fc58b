"""Texts elsewhere that name a person: orders, saved views, imports, stored replies, reasons, requests, sync errors.

They are found first, so that a dry run can report them, and cleared in the transaction of the erasure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet
from django.utils import timezone

from compliance.models import ImportJob, ImportReject, Suppression
from contacts.events import history, scrubbing
from contacts.models import Batch, IdempotentReply, SavedView
from exports.erasure.traces import Traces
from exports.models import DataRequest, IdentityNote
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill
from unsubscribes.models import MailTemplate, SuppressionList

GONE = "…"
"""Replaces a text that identified somebody."""

# The words of each probe, joined. Splitting a probe takes longer than the look-up, so it is done once for all tables.
WORDS = """
    SELECT DISTINCT array_to_string(CASE WHEN probe LIKE '#%%' THEN ARRAY[probe]
        ELSE contacts_trace_words('{}', probe) END, ' ') AS words
    FROM unnest(%s::text[]) AS probe ORDER BY 1
"""
# The candidates: rows that contain all words of one of the probes. A GIN index on the expression finds them, so the
# cost does not grow with the table; `Traces` then decides about each candidate.
FOUND = """
    SELECT DISTINCT found.* FROM (
        SELECT string_to_array(probe, ' ') AS words FROM unnest(%(probes)s::text[]) AS probe
    ) AS wanted CROSS JOIN LATERAL (
        SELECT {columns} FROM {table} WHERE {expression} @> wanted.words AND {where}
    ) AS found
"""
REQUEST_TEXTS = ("identity_check", "extension_reason", "pause_reason", "answer")
REQUEST_WORDS = r" || E'\n' || ".join(REQUEST_TEXTS)
SEARCHED: dict[type[Model], tuple[str, str]] = {
    Batch: ("contacts_trace_words(ARRAY[params, selection], error)", "true"),
    ImportJob: ("""contacts_trace_words(ARRAY[card, "table"], file_name || E'\\n' || error)""", "true"),
    ImportReject: ("contacts_trace_words(ARRAY[cells], '')", "true"),
    IdempotentReply: ("contacts_trace_words(ARRAY[body], key)", "true"),
    Suppression: ("contacts_trace_words('{}', reason)", "reason <> ''"),
    SuppressionList: ("contacts_trace_words('{}', file_name)", "true"),
    DataRequest: (f"contacts_trace_words('{{}}', {REQUEST_WORDS})", "true"),
    IdentityNote: ("contacts_trace_words('{}', text)", "text <> ''"),
}
# The reason of an act on one person. The reason of a bulk act is in its batch.
REASON = "changes->'reason'->>1"
REASONS = fill(
    FOUND,
    columns=f"id, {REASON} AS reason",
    table="contacts_contactevent",
    expression=f"contacts_trace_words('{{}}', {REASON})",
    where=f"batch_id IS NULL AND {REASON} <> '' AND at < %(until)s",
)
IN_REASONS = "contacts_contactevent.id = ANY(%(events)s)"
# The reason of a batch is also in the events of everybody whom the batch concerned.
IN_BATCHES = """
    batch_id = ANY(%(batches)s) AND changes ? 'reason' AND contact_id IN (
        SELECT unnest(contact_ids) FROM contacts_batchchunk WHERE batch_id = ANY(%(batches)s))
"""
OWN_ERRORS = """
    sf_id IN (SELECT sf_id FROM unsubscribes_syncrecord WHERE contact_id = ANY(%s) OR address_hash IN (
        SELECT address_hash FROM contacts_contact WHERE id = ANY(%s)))
"""
CLEAR = (
    "UPDATE unsubscribes_syncerror SET message = '' WHERE message <> '' AND {own}",
    """UPDATE unsubscribes_outboxentry SET message = ''
       WHERE message <> '' AND record_id IN (SELECT id FROM unsubscribes_syncrecord WHERE {own})""",
)


@dataclass(slots=True)
class Mentions:
    """Rows that name somebody: new values by model and key, rows to delete, events to scrub, templates to report."""

    changed: dict[type[Model], dict[int, dict[str, Any]]] = field(default_factory=dict)
    deleted: dict[type[Model], list[int]] = field(default_factory=dict)
    events: list[int] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return how many rows of each kind are changed or deleted."""
        parts = [*((model, len(rows)) for model, rows in self.changed.items())]
        parts += [(model, len(ids)) for model, ids in self.deleted.items()]
        counts: dict[str, int] = {}
        for model, number in parts:
            name = NAMES[model]
            counts[name] = counts.get(name, 0) + number
        return {name: number for name, number in counts.items() if number}


NAMES: dict[type[Model], str] = {
    Batch: "orders",
    ImportJob: "imports",
    ImportReject: "rejected_rows",
    IdempotentReply: "kept_answers",
    SavedView: "saved_views",
    Suppression: "reasons",
    SuppressionList: "suppression_lists",
    DataRequest: "requests",
    IdentityNote: "requests",
}


def find(traces: Traces) -> Mentions:
    found, probes = Mentions(), _words(traces)
    place = partial(_candidates, probes=probes)
    found.changed[Batch] = _rewritten(place(Batch), ("params", "selection", "error"), traces, spared=_waiting_mail)
    found.changed[ImportJob] = _rewritten(
        place(ImportJob), ("file_name", "card", "error", "table"), traces, spared=_unread
    )
    found.changed[SuppressionList] = _rewritten(place(SuppressionList), ("file_name",), traces)
    replies = place(IdempotentReply)
    found.changed[IdempotentReply] = _rewritten(replies, ("body",), traces)
    found.deleted[IdempotentReply] = _naming(replies, ("key",), traces)
    # Each user has a handful, and they hold URL-encoded queries, which the word index cannot split. So all are read.
    found.deleted[SavedView] = _naming(SavedView.objects.all(), ("name", "query"), traces)
    rejects = place(ImportReject).values_list("pk", "cells")
    found.deleted[ImportReject] = [pk for pk, cells in rejects if traces.given_away("\n".join(cells))]
    held = _naming(place(Suppression), ("reason",), traces)
    found.changed[Suppression] = {pk: {"reason": ""} for pk in held}
    # Notes on other people's requests may name the person too.
    found.changed[DataRequest] = _rewritten(place(DataRequest), REQUEST_TEXTS, traces)
    noted = _naming(place(IdentityNote), ("text",), traces)
    found.changed[IdentityNote] = {pk: {"text": ""} for pk in noted}
    found.events = _events(traces, probes)
    texts = MailTemplate.objects.values_list("name", "subject", "body")
    found.templates = [name for name, *rest in texts if any(traces.given_away(text) for text in (name, *rest))]
    return found


def clear(found: Mentions, ids: Sequence[int], *, actor: Actor, batch_id: int | None) -> None:
    """Remove the texts. The histories of other people get an event that says that words were removed."""
    for model, rows in found.changed.items():
        for pk, values in rows.items():
            model._base_manager.filter(pk=pk).update(**values)
    for model, gone in found.deleted.items():
        model._base_manager.filter(pk__in=gone).delete()
    told = set(ids)
    if found.events:
        told |= scrubbing.scrub(IN_REASONS, {"events": found.events}, actor=actor, batch_id=batch_id, recorded=told)
    if batches := list(found.changed[Batch]):
        scrubbing.scrub(IN_BATCHES, {"batches": batches}, actor=actor, batch_id=batch_id, recorded=told)
    _clear_errors(ids)


def _clear_errors(ids: Sequence[int]) -> None:
    """Remove Salesforce's error messages about these people's records, which quote field values."""
    given = [list(ids), list(ids)]
    with connection.cursor() as cursor:
        for clearing in CLEAR:
            cursor.execute(fill(clearing, own=OWN_ERRORS), given)


def _nothing(_row: Any) -> Sequence[str]:
    return ()


def _words(traces: Traces) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(WORDS, [sorted(traces.probes())])
        return [words for (words,) in cursor if words]


def _candidates(model: type[Model], *, probes: Sequence[str]) -> QuerySet[Any]:
    expression, where = SEARCHED[model]
    table = model._meta.db_table
    with connection.cursor() as cursor:
        statement = fill(FOUND, columns="id", table=table, expression=expression, where=where)
        cursor.execute(statement, {"probes": list(probes)})
        return model._base_manager.filter(pk__in=[pk for (pk,) in cursor])


def _events(traces: Traces, probes: Sequence[str]) -> list[int]:
    """Return the events of acts on single people whose reasons name somebody."""
    until = timezone.now() + history.CLOCK_SKEW
    with connection.cursor() as cursor:
        cursor.execute(REASONS, {"probes": list(probes), "until": until})
        rows = cursor.fetchall()
    giving_away = {reason for reason in {reason for _id, reason in rows} if traces.given_away(reason)}
    return [event for event, reason in rows if reason in giving_away]


def _rewritten(
    rows: QuerySet[Any], fields: Sequence[str], traces: Traces, *, spared: Callable[[Any], Sequence[str]] = _nothing
) -> dict[int, dict[str, Any]]:
    changed = {}
    for row in rows.iterator(chunk_size=2_000):
        kept = spared(row)
        old = {name: getattr(row, name) for name in fields if name not in kept}
        new = {name: traces.without(value, GONE) for name, value in old.items()}
        if different := {name: value for name, value in new.items() if value != old[name]}:
            changed[row.pk] = different
    return changed


def _naming(rows: QuerySet[Any], fields: Sequence[str], traces: Traces) -> list[int]:
    found = rows.values_list("pk", *fields).iterator(chunk_size=2_000)
    return [pk for pk, *texts in found if any(traces.given_away(text) for text in texts)]


def _waiting_mail(batch: Batch) -> Sequence[str]:
    """Keep the text of a bulk mail that is still being sent: it goes out as it was approved."""
    return () if batch.ended else ("params",) if batch.kind == "mail" else ()


def _unread(job: ImportJob) -> Sequence[str]:
    """Keep the column mapping of a file that is still being read."""
    return () if job.ended else ("table", "card")

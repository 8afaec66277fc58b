"""Where else people's strings stand: orders, views, files of imports, kept answers, reasons, what errors said.

Found first, so that a dry run can tell, then cleared, in the transaction of the erasure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Model

from compliance.models import ImportJob, ImportReject, Suppression
from contacts import history, scrubbing
from contacts.models import Batch, IdempotentReply, SavedView
from exports.traces import FEW, Traces
from salesconnect.lib.actor import Actor
from unsubscribes.models import MailTemplate, SuppressionList, SyncError, SyncWish

GONE = "…"
"""What stands where a text was that gave somebody away."""

# Of a few people any place in a row, of many whole cells and words; what is found is looked at closely.
REJECTS_OF_FEW = "SELECT id FROM compliance_importreject WHERE lower(cells::text) LIKE ANY (%(patterns)s::text[])"
REJECTS = r"""
    SELECT id FROM compliance_importreject WHERE EXISTS (
        SELECT lower(btrim(cell)) FROM jsonb_array_elements_text(cells) cell
        WHERE lower(btrim(cell)) IN (SELECT unnest(%(cells)s::text[]))
        UNION ALL SELECT word FROM regexp_split_to_table(lower(cells::text), '[][\s",;<>()]+') word
        WHERE word IN (SELECT unnest(%(cells)s::text[]))
    )
"""
SAID = "action IN ('unsubscribed', 'resubscribed') AND changes->'reason'->>1"
REASONS = f"SELECT DISTINCT changes->'reason'->>1 FROM contacts_contactevent WHERE {SAID} <> ''"
IN_REASONS = f"{SAID} = ANY(%(reasons)s)"
# An order's reason stands with everybody whom it concerned.
IN_BATCHES = """
    batch_id = ANY(%(batches)s) AND action IN ('exported', 'unsubscribed') AND changes ? 'reason' AND contact_id IN (
        SELECT unnest(contact_ids) FROM contacts_batchchunk WHERE batch_id = ANY(%(batches)s))
"""
OWN_ERRORS = """
    sf_id IN (SELECT sf_id FROM unsubscribes_syncrecord WHERE contact_id = ANY(%s) OR address_hash IN (
        SELECT address_hash FROM contacts_contact WHERE id = ANY(%s)))
"""


@dataclass(slots=True)
class Mentions:
    """The rows that give somebody away: by model the new values of each, and what is deleted or only told of."""

    changed: dict[type[Model], dict[int, dict[str, Any]]] = field(default_factory=dict)
    deleted: dict[type[Model], list[int]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
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
}


def find(traces: Traces) -> Mentions:
    """Return what mentions these people."""
    found = Mentions()
    found.changed[Batch] = _rewritten(Batch, ("params", "selection", "error"), traces, spared=_waiting_mail)
    found.changed[ImportJob] = _rewritten(ImportJob, ("file_name", "card", "error", "table"), traces, spared=_unread)
    found.changed[SuppressionList] = _rewritten(SuppressionList, ("file_name",), traces)
    found.changed[IdempotentReply] = _rewritten(IdempotentReply, ("body",), traces)
    found.deleted[IdempotentReply] = _naming(IdempotentReply, ("key",), traces)
    found.deleted[SavedView] = _naming(SavedView, ("name", "query"), traces)
    found.deleted[ImportReject] = _rejects(traces)
    reasons = set(Suppression.objects.exclude(reason="").values_list("reason", flat=True).distinct())
    with connection.cursor() as cursor:
        cursor.execute(REASONS)
        reasons |= {row[0] for row in cursor}
    found.reasons = sorted(reason for reason in reasons if traces.given_away(reason))
    held = Suppression.objects.filter(reason__in=found.reasons) if found.reasons else Suppression.objects.none()
    found.changed[Suppression] = {pk: {"reason": ""} for pk in held.values_list("pk", flat=True)}
    texts = MailTemplate.objects.values_list("name", "subject", "body")
    found.templates = [name for name, *rest in texts if any(traces.given_away(text) for text in (name, *rest))]
    return found


def clear(found: Mentions, ids: Sequence[int], *, actor: Actor, batch_id: int | None) -> None:
    """Take the strings out. Other people's history tells that words went from it."""
    for model, rows in found.changed.items():
        for pk, values in rows.items():
            model._base_manager.filter(pk=pk).update(**values)
    for model, gone in found.deleted.items():
        model._base_manager.filter(pk__in=gone).delete()
    touched = scrubbing.scrub(IN_REASONS, {"reasons": found.reasons}) if found.reasons else []
    if batches := list(found.changed[Batch]):
        touched += scrubbing.scrub(IN_BATCHES, {"batches": batches})
    if others := sorted(set(touched) - set(ids)):
        history.record(others, history.SCRUBBED, actor=actor, batch_id=batch_id)
    _clear_errors(ids)


def _clear_errors(ids: Sequence[int]) -> None:
    """Forget what Salesforce said of these people's records: it quotes their fields."""
    given = [list(ids), list(ids)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {SyncError._meta.db_table} SET message = '' WHERE message <> '' AND {OWN_ERRORS}", given
        )
        records = f"SELECT id FROM unsubscribes_syncrecord WHERE {OWN_ERRORS}"
        cursor.execute(
            f"UPDATE {SyncWish._meta.db_table} SET message = '' WHERE message <> '' AND record_id IN ({records})", given
        )


def _nothing(_row: Any) -> Sequence[str]:
    return ()


def _rewritten(
    model: type[Model], fields: Sequence[str], traces: Traces, *, spared: Callable[[Any], Sequence[str]] = _nothing
) -> dict[int, dict[str, Any]]:
    """Return the new values of the rows that give somebody away in one of the fields, by their keys."""
    rows = {}
    for row in model._base_manager.all().iterator(chunk_size=2_000):
        kept = spared(row)
        old = {name: getattr(row, name) for name in fields if name not in kept}
        new = {name: traces.without(value, GONE) for name, value in old.items()}
        if different := {name: value for name, value in new.items() if value != old[name]}:
            rows[row.pk] = different
    return rows


def _naming(model: type[Model], fields: Sequence[str], traces: Traces) -> list[int]:
    rows = model._base_manager.values_list("pk", *fields).iterator(chunk_size=2_000)
    return [pk for pk, *texts in rows if any(traces.given_away(text) for text in texts)]


def _rejects(traces: Traces) -> list[int]:
    cells = traces.cells()
    patterns = [f"%{cell}%" for cell in cells]
    with connection.cursor() as cursor:
        cursor.execute(REJECTS_OF_FEW if traces.people <= FEW else REJECTS, {"cells": cells, "patterns": patterns})
        found = [pk for (pk,) in cursor]
    rows = ImportReject.objects.filter(pk__in=found).values_list("pk", "cells")
    return [pk for pk, cells in rows if traces.given_away("\n".join(cells))]


def _waiting_mail(batch: Batch) -> Sequence[str]:
    """Spare a mail to others that is being written: it goes out as it was approved."""
    return () if batch.ended else ("params",) if batch.kind == "mail" else ()


def _unread(job: ImportJob) -> Sequence[str]:
    """Spare the columns by which a file is still being read."""
    return () if job.ended else ("table", "card")

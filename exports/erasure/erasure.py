"""Erasure of people (GDPR art. 17) in every place. Only what prevents contacting them again remains."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import FileField, Model
from django.db.models.deletion import SET_NULL
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.card import card_changes
from compliance.suppression import erased
from contacts import recorded_files
from contacts.events import history, scrubbing
from contacts.jobs import batches
from contacts.models import Batch, Contact, ContactEvent, Merge
from contacts.people.queries import ContactQuerySet
from exports.erasure import deletion_settings, ledger_entries, mentions, person_hashes
from exports.erasure.trace_values import traces_of
from exports.files import rewriting
from salesconnect.lib import ledger as ledger_file
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Invalid, Missing, Restricted
from salesconnect.lib.outcome import Outcome
from salesconnect.lib.stored_files import remove_files_on_failure
from unsubscribes.crm.people import erasing
from unsubscribes.links import links
from unsubscribes.models import Message

UNCONFIRMED_LIMIT = 100
"""Orders to delete more people than this must say how many they expect."""
REQUEST, ON_REQUEST, RETENTION, REPLAY = "request", "on_request", "retention", "replay"
"""Why somebody was erased, if not by an ordinary deletion: a code that stays in the history.

`REQUEST`: a registered request, after the identity was checked. `ON_REQUEST`: the user who ordered the deletion says
that the person asked for it. `RETENTION`: a retention run. `REPLAY`: the replay of the ledger after a restore.
"""

# Stored replies to idempotent API requests that show the person. UNION instead of OR, so that each half uses its index.
REPLIES = """
    UPDATE contacts_idempotentreply SET body = jsonb_build_object('id', body->'id') WHERE id IN (
        SELECT id FROM contacts_idempotentreply
        WHERE body ? 'first_name' AND body->>'id' = ANY(%(numbers)s::bigint[]::text[])
        UNION SELECT id FROM contacts_idempotentreply
        WHERE body ? 'contact' AND body->>'contact' = ANY(%(numbers)s::bigint[]::text[]))
"""
# A suppression stays with its source and dates. Free text in its reason may name the person and goes; our own codes
# stay.
REASONS = """
    UPDATE compliance_suppression SET reason = ''
    WHERE address_hash = ANY(%(hashes)s::uuid[]) AND reason NOT IN ('', 'address_changed', 'merged')
"""
# Requests keep kind, dates, lateness and outcome. Open ones are closed with the outcome `erased`; one that is paused
# since before its due date is not late.
REQUESTS = """
    UPDATE exports_datarequest SET contact_id = NULL, identity_check = '', extension_reason = '', pause_reason = '',
    answer = '', paused_on = NULL, late_by = CASE WHEN state = 'done' THEN late_by WHEN paused_on <= due THEN 0
        ELSE greatest(0, %(today)s - due) END, outcome = CASE WHEN state = 'done' THEN outcome ELSE 'erased' END,
    done_at = coalesce(done_at, now()), state = 'done' WHERE contact_id = ANY(%(ids)s)
"""
IDENTITY_NOTES = """
    UPDATE exports_identitynote SET text = ''
    WHERE request_id IN (SELECT id FROM exports_datarequest WHERE contact_id = ANY(%(ids)s))
"""
ROWS = (
    "DELETE FROM contacts_merge WHERE survivor_id = ANY(%(numbers)s) OR absorbed_id = ANY(%(ids)s)",
    "DELETE FROM contacts_contact WHERE id = ANY(%(ids)s)",
)


@dataclass(slots=True)
class ErasureReport:
    """What an erasure removes, or would remove: rows, mails, files by kind; and what is left to be done elsewhere."""

    people: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    mails: int = 0
    files: dict[str, int] = field(default_factory=dict)
    mentions: dict[str, int] = field(default_factory=dict)
    salesforce: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    suppressed: bool = False
    on_request: bool = False
    remembered_until: dt.date | None = None


@act
@remove_files_on_failure
def delete(
    contacts: ContactQuerySet,
    *,
    actor: Actor,
    batch_id: int | None = None,
    why: str = "",
    until: dt.datetime | None = None,
    version: int | None = None,
) -> Outcome:
    """Erase all `contacts` everywhere (GDPR art. 17): rows, files, mails, readable history, and mentions elsewhere.

    A suppression that stood before stays: its keyed hash, date and source. `why` is a code that stays in the history.
    For people who asked to be erased the address hash is remembered as well, for as long as the team has set; `until`
    overrides that date. Restricted people are refused, because they may need the data (art. 18(1)), unless a
    registered request asks for the erasure. Raises `Stale` when a person is no longer at `version`.

    1. Keep the people out of running imports. 2. Lock them. 3. Erase them. 4. Write the ledger. The ledger is a file
    outside the database, so it comes last: a crash before the commit leaves a line too many, never one too few.
    """
    actor.require("delete_people")
    held = _keep_out(contacts)
    # Restriction protects the person, so it does not stand against the person's own request, or against one repeated.
    overrides_restriction = why in (REQUEST, REPLAY)
    ids, restricted = (
        (card_changes.lock(contacts), []) if overrides_restriction else card_changes.lock_unrestricted(contacts)
    )
    outcome = Outcome(changed=len(ids)).refuse("restricted", restricted)
    if not ids:
        return outcome
    if version is not None:
        for contact_id in ids:
            card_changes.check_version(contact_id, version)
    if why in (REQUEST, ON_REQUEST):
        until = deletion_settings.remembered_until()
    numbers = history.merged_ids(ids)
    hashes = person_hashes.of_people(ids, numbers, kept_out=held)
    lines = [] if why == REPLAY else ledger_entries.lines_of(numbers, until)
    if until:
        erased.remember(hashes, until)
    _erase(ids, numbers, hashes, why, actor=actor, batch_id=batch_id)
    ledger_file.append(lines)
    return outcome


def _keep_out(contacts: ContactQuerySet) -> set[UUID]:
    """Make imports, exports and the sync wait, or pass these people over, before the people are locked."""
    erased.hold_imports()
    recorded_files.await_exports()
    erasing.lock_sync()
    return person_hashes.keep_out(contacts)


def _erase(
    ids: Sequence[int],
    numbers: Sequence[int],
    hashes: Mapping[UUID, str],
    why: str,
    *,
    actor: Actor,
    batch_id: int | None,
) -> None:
    """Record the erasure and remove the people. Traces are found first, because they are found by the rows that go."""
    traces = traces_of(ids, numbers)
    named, exported, previews = mentions.find(traces), rewriting.exports_of(numbers), rewriting.previews_of(traces)
    # Records that were merged into a person are scrubbed too, so each of them gets the event that explains it.
    changes = {"source": (None, why)} if why else {}
    history.record(numbers, history.DELETED, actor=actor, batch_id=batch_id, changes=changes)
    scrubbing.scrub_people(numbers, actor=actor, batch_id=batch_id)
    erasing.mark(numbers)
    mentions.clear(named, ids, actor=actor, batch_id=batch_id)
    _run(ids, numbers, REPLIES)
    person_hashes.run(REASONS, hashes)
    rewriting.remove_people(exported, previews, numbers)
    _run(ids, numbers, IDENTITY_NOTES, REQUESTS)
    links.forget(ids, hashes)
    _delete_rows(ids)
    _run(ids, numbers, *ROWS)


@act
@remove_files_on_failure
def erase(contact_id: int, *, actor: Actor, dry_run: bool = False, on_request: bool = False) -> ErasureReport:
    """Erase one person and report what was removed, or with `dry_run` would be; `on_request`: the person asked for it.

    Raises `Forbidden`, `Missing`, and `Restricted` when the processing of the person's data is restricted.
    """
    actor.require("delete_people")
    people = Contact.objects.visible_to(actor).filter(pk=contact_id)
    if not dry_run:
        _keep_out(people)
    if not card_changes.lock(people):
        raise Missing
    report = report_of(contact_id, on_request=on_request)
    if not dry_run and delete(people, actor=actor, why=ON_REQUEST if on_request else "").refused:
        raise Restricted
    return report


def report_of(contact_id: int, *, on_request: bool = False) -> ErasureReport:
    """Return what the erasure of one person removes, and, if the person asked for it, until when the hash stays."""
    ids = [contact_id]
    numbers = history.merged_ids(ids)
    traces = traces_of(ids, numbers)
    named = mentions.find(traces)
    rows = {"people": 1, "events": ContactEvent.objects.filter(contact_id__in=numbers).count()}
    rows["merges"] = Merge.objects.filter(survivor_id__in=numbers).count()
    for model, key in dependent_models():
        rows[str(model._meta.model_name)] = model._base_manager.filter(**{f"{key}__in": ids}).count()
    held = {"evidence": len(_file_names(ids)), "exports": len(rewriting.exports_of(numbers))}
    return ErasureReport(
        people=1,
        rows={name: number for name, number in rows.items() if number},
        mails=Message.objects.filter(contact_id=contact_id).count(),
        files={
            name: number for name, number in (held | {"imports": len(rewriting.previews_of(traces))}).items() if number
        },
        mentions=named.counts(),
        salesforce=sorted(erasing.records_of(numbers)),
        templates=named.templates,
        on_request=on_request,
        remembered_until=timezone.localdate(deletion_settings.remembered_until()) if on_request else None,
        suppressed=Contact.objects.filter(pk=contact_id, card__unsubscribed=True).exclude(email="").exists(),
    )


def dependent_models() -> list[tuple[type[Model], str]]:
    """Return every model whose rows are deleted with their person, and its foreign key. Found by introspection."""
    return [(each.related_model, each.field.name) for each in _relations() if each.on_delete is not SET_NULL]


def order(
    contacts: ContactQuerySet,
    *,
    actor: Actor,
    expected: int | None,
    on_request: bool = False,
    selection: dict[str, Any] | None = None,
    missing: int = 0,
) -> Batch:
    """Order the deletion of many people; `expected` is the number that the caller was shown.

    Raises `Invalid` (`expected`) for more than `UNCONFIRMED_LIMIT` people without that number, and `Conflict`
    (`moved`, with `now`) when the number has changed since. Above the team's limit the batch waits for approval.
    """
    actor.require("delete_people")
    if expected is None and (people := contacts.count()) > UNCONFIRMED_LIMIT:
        words = _("Say how many people you mean to delete: “expected” is needed for more than %(limit)d.")
        raise Invalid({"expected": [words % {"limit": UNCONFIRMED_LIMIT}]})
    return batches.order(
        contacts,
        "delete",
        actor=actor,
        params={"on_request": on_request},
        selection=selection,
        missing=missing,
        approved=people if expected is None else expected,
        waits_above=deletion_settings.current().approval_above,
    )


def _delete_rows(ids: Sequence[int]) -> None:
    """Delete dependent rows and their files, and set the foreign keys of rows that outlive the person to NULL."""
    # The names are read before the rows are deleted; the files go only once that is committed.
    rewriting.delete_after_commit(_file_names(ids))
    for model, key in dependent_models():
        model._base_manager.filter(**{f"{key}__in": ids}).delete()
    for relation in _relations():
        if relation.on_delete is SET_NULL:
            rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": ids})
            rows.update(**{relation.field.name: None})


def _relations() -> list[ForeignObjectRel]:
    found = Contact._meta.get_fields(include_hidden=True)
    return [each for each in found if isinstance(each, ForeignObjectRel) and (each.one_to_many or each.one_to_one)]


def _file_names(ids: Sequence[int]) -> list[str]:
    names: list[str] = []
    for model, key in dependent_models():
        for held in model._meta.get_fields():
            if isinstance(held, FileField):
                rows = model._base_manager.filter(**{f"{key}__in": ids}).exclude(**{held.name: ""})
                names += rows.values_list(held.name, flat=True)
    return names


def _run(ids: Sequence[int], numbers: Sequence[int], *statements: str) -> None:
    values: dict[str, Any] = {"ids": list(ids), "numbers": list(numbers), "today": timezone.localdate()}
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, values)

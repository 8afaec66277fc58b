"""One chunk of an import, from its rows to people, cards and events; inside one transaction of the caller."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.card import creation, staging
from compliance.imports import statements
from compliance.imports.chunking import Chunk, RejectedRow
from compliance.models import ImportJob, Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.people.addresses import address_hashes, newest_key
from salesconnect.lib.actor import Actor
from salesconnect.lib.database import table_sizes


class ConcurrentChange(Exception):  # noqa: N818
    """One of the people was changed or created concurrently: the chunk is rolled back and repeated."""


@dataclass(slots=True)
class ChunkResult:
    """What became of the rows of a chunk; `suppressed` are among the first three."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    suppressed: int = 0
    consents_ended: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)


def process_chunk(job: ImportJob, chunk: Chunk, *, actor: Actor) -> ChunkResult:
    """Create and update the people of a chunk with their events; a dry run only says what would become of them.

    1. Stage the rows and look up the people they match. 2. Reject repeated addresses. 3. Count. 4. Create people, which
    locks the addresses and so comes before 5. Lock the cards that change. 6. Write the events, then the changes. Raises
    `ConcurrentChange` when 4 or 5 find other people than 1 saw.
    """
    actor.require("import_people")
    staging.stage_lines(chunk.people)
    table_sizes.analyze_if_unknown("contacts_contact", "compliance_compliancecard", "compliance_suppression")
    with connection.cursor() as cursor:
        cursor.execute(statements.PLAN)
        cursor.execute(statements.ASSESS, card_parameters(job.card))
        cursor.execute("ANALYZE incoming (line, contact_id)")
        cursor.execute(statements.REJECT_SEEN, {"job": job.pk})
        cursor.execute(statements.COUNT)
        *counts, newcomers_suppressed = cursor.fetchone()
        taken = ChunkResult(*counts)
        cursor.execute(statements.REJECTED)
        taken.rejected = chunk.rejected + [
            RejectedRow(line, rejection_text(code), chunk.cells[line]) for line, code in cursor.fetchall()
        ]
    if not job.dry_run:
        # An address may have been suppressed since the rows were assessed.
        taken.suppressed += _create(job, taken.created, actor) - newcomers_suppressed
        _update(job, _lock(), actor)
        _record_remaining_optouts(chunk, taken.rejected, actor)
    return taken


def _record_remaining_optouts(chunk: Chunk, rejected: list[RejectedRow], actor: Actor) -> None:
    """Take the "no" that no card has taken: of rejected rows, of a person's other addresses, and over a bounce.

    A bounce opts out here alone; that somebody said no, Salesforce has to hear too.
    """
    left = {row.line for row in rejected}
    bounced = _bounced({heard.own for line, heard in chunk.said_no.items() if heard.own and line not in left})
    by_reason: dict[str, set[str]] = {}
    for line, heard in chunk.said_no.items():
        own = {heard.own} if heard.own and (line in left or heard.own in bounced) else set()
        if addresses := own | set(heard.others):
            by_reason.setdefault(heard.reason, set()).update(addresses)
    for reason, addresses in sorted(by_reason.items()):
        source = Suppression.Source.IMPORT
        suppression.opt_out_addresses(sorted(addresses), actor=actor, source=source, reason=reason)


def _bounced(addresses: set[str]) -> set[str]:
    hashed = {each: address for address in addresses for each in address_hashes(address)}
    held = Suppression.objects.filter(address_hash__in=list(hashed), source=Suppression.Source.BOUNCE)
    return {hashed[each] for each in held.values_list("address_hash", flat=True)}


def _lock() -> int:
    with connection.cursor() as cursor:
        cursor.execute(statements.LOCK)
        changing, as_seen = cursor.fetchone()
    if as_seen != changing:
        raise ConcurrentChange
    return int(changing)


def _create(job: ImportJob, expected: int, actor: Actor) -> int:
    made = creation.create_staged(actor=actor, owner_id=job.user_id, file_name=job.file_name)
    if made.created != expected:
        raise ConcurrentChange
    return made.suppressed


def _update(job: ImportJob, changing: int, actor: Actor) -> None:
    origin = {
        "file": job.file_name,
        "hash_key": newest_key(),
        "today": timezone.localdate(),
        **history.event_values(actor, None),
    }
    with connection.cursor() as cursor:
        # A "no" is taken also from the row of somebody who is not taken in.
        cursor.execute(statements.SUPPRESS, origin)
        if changing:
            for statement in (statements.RECORD, statements.UPDATE_CONTACTS, statements.UPDATE_CARDS):
                cursor.execute(statement, origin)


def card_parameters(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card's values for all rows as parameters; what is not set is NULL."""
    return {column.name: card.get(column.name) for column in statements.CARD}


def rejection_text(code: str) -> str:
    """Return in words why a row cannot be taken, where only a look at what is recorded could tell."""
    return {
        "erased": _("The person was erased. Nothing was taken but an unsubscribe, if any."),
        "duplicate": _("Duplicate: the address stands in an earlier row of this file."),
        "consent_date": _("Consent needs the date on which it was given."),
        "consent_purpose": _("Consent needs the purpose it was given for."),
        "no_consent": _("Only Consent has a date of consent and a purpose of processing."),
        "restricted": _("Processing of this person is restricted: nothing was taken but an unsubscribe, if any."),
        "not_other": _("Only Other can be described in words."),
    }[code]

"""Compares cards with the suppressions of their addresses, with their histories, and with their people.

An opt-out is recorded in three places: card, suppression, history. If one of them has it, the others must too; no check
ever removes an opt-out. Everything else on a card must match its history, which is sealed.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection

from compliance.card import card_changes
from compliance.card.legal_basis_registry import CONSENTS, AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.suppression import lookalikes, suppression
from contacts.events import history
from contacts.models import Contact
from exports.integrity.check import (
    DifferenceCount,
    Mend,
    changed,
    chunks,
    ids_of,
    mender,
    record_correction,
    still_found,
)
from exports.integrity.folding import COLUMNS, NAMES, OF_IDS, OF_WINDOW, folded, windows
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill, listed, statement

NOT_UNSUBSCRIBED = """
    SELECT contact.id FROM contacts_contact contact
    JOIN compliance_suppression held ON held.address_hash = contact.address_hash
    JOIN compliance_compliancecard card ON card.contact_id = contact.id AND NOT card.unsubscribed
"""
NOT_SUPPRESSED = """
    SELECT contact.id FROM contacts_contact contact
    JOIN compliance_compliancecard card ON card.contact_id = contact.id AND card.unsubscribed
    WHERE contact.address_hash IS NOT NULL AND NOT EXISTS (
        SELECT FROM compliance_suppression held WHERE held.address_hash = contact.address_hash)
"""
NO_CARD = """
    SELECT contact.id FROM contacts_contact contact
    WHERE NOT EXISTS (SELECT FROM compliance_compliancecard card WHERE card.contact_id = contact.id)
"""
NEW_CARDS = """
    INSERT INTO compliance_compliancecard (contact_id, unsubscribed, version, authorization_other, consent_purpose,
        source_other, sort_last, sort_first)
    SELECT id, false, 1, '', '', '', sort_last, sort_first FROM contacts_contact WHERE id = ANY(%(ids)s)
    ON CONFLICT DO NOTHING
"""
OTHER_NAMES = """
    SELECT contact.id FROM contacts_contact contact JOIN compliance_compliancecard card ON card.contact_id = contact.id
    WHERE (contact.sort_last, contact.sort_first) IS DISTINCT FROM (card.sort_last, card.sort_first)
"""
SAME_NAMES = """
    UPDATE compliance_compliancecard card SET sort_last = contact.sort_last, sort_first = contact.sort_first
    FROM contacts_contact contact WHERE contact.id = card.contact_id AND card.contact_id = ANY(%(ids)s)
"""
# EXISTS stops at the first look-alike. A join would compare all addresses of one mailbox with each other.
LOOKS = """
    EXISTS (SELECT FROM compliance_suppression held
            WHERE held.skeleton_hash = person.skeleton_hash AND held.address_hash <> person.address_hash
            AND held.source <> 'bounce' AND held.id <> ALL (coalesce(card.told_apart_from, '{}')))
"""
OF_CARDS = """
    SELECT card.contact_id FROM compliance_compliancecard card JOIN contacts_contact person
        ON person.id = card.contact_id
"""
WRONG_LOOKS = f"""
    {OF_CARDS} WHERE NOT card.looks_opted_out AND NOT card.unsubscribed AND {LOOKS}
    UNION ALL {OF_CARDS} WHERE card.looks_opted_out AND (card.unsubscribed OR NOT {LOOKS})
"""
DIFFERS = {
    "card_history": "here AND differs",
    "opt_out_only_in_history": "here AND said_no AND NOT unsubscribed",
    "opt_out_not_in_history": "here AND unsubscribed AND NOT said_no",
    "person_not_in_history": "NOT here",
}
DIFFERING = "SELECT contact_id FROM ({folded}) folded WHERE {differs}"
PASS = ", ".join(
    f"count(*) FILTER (WHERE {condition}), min(contact_id) FILTER (WHERE {condition})::text"
    for condition in DIFFERS.values()
)


def differing() -> dict[str, DifferenceCount]:
    """Count the cards that differ from their histories, by kind of difference, in one pass over all cards."""
    query, values = folded(OF_WINDOW)
    found = dict.fromkeys(DIFFERS, DifferenceCount())
    for window in windows():
        with connection.cursor() as cursor:
            cursor.execute(fill("SELECT {counts} FROM ({folded}) folded", counts=PASS, folded=query), values | window)
            cells = cursor.fetchone()
        for place, name in enumerate(DIFFERS):
            found[name] += DifferenceCount(cells[2 * place], cells[2 * place + 1] or "")
    return found


def in_windows(name: str, act: Callable[[list[int], Actor], int]) -> Mend:
    """Return a `mend` for one kind of difference between cards and histories. It locks the cards and checks again."""

    def mend(actor: Actor) -> int:
        query, values = folded(OF_WINDOW)
        again, more = folded(OF_IDS)
        found = fill(DIFFERING, folded=query, differs=DIFFERS[name])
        found_again = fill(DIFFERING, folded=again, differs=DIFFERS[name]) + " ORDER BY 1"
        total = 0
        for window in windows():
            for ids in chunks(found, values | window):
                card_changes.lock(Contact.objects.among(ids))
                total += act(ids_of(found_again, more | {"ids": ids}), actor)
        return total

    return mend


def correct(ids: list[int], actor: Actor) -> int:
    """Set cards to what their histories say. Restricted people are left out, because their data must not be changed."""
    query, values = folded(OF_IDS)
    correcting = statement(
        __file__,
        "correct_cards",
        folded=query,
        consents=listed(CONSENTS),
        other=str(int(AuthorizationType.OTHER)),
        other_source=str(int(SourceType.OTHER)),
        columns=NAMES,
        wrong=", ".join(f"wrong.{column.name}" for column in COLUMNS),
        changes=card_changes.changes_sql(COLUMNS, old="card.", new="wrong."),
    )
    return changed(correcting, values | {"ids": ids} | history.event_values(actor, None))


def unsubscribe(ids: list[int], actor: Actor) -> int:
    """Unsubscribe people and their addresses, with the source that the history or the suppression names."""
    for source, whose in _by_source(ids):
        suppression.unsubscribe(Contact.objects.among(whose), actor=actor, source=source, said=False)
    return len(ids)


def suppress(ids: list[int], actor: Actor) -> int:
    unsubscribe(ids, actor)
    return record_correction(ids, "suppression", actor)


def record_opt_outs(ids: list[int], actor: Actor) -> int:
    """Record the opt-out of people who are unsubscribed and whose history does not say so."""
    for source, whose in _by_source(ids):
        changes: dict[str, Any] = {"source": (None, source), "reason": (None, "")}
        history.record(whose, history.UNSUBSCRIBED, actor=actor, changes=changes)
    return len(ids)


def _by_source(ids: list[int]) -> list[tuple[str, list[int]]]:
    query, values = folded(OF_IDS)
    with connection.cursor() as cursor:
        cursor.execute(statement(__file__, "sources_of_opt_outs", folded=query), values | {"ids": ids})
        return [(source, sorted(whose)) for source, whose in cursor]


def make_cards(actor: Actor) -> int:
    """Create empty cards for people who have none; the following checks fill them from the history."""
    total = 0
    for found in chunks(NO_CARD):
        ids = still_found(NO_CARD, found)
        changed(NEW_CARDS, {"ids": ids})
        total += record_correction(ids, "card", actor)
    return total


def see_lookalikes(ids: list[int], actor: Actor) -> int:
    """Correct the look-alike mark of these people, with an event each."""
    lookalikes.refresh_marks(ids)
    return len(ids)


def copy_names(ids: list[int], actor: Actor) -> int:
    changed(SAME_NAMES, {"ids": ids})
    return record_correction(ids, "sort_names", actor)


MENDS: dict[str, Mend] = {
    "card_history": in_windows("card_history", correct),
    "opt_out_only_in_history": in_windows("opt_out_only_in_history", unsubscribe),
    "opt_out_not_in_history": in_windows("opt_out_not_in_history", record_opt_outs),
    "suppressed_not_unsubscribed": mender(NOT_UNSUBSCRIBED, unsubscribe),
    "unsubscribed_not_suppressed": mender(NOT_SUPPRESSED, suppress),
    "lookalikes": mender(WRONG_LOOKS, see_lookalikes),
    "sort_names": mender(OTHER_NAMES, copy_names),
}

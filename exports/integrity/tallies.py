"""Compares stored counts with the rows that they count."""

from exports.integrity.check import DifferenceCount, changed, counted
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill, statement

KEPT = statement(__file__, "kept_tallies")
ADD = fill(
    "INSERT INTO compliance_cardtally (authorization_type, source_type, unsubscribed, consent_date, number) {kept}",
    kept=KEPT,
)
# What a batch has processed is changed, unchanged or refused; a batch that is done has processed all.
BATCHES = """
    SELECT id FROM contacts_batch
    WHERE done <> changed + unchanged + (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(refused))
        OR state = 'done' AND done <> total
"""
IMPORTS = """
    SELECT id FROM compliance_importjob WHERE state = 'done' AND total <> created + updated + unchanged + rejected
"""


def differing() -> DifferenceCount:
    """Count the kinds of cards for which the tally has a wrong number."""
    found = counted(fill("SELECT coalesce(authorization_type, 0) FROM ({kept}) kinds", kept=KEPT))
    return DifferenceCount(found.count, f"authorization {found.example}" if found.count else "")


def count_anew(actor: Actor) -> int:
    """Correct the tally. It is no data about a person, so no event is written."""
    actor.require("edit_policy")
    return changed(ADD)

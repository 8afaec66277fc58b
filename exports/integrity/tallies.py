"""Numbers that are kept against the rows that they count."""

from exports.integrity.check import DifferenceCount, changed, counted
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill, statement

KEPT = statement(__file__, "kept_tallies")
ADD = fill(
    "INSERT INTO compliance_cardtally (authorization_type, source_type, unsubscribed, consent_date, number) {kept}",
    kept=KEPT,
)
# Every person of an ended bulk change is changed, left or refused; of one that was done, all are.
BATCHES = """
    SELECT id FROM contacts_batch
    WHERE done <> changed + unchanged + (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(refused))
        OR state = 'done' AND done <> total
"""
IMPORTS = """
    SELECT id FROM compliance_importjob WHERE state = 'done' AND total <> created + updated + unchanged + rejected
"""


def differing() -> DifferenceCount:
    """Count the kinds of cards of which the tally says another number."""
    found = counted(fill("SELECT coalesce(authorization_type, 0) FROM ({kept}) kinds", kept=KEPT))
    return DifferenceCount(found.count, f"authorization {found.example}" if found.count else "")


def count_anew(actor: Actor) -> int:
    """Add to the tally what is missing. It counts cards and is nobody's record, so there is nobody's event to write."""
    actor.require("edit_policy")
    return changed(ADD)

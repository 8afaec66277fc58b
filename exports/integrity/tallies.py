"""Numbers that are kept against the rows that they count."""

from exports.integrity.check import Found, changed, counted
from salesconnect.lib.actor import Actor

KIND = "authorization_type, source_type, unsubscribed, consent_date"
# Both sides of one statement see the same cards and the same notes of the trigger, whoever writes meanwhile.
KEPT = f"""
    SELECT {KIND}, sum(number)::bigint AS number FROM (
        SELECT {KIND}, count(*) AS number FROM compliance_compliancecard GROUP BY {KIND}
        UNION ALL SELECT {KIND}, -number FROM compliance_cardtally
    ) both_ways GROUP BY {KIND} HAVING sum(number) <> 0
"""
ADD = f"INSERT INTO compliance_cardtally ({KIND}, number) {KEPT}"
# Every person of an ended bulk change is changed, left or refused; of one that was done, all are.
BATCHES = """
    SELECT id FROM contacts_batch
    WHERE done <> changed + unchanged + (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(refused))
        OR state = 'done' AND done <> total
"""
IMPORTS = """
    SELECT id FROM compliance_importjob WHERE state = 'done' AND total <> created + updated + unchanged + rejected
"""


def differing() -> Found:
    """Count the kinds of cards of which the tally says another number."""
    found = counted(f"SELECT coalesce(authorization_type, 0) FROM ({KEPT}) kinds")
    return Found(found.count, f"authorization {found.example}" if found.count else "")


def count_anew(actor: Actor) -> int:
    """Add to the tally what is missing. It counts cards and is nobody's record, so there is nobody's event to write."""
    actor.require("edit_policy")
    return changed(ADD)

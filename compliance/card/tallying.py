"""Counts of cards by kind, maintained incrementally.

Counting a million cards takes a tenth of a second for each figure; summing the tally takes a thousandth. A trigger adds
the difference that each statement makes as new rows, in the transaction of the statement, so the sums are exact in
every snapshot. Rows are only added, so writers never wait for each other; a worker compacts them now and then.
"""

from django.db import connection, transaction

SETTLE = """
    WITH noted AS (
        DELETE FROM compliance_cardtally WHERE NOT settled
        RETURNING authorization_type, source_type, unsubscribed, consent_date, number
    ), summed AS (
        SELECT authorization_type, source_type, unsubscribed, consent_date, sum(number) AS number
        FROM noted GROUP BY 1, 2, 3, 4 HAVING sum(number) <> 0
    )
    INSERT INTO compliance_cardtally (authorization_type, source_type, unsubscribed, consent_date, number, settled)
    SELECT authorization_type, source_type, unsubscribed, consent_date, number, true FROM summed
    ON CONFLICT (authorization_type, source_type, unsubscribed, consent_date) WHERE settled
    DO UPDATE SET number = compliance_cardtally.number + EXCLUDED.number
"""
EMPTY = "DELETE FROM compliance_cardtally WHERE settled AND number = 0"


@transaction.atomic
def settle() -> bool:
    """Add the notes up; returns whether this worker did, for one at a time is enough."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('compliance_cardtally'))")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(SETTLE)
        cursor.execute(EMPTY)
        return True

"""What whoever owns the database can do to the history; each is found."""

from django.db import connection

from contacts.models import SealedLeaf
from contacts.sealing import sealing
from tests.history_machine import checks

EVENT = "UPDATE contacts_contactevent SET {} WHERE id = %(event)s"
TAMPERINGS = {
    "another time": EVENT.format("at = at + interval '1 microsecond'"),
    "another person": EVENT.format("contact_id = contact_id + 1"),
    "another actor": EVENT.format("actor_name = actor_name || '.'"),
    "another act": EVENT.format("action = 'viewed' || action"),
    "another door": EVENT.format("door = 'z'"),
    "another batch": EVENT.format("batch_id = coalesce(batch_id, 0) + 1"),
    "a code added": EVENT.format("""changes = changes || '{"line": 4711}'"""),
    "a value added": EVENT.format("""changes = changes || '{"purpose": "Newsletter"}'"""),
    "removed": "DELETE FROM contacts_contactevent WHERE id = %(event)s",
    "removed with its leaf": """
        WITH gone AS (DELETE FROM contacts_contactevent WHERE id = %(event)s)
        DELETE FROM contacts_sealedleaf WHERE event_id = %(event)s
    """,
    "another seal": """
        UPDATE contacts_seal SET root = sha256(root)
        WHERE number = (SELECT seal_number FROM contacts_sealedleaf WHERE event_id = %(event)s)
    """,
}


def tamper(how: str, place: int) -> None:
    """Do one of these to one of the sealed events as the superuser; the verification must find it, and where."""
    sealing.seal_open()
    leaves = list(SealedLeaf.objects.order_by("event_id").values_list("event_id", flat=True))
    event = leaves[place % len(leaves)]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(TAMPERINGS[how], {"event": event})
        cursor.execute("SET LOCAL session_replication_role = origin")
    good, _problem, found = checks.verified()
    assert not good
    # Without the erasure that took their words the earlier events of the erased are found first.
    assert how.endswith(("leaf", "seal")) or found <= event

"""Re-hashes the addresses of people after a new suppression key, in every table that stores their hashes."""

from django.conf import settings
from django.db import connection
from psycopg2.extras import execute_values

from compliance.card import card_changes
from compliance.suppression import address_locks, lookalikes
from contacts.models import Contact
from contacts.people.addresses import address_hash, newest_key
from contacts.people.skeletons import skeleton_hashes
from salesconnect.lib.database.transactions import act
from unsubscribes.links import links

CHUNK = 1_000
# Maps old to new hashes. A suppression that exists under both keys stays under the old one as well: lookups try all
# keys.
MOVES = "CREATE TEMPORARY TABLE moved (old uuid, new uuid) ON COMMIT DROP"
SUPPRESSIONS = """
    UPDATE compliance_suppression s SET address_hash = moved.new, hash_key = %(key)s FROM moved
    WHERE s.address_hash = moved.old AND NOT EXISTS (
        SELECT FROM compliance_suppression other WHERE other.address_hash = moved.new)
"""
PEOPLE = """
    UPDATE contacts_contact c SET address_hash = moved.new, address_hash_key = %(key)s FROM moved
    WHERE c.address_hash = moved.old
"""

# Records without a person cannot be re-hashed here; the next full read of the CRM hashes their addresses anew.
RECORDS = "UPDATE unsubscribes_syncrecord r SET address_hash = moved.new FROM moved WHERE r.address_hash = moved.old"
FAILURES = "UPDATE unsubscribes_mailfailure f SET address_hash = moved.new FROM moved WHERE f.address_hash = moved.old"


def rehash_addresses() -> int:
    """Re-hash all people whose hash is of an older key, in chunks; returns how many. Safe to interrupt and repeat.

    A hash of an address that nobody here has cannot be re-hashed: its key must stay in the setting.
    """
    return 0 if len(settings.SUPPRESSION_KEYS) == 1 else rehash_all()


def rehash_all() -> int:
    """Do the same for any keys, also if the former key is lost: hashes are computed from the stored addresses."""
    total = 0
    while number := _rehash_chunk():
        total += number
    return total


@act
def _rehash_chunk() -> int:
    old = Contact.objects.exclude(email_key="").exclude(address_hash_key=newest_key())
    found = list(old.values_list("pk", "email_key", "address_hash", "skeleton_hash")[:CHUNK])
    address_locks.hold(
        hashed for _pk, key, *stored in found for hashed in (*address_locks.of_address(key), *stored) if hashed
    )
    ids = card_changes.lock(Contact.objects.among([pk for pk, *_rest in found]))
    people = Contact.objects.among(ids).exclude(address_hash=None).values_list("address_hash", "email_key")
    lookalikes.to_newest_key(key for _hashed, key in people)
    likenesses = Contact.objects.among(ids).exclude(skeleton_hash=None).values_list("skeleton_hash", "email_key")
    lookalikes.move({hashed: skeleton_hashes(key)[0] for hashed, key in likenesses if hashed})
    moves = {hashed: address_hash(email_key) for hashed, email_key in people if hashed}
    if not moves:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.moved")
        cursor.execute(MOVES)
        rows = [(str(before), str(after)) for before, after in moves.items()]
        execute_values(cursor.cursor, "INSERT INTO moved VALUES %s", rows, template="(%s::uuid, %s::uuid)")
        for statement in (SUPPRESSIONS, PEOPLE, RECORDS, FAILURES):
            cursor.execute(statement, {"key": newest_key()})
    looks = {address_hash(key): skeleton_hashes(key)[0] for hashed, key in people if hashed}
    links.rehash(moves, newest_key(), looks)
    return len(moves)

"""Whose domain was stored with its case folded gets the right form: i@faß.de was taken for i@fass.de.

Only what was stored of such an address is touched, a chunk in each transaction, and what is right already is passed
over: the migration may be stopped and started again. A "no" stands under both forms afterwards.
"""

import logging
from uuid import UUID

from django.db import migrations, transaction

from contacts.people.addresses import address_hash, newest_key
from contacts.people.rules import normalise_address

logger = logging.getLogger(__name__)

CHUNK = 500
# Only a domain that is not all ASCII can have been folded into another one.
FIND = r"""
    SELECT id, email, email_key, address_hash FROM contacts_contact
    WHERE id > %s AND email ~ '@[^@]*[^\x01-\x7F][^@]*$' ORDER BY id LIMIT %s
"""
HOLDER = "SELECT id FROM contacts_contact WHERE email_key = %s"
LOCK = "SELECT contact_id FROM compliance_compliancecard WHERE contact_id = ANY(%s) ORDER BY contact_id FOR UPDATE"
MOVE = (
    """UPDATE contacts_contact SET email_key = %(key)s, address_hash = %(new)s, address_hash_key = %(hash_key)s
       WHERE id = %(id)s""",
    """INSERT INTO compliance_suppression (address_hash, hash_key, reason, source, since, said_at)
       SELECT %(new)s, %(hash_key)s, reason, source, since, said_at FROM compliance_suppression
       WHERE address_hash = %(old)s ON CONFLICT (address_hash) DO NOTHING""",
    """UPDATE unsubscribes_maillink SET address_hash = %(new)s, hash_key = %(hash_key)s
       WHERE address_hash = %(old)s
       AND id IN (SELECT link_id FROM unsubscribes_message WHERE contact_id = %(id)s)""",
    "UPDATE unsubscribes_mailfailure SET address_hash = %(new)s WHERE contact_id = %(id)s AND address_hash = %(old)s",
    "UPDATE unsubscribes_syncrecord SET address_hash = %(new)s WHERE contact_id = %(id)s AND address_hash = %(old)s",
)
SAYS_NO = """
    SELECT EXISTS (SELECT FROM compliance_compliancecard WHERE contact_id = ANY(%(people)s) AND unsubscribed)
        OR EXISTS (SELECT FROM compliance_suppression WHERE address_hash = %(new)s)
"""
UNSUBSCRIBE = """
    SELECT compliance_unsubscribe(%s::bigint[], '{}', '', 'manual', 'address_changed', false, NULL, NULL, 'task', 'System')
"""


def respell(apps, schema_editor):
    last, connection = 0, schema_editor.connection
    while True:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(FIND, [last, CHUNK])
            found = cursor.fetchall()
            for contact_id, email, key, hashed in found:
                _respell(cursor, contact_id, email, key, hashed)
        if not found:
            return
        last = found[-1][0]


def _respell(cursor, contact_id: int, email: str, key: str, hashed: UUID) -> None:
    try:
        right = normalise_address(email)
    except ValueError:
        return
    if right == key:
        return
    new = address_hash(right)
    cursor.execute("SELECT compliance_hold_addresses(%s::uuid[])", [[str(hashed), str(new)]])
    cursor.execute(HOLDER, [right])
    people = sorted({contact_id, *(row[0] for row in cursor.fetchall())})
    cursor.execute(LOCK, [people])
    # Who has the right form too is the same person, and merges are somebody's decision; a "no" is one of both.
    if len(people) == 1:
        values = {"id": contact_id, "key": right, "new": str(new), "old": str(hashed), "hash_key": newest_key()}
        for statement in MOVE:
            cursor.execute(statement, values)
    else:
        logger.warning("People %d and %d have the same address; merge them", *people)
    cursor.execute(SAYS_NO, {"people": people, "new": str(new)})
    if cursor.fetchone()[0]:
        cursor.execute(UNSUBSCRIBE, [people])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("unsubscribes", "0017_mail_server"), ("compliance", "0011_folded_domains")]
    operations = [migrations.RunPython(respell, migrations.RunPython.noop)]

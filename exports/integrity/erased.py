"""What was kept of the erased, beyond what may be kept: words in the history, links, records of the sync, merges."""

from contacts.events import history, scrubbing
from exports.integrity.check import changed, chunks, still
from salesconnect.lib.actor import Actor

ERASED = "SELECT contact_id FROM contacts_contactevent WHERE action = 'deleted'"
WORDS = f"""
    SELECT DISTINCT contact_id FROM contacts_contactevent WHERE contact_id IN ({ERASED})
        AND changes <> contacts_scrubbed(changes)
"""
# Somebody whom the history knows and who is not here, though no act took the person away.
VANISHED = f"""
    SELECT DISTINCT contact_id FROM contacts_contactevent event WHERE action = '{history.CREATED}'
        AND NOT EXISTS (SELECT FROM contacts_contact WHERE id = event.contact_id)
        AND NOT EXISTS (SELECT FROM contacts_contactevent went WHERE went.contact_id = event.contact_id
            AND went.action = '{history.DELETED}')
        AND NOT EXISTS (SELECT FROM contacts_contactevent went WHERE went.contact_id = event.contact_id
            AND went.action = '{history.MERGED}' AND went.changes ? 'into')
"""
NOBODY = "NOT EXISTS (SELECT FROM contacts_contact WHERE id = {})"
# A record of somebody who was merged belongs to the one who stayed, and the next turn of the sync says so.
RECORDS = f"""
    SELECT id FROM unsubscribes_syncrecord WHERE contact_id IS NOT NULL AND {NOBODY.format("contact_id")}
        AND NOT EXISTS (SELECT FROM contacts_merge merge JOIN contacts_contact stayed ON stayed.id = merge.survivor_id
                        WHERE merge.absorbed_id = contact_id AND merge.undone_at IS NULL)
"""
LET_GO = "UPDATE unsubscribes_syncrecord SET contact_id = NULL, named_on = NULL WHERE id = ANY(%(ids)s)"
# A link keeps the hash while somebody has the address or its mail, or while a suppression or an erasure remembers it.
LINKS = f"""
    SELECT id FROM unsubscribes_maillink link WHERE address_hash IS NOT NULL
        AND NOT EXISTS (SELECT FROM contacts_contact other WHERE other.address_hash = link.address_hash)
        AND NOT EXISTS (SELECT FROM compliance_suppression held WHERE held.address_hash = link.address_hash)
        AND NOT EXISTS (SELECT FROM compliance_erasedaddress held WHERE held.address_hash = link.address_hash)
        AND NOT EXISTS (SELECT FROM unsubscribes_message mail WHERE mail.link_id = link.id)
        AND NOT EXISTS (SELECT FROM unsubscribes_message mail WHERE mail.id = link.replaced_in)
        AND created_at <= (SELECT max(at) FROM contacts_contactevent WHERE action = '{history.DELETED}')
"""
RECORD_HASHES = """
    SELECT id FROM unsubscribes_syncrecord record
    WHERE erased_at IS NOT NULL AND contact_id IS NULL AND address_hash IS NOT NULL
        AND NOT EXISTS (SELECT FROM compliance_suppression held WHERE held.address_hash = record.address_hash)
        AND NOT EXISTS (SELECT FROM compliance_erasedaddress gone WHERE gone.address_hash = record.address_hash)
        AND NOT EXISTS (SELECT FROM contacts_contact other WHERE other.address_hash = record.address_hash)
"""
FORGET = "UPDATE unsubscribes_syncrecord SET address_hash = NULL WHERE id = ANY(%(ids)s)"
MERGES = f"SELECT id FROM contacts_merge WHERE undone_at IS NULL AND {NOBODY.format('survivor_id')}"


def scrub(actor: Actor) -> int:
    """Take the words out of the histories of the erased."""
    total = 0
    for found in chunks(WORDS):
        ids = still(WORDS, found)
        history.record(ids, history.SCRUBBED, actor=actor)
        scrubbing.scrub_people(ids, actor=actor)
        total += len(ids)
    return total


def let_go(actor: Actor) -> int:
    """Let records of the sync go of people who are not here; they are nobody's, so there is nobody's event to write."""
    actor.require("manage_salesforce")
    return sum(changed(LET_GO, {"ids": still(RECORDS, ids)}) for ids in chunks(RECORDS))


def forget_hashes(actor: Actor) -> int:
    """Forget the address hashes that records of the erased keep without a suppression."""
    actor.require("manage_salesforce")
    return sum(changed(FORGET, {"ids": still(RECORD_HASHES, ids)}) for ids in chunks(RECORD_HASHES))

"""Data of erased people that should be gone: words in the history, links, sync records, merges."""

from contacts.events import history, scrubbing
from exports.integrity.check import changed, chunks, still_found
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import statement

WORDS = statement(__file__, "words_of_erased")
VANISHED = statement(__file__, "vanished")
RECORDS = statement(__file__, "records_of_nobody")
UNLINK = "UPDATE unsubscribes_syncrecord SET contact_id = NULL, named_on = NULL WHERE id = ANY(%(ids)s)"
LINKS = statement(__file__, "links_of_erased")
RECORD_HASHES = """
    SELECT id FROM unsubscribes_syncrecord record
    WHERE erased_at IS NOT NULL AND contact_id IS NULL AND address_hash IS NOT NULL
        AND NOT EXISTS (SELECT FROM compliance_suppression held WHERE held.address_hash = record.address_hash)
        AND NOT EXISTS (SELECT FROM compliance_erasedaddress gone WHERE gone.address_hash = record.address_hash)
        AND NOT EXISTS (SELECT FROM contacts_contact other WHERE other.address_hash = record.address_hash)
"""
FORGET = "UPDATE unsubscribes_syncrecord SET address_hash = NULL WHERE id = ANY(%(ids)s)"
# The survivor may itself have been merged into somebody else since; then it is not missing.
MERGES = """
    SELECT id FROM contacts_merge
    WHERE undone_at IS NULL AND NOT EXISTS (SELECT FROM contacts_contact WHERE id = survivor_id)
        AND NOT EXISTS (SELECT FROM contacts_merge further
                        WHERE further.absorbed_id = contacts_merge.survivor_id AND further.undone_at IS NULL)
"""


def scrub(actor: Actor) -> int:
    total = 0
    for found in chunks(WORDS):
        ids = still_found(WORDS, found)
        history.record(ids, history.SCRUBBED, actor=actor)
        scrubbing.scrub_people(ids, actor=actor)
        total += len(ids)
    return total


def unlink_records(actor: Actor) -> int:
    """Unlink sync records from people who are gone. Nobody's history is concerned, so no event is written."""
    actor.require("manage_salesforce")
    return sum(changed(UNLINK, {"ids": still_found(RECORDS, ids)}) for ids in chunks(RECORDS))


def forget_hashes(actor: Actor) -> int:
    """Remove the address hash from sync records of erased people where no suppression keeps it."""
    actor.require("manage_salesforce")
    return sum(changed(FORGET, {"ids": still_found(RECORD_HASHES, ids)}) for ids in chunks(RECORD_HASHES))

"""Compares stored hashes and normal forms with the addresses. Done in Python: the keys never reach the database."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from compliance.card import card_changes
from contacts.models import Contact
from contacts.people.addresses import address_hashes, key_name
from contacts.people.rules import normalise_address
from contacts.people.skeletons import skeleton_hashes
from exports.integrity.check import DifferenceCount, record_correction
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill

PIECE = 5_000
READ = fill(
    """
    SELECT id, email, email_key, address_hash, address_hash_key, skeleton_hash FROM contacts_contact
    WHERE id > %s AND email <> '' ORDER BY id LIMIT {piece}
""",
    piece=str(PIECE),
)
OF_PEOPLE = """
    SELECT id, email, email_key, address_hash, address_hash_key, skeleton_hash FROM contacts_contact WHERE id = ANY(%s)
"""
WRITE = """
    UPDATE contacts_contact c SET email_key = right_one.email_key, address_hash = right_one.address_hash,
        address_hash_key = right_one.hash_key, skeleton_hash = right_one.skeleton_hash
    FROM unnest(%s::bigint[], %s::text[], %s::uuid[], %s::text[], %s::uuid[])
        AS right_one (id, email_key, address_hash, hash_key, skeleton_hash)
    WHERE c.id = right_one.id
"""
AddressRow = tuple[int, str, str, UUID, str, UUID | None]


@dataclass(frozen=True, slots=True)
class _CorrectHashes:
    email_key: str
    address_hash: UUID
    hash_key: str
    skeleton_hash: UUID


def differing() -> DifferenceCount:
    """Count people whose normalised address does not match the address, or whose hash was made with no key in use."""
    found = DifferenceCount()
    for piece in _pieces():
        wrong = [row[0] for row in piece if _correction(row)]
        found += DifferenceCount(len(wrong), str(wrong[0]) if wrong else "")
    return found


def hash_anew(actor: Actor) -> int:
    """Correct them. A normalised address that somebody else has already is left: the two are to be merged by a user."""
    return sum(_mend([row[0] for row in piece if _correction(row)], actor) for piece in _pieces())


def _mend(ids: list[int], actor: Actor) -> int:
    if not ids:
        return 0
    try:
        with transaction.atomic():
            return _write(ids, actor)
    except IntegrityError:
        # Somebody else has one of the addresses. One by one, the others can still be corrected.
        return sum(_mend([each], actor) for each in ids) if len(ids) > 1 else 0


def _write(ids: list[int], actor: Actor) -> int:
    locked = card_changes.lock(Contact.objects.among(ids))
    rows = [(row[0], right) for row in _read(OF_PEOPLE, locked) if (right := _correction(row))]
    if rows:
        values = [
            (number, right.email_key, str(right.address_hash), right.hash_key, str(right.skeleton_hash))
            for number, right in rows
        ]
        with connection.cursor() as cursor:
            cursor.execute(WRITE, [list(column) for column in zip(*values, strict=True)])
        record_correction([number for number, _right_one in rows], "address_hash", actor)
    return len(rows)


def _pieces() -> Iterator[list[AddressRow]]:
    last = -(2**63)
    while piece := _read(READ, last):
        yield piece
        last = piece[-1][0]


def _read(query: str, value: int | list[int]) -> list[AddressRow]:
    with connection.cursor() as cursor:
        cursor.execute(query, [value])
        return list(cursor.fetchall())


def _correction(row: AddressRow) -> _CorrectHashes | None:
    """Return the correct values; None when nothing is wrong. A hash of an older key is left to the re-hashing task."""
    _id, email, email_key, held, held_key, skeleton = row
    key = normalise_address(email)
    hashes = dict(zip(map(key_name, settings.SUPPRESSION_KEYS), address_hashes(key), strict=True))
    # Skeletons are moved to a new key before addresses, so a skeleton hash of any key in use is correct.
    likenesses = skeleton_hashes(key)
    if email_key == key and str(hashes.get(held_key)) == str(held) and str(skeleton) in map(str, likenesses):
        return None
    newest = next(iter(hashes))
    return _CorrectHashes(key, hashes[newest], newest, likenesses[0])

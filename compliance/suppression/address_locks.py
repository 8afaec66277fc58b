"""One lock for each address, so that who brings an address in and who suppresses it never pass each other.

Whoever gives a person an address looks for its suppression, and whoever suppresses an address looks for the person who
has it. Both at once, neither would see what the other has not committed, and the "no" would never reach the card. So
both hold the address until their transaction ends, in one order for all: addresses by their hashes first, then cards by
their ids. Who has locked the card of somebody needs no lock for the address that stands on it: two people cannot have
the same one.

The lock is a row of an unlogged table that is always empty: the row is inserted and deleted at once, and whoever
inserts the same hash waits for the other transaction to end. Advisory locks would need a place for each address in
PostgreSQL's shared lock table, which has room for a few thousand in all, so that one chunk of an import would fill it;
and sharing a fixed number of them among all addresses would make every unsubscribe wait for the import that runs.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from compliance.card import card_changes
from contacts.people.addresses import address_hashes
from contacts.people.queries import ContactQuerySet
from contacts.people.skeletons import skeleton_hashes

HOLD = "SELECT compliance_hold_addresses(%s::uuid[])"


def hold(hashes: Iterable[UUID | None]) -> None:
    """Hold addresses, known by their hashes, until the transaction ends; waits for whoever holds one of them."""
    wanted = [str(each) for each in set(hashes) if each]
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [wanted])


def of_address(email_key: str) -> list[UUID]:
    """Return the hashes by which a normalised address is held: its own, and those of what it looks like.

    Who suppresses an address marks the people whose addresses look like it, and who brings one in looks for such a
    suppression: they must not pass each other either.
    """
    return [*address_hashes(email_key), *skeleton_hashes(email_key)]


def lock_people(people: ContactQuerySet, *, wanted: Iterable[str] = ()) -> list[int]:
    """Hold the addresses of `people` and the normalised ones that they are to get, then lock the cards.

    Returns the ids. Raises `Restricted` when something may not be done with one of them.
    """
    held = _hashes(people) | {hashed for key in wanted if key for hashed in of_address(key)}
    hold(held)
    ids = card_changes.lock_all_or_none(people)
    # Somebody was given another address just before the cards were locked. Nobody can change it now; should its lock
    # complete a circle of waiting, PostgreSQL breaks it and the act is done again.
    hold(_hashes(people) - held)
    return ids


def _hashes(people: ContactQuerySet) -> set[UUID]:
    known = people.exclude(email_key="").order_by().values_list("email_key", "address_hash", "skeleton_hash")
    return {hashed for key, *stored in known for hashed in (*of_address(key), *stored) if hashed}

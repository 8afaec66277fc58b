"""The address hashes of people who are being erased: of present and former addresses, and of merged records."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db import connection

from compliance.suppression import erased
from contacts.events import history
from contacts.models import Contact, ContactEvent, Merge
from contacts.people.addresses import address_hash, newest_key
from contacts.people.queries import ContactQuerySet
from contacts.people.rules import normalise_address


def keep_out(contacts: ContactQuerySet) -> set[UUID]:
    """Stop running imports from bringing these people back; return the hashes of their present addresses.

    Call it before the people are locked: an import locks addresses first and people second, so the other order could
    deadlock with it.
    """
    hashes = {hashed for hashed in contacts.values_list("address_hash", flat=True) if hashed}
    erased.keep_out_of_imports(sorted(hashes))
    return hashes


def of_people(ids: Sequence[int], numbers: Sequence[int], *, kept_out: Collection[UUID]) -> dict[UUID, str]:
    """Return the hashes of people who are locked by now, each with the name of the key that made it.

    `kept_out` is what `keep_out` returned. An address that was set between the two calls is kept out of imports here.
    """
    rows = Contact.objects.among(ids).exclude(address_hash=None).values_list("address_hash", "address_hash_key")
    hashes = {hashed: key for hashed, key in rows if hashed}
    if late := hashes.keys() - set(kept_out):
        erased.keep_out_of_imports(sorted(late))
    return hashes | _of_before(numbers, set(numbers) - set(ids))


def run(statement: str, hashes: Mapping[UUID, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"hashes": [str(each) for each in hashes]})


def _of_before(numbers: Collection[int], absorbed: Collection[int]) -> dict[UUID, str]:
    """Return the hashes of former addresses, and of the addresses of merged records.

    Addresses that now belong to somebody else are left out.
    """
    keys = {_key(email) for email in _had(numbers)}
    if absorbed:
        merges = Merge.objects.filter(absorbed_id__in=absorbed, undone_at=None)
        keys |= {_key(email) for (email,) in merges.values_list("absorbed__details__email")}
    keys -= {"", *Contact.objects.filter(email_key__in=keys - {""}).values_list("email_key", flat=True)}
    return {address_hash(key): newest_key() for key in keys}


def _had(numbers: Collection[int]) -> list[str | None]:
    changed = ContactEvent.objects.filter(contact_id__in=numbers, action=history.EDITED, changes__has_key="email")
    return list(changed.order_by().values_list("changes__email__0", flat=True))


def _key(email: str | None) -> str:
    try:
        return normalise_address(email or "")
    except ValueError:
        return ""  # an earlier erasure has removed the address from the history

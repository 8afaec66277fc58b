"""The keyed hash by which an address is recognised after the address itself is gone."""

import hashlib
import hmac
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from contacts.people.rules import folded_domain


def key_name(key: str) -> str:
    """Return the name under which rows remember a hash key: 8 hex digits of its SHA-256."""
    return hashlib.sha256(key.encode()).hexdigest()[:8]


@lru_cache(maxsize=1)
def _keys(keys: tuple[str, ...]) -> tuple[tuple[str, bytes], ...]:
    return tuple((key_name(key), key.encode()) for key in keys)


def hash_keys() -> list[bytes]:
    return [key for _name, key in _keys(tuple(settings.SUPPRESSION_KEYS))]


def newest_key() -> str:
    """Return the name of the key that new rows take: the first of the setting."""
    return _keys(tuple(settings.SUPPRESSION_KEYS))[0][0]


def address_hash(email_key: str) -> UUID:
    """Return the hash of a normalised address under the newest key: HMAC-SHA256 cut to 128 bits (RFC 2104, 5)."""
    return address_hashes(email_key)[0]


def folded_hashes(email_key: str) -> list[UUID]:
    """Return the hashes under which a normalised address was known while the case of domains was folded, if others."""
    folded = folded_domain(email_key)
    return address_hashes(folded) if folded else []


def address_hashes(email_key: str) -> list[UUID]:
    """Return the hash of a normalised address under every key of the setting, newest first; look-ups try all."""
    message = email_key.encode()
    return [UUID(bytes=hmac.digest(key, message, "sha256")[:16]) for _, key in _keys(tuple(settings.SUPPRESSION_KEYS))]

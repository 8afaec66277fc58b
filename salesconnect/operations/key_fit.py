"""Checks that the keys of the environment fit the database. With wrong keys, opt-outs of deleted people are not found.

The database stores a fingerprint of each key that it was used with. One configured key must be among them, and no key
may be missing that rows still need: an address hash is only found with its own key, and an encrypted value only
decrypted with its own. To change a key, put the new one in front of the old. A lost key is given up (`lost_keys`).
"""

import hmac
import math
import sys
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from contacts.models import KeyFingerprint
from contacts.people.addresses import key_name
from salesconnect.lib import encryption
from salesconnect.lib.database import failures
from salesconnect.lib.database.failures import WrongKey
from unsubscribes.models import SyncConnection

__all__ = ["WrongKey"]
Name = KeyFingerprint.Name
refused: list[str] = []
"""Why this process refuses all statements: the database came back after the start, and a key does not fit."""

VARIABLES = {
    Name.SUPPRESSION: "SALESCONNECT_SUPPRESSION_KEY",
    Name.UNSUBSCRIBE: "SALESCONNECT_UNSUBSCRIBE_KEY",
    Name.ENCRYPTION: "SALESCONNECT_ENCRYPTION_KEY",
}
FERNET_BYTES = 32
LEAST_LENGTH, LEAST_BITS = 32, 96
# `to_jsonb`, because before an upgrade the table may not have the column yet.
KNOWN = """
    SELECT name, fingerprint FROM contacts_keyfingerprint known WHERE to_jsonb(known)->>'given_up_at' IS NULL
"""
HASHES = """
    SELECT EXISTS (SELECT FROM compliance_suppression WHERE hash_key = %(key)s)
        OR EXISTS (SELECT FROM contacts_contact WHERE address_hash_key = %(key)s)
        OR EXISTS (SELECT FROM unsubscribes_maillink WHERE hash_key = %(key)s)
        OR EXISTS (SELECT FROM compliance_erasedaddress WHERE hash_key = %(key)s)
"""


def check(*, remember: bool = True) -> None:
    """Raise `WrongKey` if a key does not fit; else store the fingerprints of new keys. Does nothing without tables.

    One short query as long as all keys are known. With `remember=False` it only reads, for tables of an older version.
    """
    for key in keys_of(Name.ENCRYPTION):
        _check_form(key)
    if not _has_table():
        return
    held = {name: set(known) for name, known in _known().items()}
    for name in Name:
        gone = _check(name, held[name], configured := [fingerprint(name, key) for key in keys_of(name)])
        if not remember:
            continue
        KeyFingerprint.objects.filter(name=name, fingerprint__in=gone).delete()
        new = [KeyFingerprint(name=name, fingerprint=each) for each in configured if each not in held[name]]
        # A key that was given up and found again counts as in use.
        KeyFingerprint.objects.bulk_create(
            new, update_conflicts=True, unique_fields=["name", "fingerprint"], update_fields=["given_up_at", "lost"]
        )


def problem_at_start() -> str:
    """Return why a process must not start; empty if it may.

    An unreachable database does not prevent the start: the keys are then checked at the first connection, and until
    they fit no statement is carried out.
    """
    try:
        check()
    except WrongKey as problem:
        return str(problem)
    except OperationalError as error:
        sys.stderr.write(f"The keys could not be checked against the database: {failures.in_one_line(error)}\n")
        connection_created.connect(_check_when_back, dispatch_uid=_check_when_back)
    finally:
        connection.close()
    return ""


def _check_when_back(sender: object, connection: BaseDatabaseWrapper, **_: object) -> None:
    if connection.alias != DEFAULT_DB_ALIAS:
        return
    try:
        check()
    except Exception as problem:
        if isinstance(problem, WrongKey) and not refused:
            sys.stderr.write(f"{problem}\n")
            refused.append(str(problem))
        # The connection is open by now; without this the next statement would run unchecked.
        connection.close()
        raise
    connection_created.disconnect(dispatch_uid=_check_when_back)
    refused.clear()


def missing(name: Name) -> list[str]:
    """Return the fingerprints of keys that the database was used with and that are neither configured nor given up."""
    configured = {fingerprint(name, key) for key in keys_of(name)}
    return sorted(_known()[name] - configured)


def keys_of(name: Name) -> list[str]:
    if name == Name.SUPPRESSION:
        return list(settings.SUPPRESSION_KEYS)
    text = settings.UNSUBSCRIBE_KEY if name == Name.UNSUBSCRIBE else settings.ENCRYPTION_KEY
    return [key.strip() for key in text.split(",") if key.strip()]


def fingerprint(name: Name, key: str) -> str:
    """Return a key's fingerprint, which does not reveal the key. For hash keys it is the name stored in the rows."""
    if name == Name.SUPPRESSION:
        return key_name(key)
    return hmac.digest(key.encode(), f"salesconnect fingerprint {name}".encode(), "sha256").hex()[:16]


def is_weak(key: str) -> bool:
    """Tell whether a key is too short or too regular to be a secret."""
    counts = Counter(key).values()
    bits = sum(count * math.log2(len(key) / count) for count in counts)
    halves = {key[:size] for size in range(1, len(key) // 2 + 1) if (key[:size] * len(key))[: len(key)] == key}
    return len(key) < LEAST_LENGTH or bits < LEAST_BITS or bool(halves)


def is_encryption_key(key: str) -> bool:
    try:
        return len(urlsafe_b64decode(key)) == FERNET_BYTES
    except (Base64Error, ValueError):
        return False


def _known() -> dict[str, set[str]]:
    known: dict[str, set[str]] = {name: set() for name in Name.values}
    with connection.cursor() as cursor:
        cursor.execute(KNOWN)
        for name, each in cursor:
            known[name].add(each)
    return known


def _check_form(key: str) -> None:
    if not is_encryption_key(key):
        raise WrongKey("SALESCONNECT_ENCRYPTION_KEY is not a key: it must be 32 random bytes as URL-safe base64.")


def _check(name: Name, held: set[str], configured: list[str]) -> set[str]:
    """Raise `WrongKey` if a needed key is missing; return the fingerprints that are no longer needed."""
    gone = held - set(configured)
    if not gone:
        return gone
    if gone == held and not _may_be_new(name):
        raise WrongKey(
            f"{VARIABLES[name]} does not fit this database, which was used with another key:"
            " set that one again (to change it, put the new key in front of it, separated by a comma);"
            f" if it is lost for good, see `manage.py give_up_key {name}`."
        )
    needed = [each for each in sorted(gone) if _is_needed(name, each)]
    if needed:
        raise WrongKey(
            f"{VARIABLES[name]} lacks an older key that this database still needs ({needed[0]}):"
            " add it again behind the newest, separated by a comma;"
            f" if it is lost for good, see `manage.py give_up_key {name}`."
        )
    return gone


def _may_be_new(name: Name) -> bool:
    """Tell whether all keys may be replaced at once: only a key derived from SECRET_KEY, which changes with it."""
    return name == Name.ENCRYPTION and settings.ENCRYPTION_KEY_IS_DERIVED


def _is_needed(name: Name, old: str) -> bool:
    if name == Name.UNSUBSCRIBE:
        return False  # links are found by their digest, without the key that made them
    if name == Name.SUPPRESSION:
        with connection.cursor() as cursor:
            cursor.execute(HASHES, {"key": old})
            return bool(cursor.fetchone()[0])
    return any(is_unreadable(text) for text in _encrypted())


def is_unreadable(text: str) -> bool:
    """Tell whether a stored text is encrypted with a key that is not configured."""
    return encryption.is_encrypted(text) and encryption.decrypt(text) is None


def _encrypted() -> Iterator[str]:
    for pair in SyncConnection.objects.values_list("secret", "access_token"):
        yield from pair
    for data in Authenticator.objects.values_list("data", flat=True):
        yield from texts_of(data)


def texts_of(data: dict[str, Any]) -> Iterator[str]:
    """Yield the strings in the stored data of a second sign-in step."""
    for value in data.values():
        yield from (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))


def _has_table() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [KeyFingerprint._meta.db_table])
        return bool(cursor.fetchone()[0])

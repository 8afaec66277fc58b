"""The addresses of people who asked to be erased, kept as keyed hashes so that nobody brings them back for a while.

A deletion that nobody asked for leaves nothing here; a file that was on its way in meanwhile still does not bring the
person back, for the file's own list of addresses remembers that until it is read.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from compliance.models import ErasedAddress
from contacts.people.addresses import address_hashes
from salesconnect.lib.errors import Conflict

IMPORTS_LOCK = "hashtext('compliance.imports')"
REMEMBER = """
    INSERT INTO compliance_erasedaddress AS held (address_hash, hash_key, until)
    SELECT DISTINCT ON (hash) hash, key, %(until)s
    FROM unnest(%(hashes)s::uuid[], %(keys)s::text[]) AS given (hash, key) ORDER BY hash
    ON CONFLICT (address_hash) DO UPDATE
    SET erased_at = EXCLUDED.erased_at, until = greatest(held.until, EXCLUDED.until)
"""
# Files that only wait for their user are looked through, and removed when the person is in them.
KEEP_OUT = """
    INSERT INTO compliance_importseen AS held (job_id, address_hash, erased)
    SELECT DISTINCT job.id, given.hash, true FROM compliance_importjob job, unnest(%(hashes)s::uuid[]) AS given (hash)
    WHERE job.state IN ('queued', 'running') AND job.attempt > 0 AND NOT job.dry_run
    ORDER BY 1, 2
    ON CONFLICT (job_id, address_hash) DO UPDATE SET erased = true
"""


def remember(hashes: Mapping[UUID, str], until: dt.datetime) -> None:
    """Remember addresses, each hash with the name of its key, as those of people who asked to be erased."""
    values: dict[str, Any] = {"hashes": [str(each) for each in hashes], "keys": list(hashes.values()), "until": until}
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER, values)


def hold_imports() -> None:
    """Let no import begin until the transaction ends, so that each has either begun before or is a newer act."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({IMPORTS_LOCK})")


def await_erasures() -> None:
    """Wait, before an import begins, for the erasures that are under way; others wait until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock({IMPORTS_LOCK})")


def keep_out_of_imports(hashes: Sequence[UUID]) -> None:
    """Let the imports that are under way leave out these addresses; `hold_imports` comes before."""
    if hashes:
        with connection.cursor() as cursor:
            cursor.execute(KEEP_OUT, {"hashes": [str(each) for each in hashes]})


def held(email_key: str) -> ErasedAddress | None:
    """Return what is remembered of a normalised address, looked up under every hash key."""
    if not email_key:
        return None
    return ErasedAddress.objects.filter(address_hash__in=address_hashes(email_key), until__gt=Now()).first()


def refuse(email_key: str) -> None:
    """Raise `Conflict` (`erased`) when the person of a normalised address asked to be erased."""
    if found := held(email_key):
        words = _("The person with this address asked to be erased, and was.")
        raise Conflict("erased", words, until=found.until.date().isoformat())


def forget(email_key: str) -> bool:
    """Remember an address no longer, for a user decided so; returns whether it was remembered."""
    if not email_key:
        return False
    return bool(ErasedAddress.objects.filter(address_hash__in=address_hashes(email_key)).delete()[0])


def forget_old() -> list[UUID]:
    """Remember no longer what has been remembered long enough; returns the hashes."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM compliance_erasedaddress WHERE until <= now() RETURNING address_hash")
        return [row[0] for row in cursor]

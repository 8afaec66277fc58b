"""Leases that allow one reader and one writer of the CRM at a time.

They are rows with an expiry time, not advisory locks: those belong to a database session, which a connection pooler may
hand to somebody else. The holder renews its lease; one that is not renewed expires after 45 s. All times are by the
database's clock.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

from django.db import connection

from unsubscribes.crm.models import SyncLease
from unsubscribes.crm.provider_errors import LeaseLost

SECONDS = 45
KEPT_EVERY = 5
TAKE = """
    INSERT INTO unsubscribes_synclease (name, holder, until)
    VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))
    ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until
    WHERE unsubscribes_synclease.until < clock_timestamp() OR unsubscribes_synclease.holder = EXCLUDED.holder
    RETURNING 1
"""


class Lease:
    def __init__(self, name: str, holder: UUID) -> None:
        self.name, self.holder, self.kept = name, holder, time.monotonic()

    def keep(self) -> None:
        """Renew the lease, at most every 5 s. Raises `LeaseLost` when another worker has taken it over."""
        if time.monotonic() - self.kept < KEPT_EVERY:
            return
        if not _take(self.name, self.holder):
            raise LeaseLost(self.name)
        self.kept = time.monotonic()


@contextmanager
def held(name: str, *, wait: float = 0) -> Iterator[Lease | None]:
    """Hold the lease of this name; yields None when another worker still has it after `wait` seconds."""
    holder, deadline = uuid4(), time.monotonic() + wait
    while not (taken := _take(name, holder)) and time.monotonic() < deadline:
        time.sleep(0.5)
    try:
        yield Lease(name, holder) if taken else None
    finally:
        SyncLease.objects.filter(name=name, holder=holder).delete()


def _take(name: str, holder: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [name, holder, SECONDS])
        return cursor.fetchone() is not None

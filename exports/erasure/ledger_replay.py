"""After a restore from an older backup: repeats the erasures and opt-outs that the ledger recorded since the backup.

The ledger names people by number, and a restored database gives numbers out again. So a line means only somebody who
was created before the erasure. An opt-out is not repeated where a later re-consent is in the database.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.db import connection
from django.utils import timezone

from compliance.suppression import address_locks, suppression
from contacts.models import Contact
from exports.erasure import erasure
from exports.erasure.ledger_entries import CHUNK, ERASED
from salesconnect.lib import ledger
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act

T = TypeVar("T")
MEANT = """
    SELECT id FROM contacts_contact JOIN unnest(%s::bigint[], %s::timestamptz[]) AS line (number, at) ON id = number
    WHERE created_at < line.at
"""
SUPPRESS = """
    INSERT INTO compliance_suppression
        (address_hash, hash_key, reason, source, since, said_at, in_ledger, skeleton_hash)
    SELECT hash, key, '', source, at, at, true, look
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::uuid[]) AS line (hash, key, source, at, look)
    WHERE NOT EXISTS (
        SELECT FROM contacts_contact c JOIN contacts_contactevent e ON e.contact_id = c.id
        WHERE c.address_hash = line.hash AND e.action = 'resubscribed' AND e.at > line.at)
    ORDER BY hash ON CONFLICT (address_hash) DO NOTHING RETURNING address_hash, source
"""


@dataclass(frozen=True, slots=True)
class OptOutEntry:
    hash: str
    key: str
    source: str
    at: dt.datetime
    # The hash of the look-alike skeleton; lines written by version 0.1 have none.
    skeleton: str | None = None


@dataclass(frozen=True, slots=True)
class ErasureEntry:
    """Who was erased and when; `until` is set for people who asked for it, whose address is remembered that long."""

    number: int
    at: dt.datetime
    until: dt.datetime | None


@dataclass(slots=True)
class Replayed:
    erased: int = 0
    suppressed: int = 0


def replay(*, actor: Actor) -> Replayed:
    """Repeat what is in the ledger and not in the database. Safe to run again. Raises `Forbidden`."""
    actor.require("delete_people")
    erased: dict[int, ErasureEntry] = {}
    opt_outs: dict[str, OptOutEntry] = {}
    for line in ledger.read():
        at = dt.datetime.fromisoformat(line["at"])
        if line["what"] == ERASED:
            until = dt.datetime.fromisoformat(line["until"]) if "until" in line else None
            erased[line["contact"]] = ErasureEntry(line["contact"], at, until)
        if known := line.get("hash"):
            opt_outs[known] = OptOutEntry(known, line["key"], line["source"], at, line.get("skeleton"))
    done = Replayed()
    # Opt-outs first: later re-consents are found by the people's events and addresses, which an erasure removes.
    for lines in _chunks(opt_outs.values()):
        done.suppressed += _suppress(lines, actor)
    for people in _chunks(erased.values()):
        done.erased += _erase(people, actor)
    return done


def _chunks(found: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(found)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


@act
def _suppress(lines: list[OptOutEntry], actor: Actor) -> int:
    address_locks.hold(UUID(each) for line in lines for each in (line.hash, line.skeleton) if each)
    columns = zip(*((line.hash, line.key, line.source, line.at, line.skeleton) for line in lines), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(SUPPRESS, [list(column) for column in columns])
        new = cursor.fetchall()
    for source in sorted({source for _hash, source in new}):
        holders = Contact.objects.filter(address_hash__in=[known for known, given in new if given == source])
        suppression.unsubscribe(holders, actor=actor, source=source)
    return len(new)


@act
def _erase(lines: list[ErasureEntry], actor: Actor) -> int:
    with connection.cursor() as cursor:
        cursor.execute(MEANT, [[line.number for line in lines], [line.at for line in lines]])
        meant = {row[0] for row in cursor}
    by_day: dict[dt.datetime | None, list[int]] = {}
    for line in lines:
        if line.number in meant:
            still = line.until if line.until and line.until > timezone.now() else None
            by_day.setdefault(still, []).append(line.number)
    return sum(
        erasure.delete(Contact.objects.among(sorted(numbers)), actor=actor, why=erasure.REPLAY, until=until).changed
        for until, numbers in by_day.items()
    )

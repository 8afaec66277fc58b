"""A list of addresses that must not be mailed, taken in: it can only ever opt out, and may be taken in again."""

import csv
import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO
from uuid import UUID

from django.utils.translation import gettext as _

from compliance import address_locks, suppression
from compliance.imports.headers import SYNONYMS, key
from compliance.models import Suppression
from contacts.addresses import address_hashes
from contacts.models import Contact
from contacts.rules import normalise_address
from salesconnect.lib.actor import Actor
from salesconnect.lib.csv import FileRefused, RowError, unsafe_cell
from salesconnect.lib.csv.encoding import detect
from salesconnect.lib.csv.reading import DELIMITERS
from salesconnect.lib.csv.records import records
from salesconnect.lib.transactions import act
from unsubscribes.models import SuppressionList

CHUNK = 5_000
KEPT_REJECTS = 10_000
HEADERS = {*SYNONYMS["email"], "address", "recipient", "recipientemail", "subscriber", "adress", "mottagare"}

Line = tuple[int, str | RowError]
Progress = Callable[[int], None]


def take(file: BinaryIO, file_name: str, *, actor: Actor, progress: Progress | None = None) -> SuppressionList:
    """Suppress every address of a file, with the people who have them; returns the list and its counts.

    The file is a plain list with an address on each line, or a CSV with a column of addresses, whose header names it
    or which holds an @ in the first row. Each 5,000 lines are one transaction, and what is done stays done. Raises
    `FileRefused` when the file cannot be read at all.
    """
    actor.require("import_suppressions")
    lines = _lines(file)
    first = list(islice(lines, CHUNK))
    if not first:
        raise FileRefused(_("The file is empty."))
    taken = SuppressionList.objects.create(file_name=file_name[:255], user_id=actor.user_id, actor_name=actor.name)
    chunk, done = first, 0
    while chunk:
        _take_chunk(taken, chunk, actor)
        done += len(chunk)
        if progress:
            progress(done)
        chunk = list(islice(lines, CHUNK))
    return taken


def _lines(file: BinaryIO) -> Iterator[Line]:
    """Yield the number of each line and what stands where its address should."""
    codec = detect(file)
    if codec is None:
        raise FileRefused(_("The file is not text in UTF-8, UTF-16 or Windows-1252."))
    file.seek(0)
    text = io.TextIOWrapper(file, codec, newline="")
    try:
        delimiter = _delimiter(text.readline(1 << 16))
        text.seek(0)
        yield from _column(records(text, delimiter))
    finally:
        text.detach()


def _delimiter(line: str) -> str:
    """Return the delimiter that cuts the first line into the most cells; a plain list has none, and any will do."""
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([line], delimiter=delimiter), [])))


def _column(rows: Iterator[tuple[int, list[str] | RowError]]) -> Iterator[Line]:
    place: int | None = None
    for number, cells in rows:
        if isinstance(cells, RowError):
            yield number, cells
            continue
        if place is None:
            place, is_header = _place(cells)
            if is_header:
                continue
        yield number, unsafe_cell(cells[place].lstrip("\ufeff")) if place < len(cells) else ""


def _place(first: list[str]) -> tuple[int, bool]:
    """Return which column holds the addresses, and whether the first row is a header."""
    for place, cell in enumerate(first):
        if "@" in cell:
            return place, False
    for place, cell in enumerate(first):
        if key(cell) in HEADERS:
            return place, True
    if len(first) == 1:
        return 0, False
    raise FileRefused(_("No column of the file is called Email, and its first row holds no address."))


def _take_chunk(taken: SuppressionList, chunk: list[Line], actor: Actor) -> None:
    addresses: dict[str, list[UUID]] = {}
    rejects = []
    for number, cell in chunk:
        try:
            address = _address(cell)
            addresses[address] = address_hashes(address)
        except ValueError as problem:
            rejects.append([number, str(problem)])
    _store(taken.pk, addresses, rejects, len(chunk), actor)
    taken.refresh_from_db()


@act
def _store(taken_id: int, addresses: dict[str, list[UUID]], rejects: list[Any], lines: int, actor: Actor) -> None:
    """Suppress the addresses of a chunk and count its lines, in one transaction."""
    taken = SuppressionList.objects.get(pk=taken_id)
    new = _suppress(addresses, taken.file_name, actor)
    taken.new += new
    taken.already += lines - len(rejects) - new
    taken.invalid += len(rejects)
    taken.rejects += rejects[: max(0, KEPT_REJECTS - len(taken.rejects))]
    taken.save(update_fields=["new", "already", "invalid", "rejects"])


def _address(cell: str | RowError) -> str:
    if isinstance(cell, RowError):
        raise ValueError(cell.reason)  # noqa: TRY004 - nothing is wrong with the type
    return normalise_address(cell)


def _suppress(addresses: dict[str, list[UUID]], reason: str, actor: Actor) -> int:
    """Suppress the addresses, given with their hashes, newest key first; return how many could be mailed before."""
    every = [address_hash for hashes in addresses.values() for address_hash in hashes]
    address_locks.hold(every)
    known = set(Suppression.objects.filter(address_hash__in=every).values_list("address_hash", flat=True))
    fresh = [hashes[0] for hashes in addresses.values() if known.isdisjoint(hashes)]
    source = Suppression.Source.IMPORT
    holders = Contact.objects.filter(email_key__in=list(addresses))
    suppression.unsubscribe(holders, actor=actor, source=source, reason=reason)
    suppression.suppress_hashes(fresh, source=source, reason=reason)
    return len(fresh)

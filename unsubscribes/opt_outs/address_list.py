"""Imports a list of addresses that must not be mailed. It can only opt out, and is idempotent."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Self, TextIO, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from compliance.imports.headers import SYNONYMS, key
from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.people.found_addresses import addresses_in
from salesconnect.lib.actor import Actor
from salesconnect.lib.csv import FileRefused, RowError, unsafe_cell
from salesconnect.lib.csv.bounded_reader import records
from salesconnect.lib.csv.encoding import detect
from salesconnect.lib.csv.table import DELIMITERS
from salesconnect.lib.database.transactions import act
from unsubscribes.models import SuppressionList

CHUNK = 5_000
KEPT_REJECTS = 10_000
HEADERS = {*SYNONYMS["email"], "address", "recipient", "recipientemail", "subscriber", "adress", "mottagare"}

MAIL = re.compile(r"e?mail|epost")
# Columns with addresses of colleagues and senders, who did not opt out.
FOREIGN = re.compile(r"owner|agent|sender|from|createdby|modifiedby|assigned|rep$|ägare|säljare|avsändare")
SEPARATOR = re.compile(r"\ufeff?\"?sep=(.)\"?\s*$", re.IGNORECASE)
NOTHING = gettext_noop("No email address was found on this line.")
PARTLY = gettext_noop("Not every address on this line could be read; those that could are suppressed.")

# The number of a line, groups of its cells, and why it cannot be read as a row.
FileLine = tuple[int, list[list[str]], str]
Progress = Callable[[int], None]


def take(file: BinaryIO, file_name: str, *, actor: Actor, progress: Progress | None = None) -> SuppressionList:
    """Suppress every address of a file, with the people who have them; returns the list and its counts.

    The file is a plain list with an address on each line, or a CSV with columns of addresses, whose header names them
    or which hold an @ in the first row; where these hold none, the row's other cells are looked at. Every address is
    taken, however it is wrapped (see `found_addresses`); lines that were not understood, wholly or in part, are listed.
    Each 5,000 lines are one transaction, and what is done stays done. Raises `FileRefused` when the file cannot be read
    at all, or nothing in its first lines looks like one.
    """
    actor.require("import_suppressions")
    lines = _lines(file)
    first = list(islice(lines, CHUNK))
    if not first:
        raise FileRefused(_("The file is empty."))
    if not any(_is_about_mail(groups) for _number, groups, _reason in first):
        raise FileRefused(_("The file holds no email address."))
    taken = SuppressionList.objects.create(file_name=file_name[:255], user_id=actor.user_id, actor_name=actor.name)
    chunk, done = first, 0
    while chunk:
        _take_chunk(taken, chunk, actor)
        done += len(chunk)
        if progress:
            progress(done)
        chunk = list(islice(lines, CHUNK))
    return taken


def _lines(file: BinaryIO) -> Iterator[FileLine]:
    """Yield the number of each line and the cells in which its addresses should stand, the likely ones first."""
    codec = detect(file)
    if codec is None:
        raise FileRefused(_("The file is not text in UTF-8, UTF-16 or Windows-1252."))
    file.seek(0)
    text = io.TextIOWrapper(file, codec, newline="")
    try:
        first = text.readline(1 << 16)
        told = SEPARATOR.match(first)
        if not told:
            text.seek(0)
        source = _LineRecorder(text)
        rows = records(cast("TextIO", source), told[1] if told else _delimiter(first))
        yield from _searched(((number + bool(told), cells) for number, cells in rows), source)
    finally:
        text.detach()


class _LineRecorder:
    """Records the last line that was read: a row that is not valid CSV may still contain an address."""

    def __init__(self, text: TextIO) -> None:
        self.text, self.last, self.cut = text, "", False

    def readline(self, size: int) -> str:
        """Return at most `size` characters of the next line; `cut` records that one was longer."""
        self.last = self.text.readline(size)
        self.cut |= len(self.last) >= size
        return self.last


def _delimiter(line: str) -> str:
    """Return the delimiter that splits the first line into the most cells; for a plain list any will do."""
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([line], delimiter=delimiter), [])))


def _searched(rows: Iterator[tuple[int, list[str] | RowError]], source: _LineRecorder) -> Iterator[FileLine]:
    columns: AddressColumns | None = None
    for number, read in rows:
        if isinstance(read, RowError):
            yield number, [read.cells or [source.last]], read.reason if source.cut else ""
            source.cut = False
            continue
        cells = [unsafe_cell(cell.lstrip("\ufeff")) for cell in read]
        if columns is None:
            columns = AddressColumns.of(cells)
            if columns.is_header:
                continue
        yield number, columns.searched(cells), ""


@dataclass(frozen=True, slots=True)
class AddressColumns:
    """The columns whose header names them as addresses (`named`), and those of colleagues and senders (`foreign`)."""

    named: tuple[int, ...] = ()
    foreign: tuple[int, ...] = ()
    is_header: bool = False

    @classmethod
    def of(cls, first: list[str]) -> Self:
        """Find the columns by the first row, which is a header or has an address in it."""
        if any("@" in cell for cell in first):
            return cls(tuple(place for place, cell in enumerate(first) if "@" in cell))
        names = [key(cell) for cell in first]
        foreign = tuple(place for place, name in enumerate(names) if FOREIGN.search(name))
        named = [place for place, name in enumerate(names) if name in HEADERS or MAIL.search(name)]
        named = [place for place in named if place not in foreign]
        return cls(tuple(named), foreign if named else (), bool(named) or len(first) > 1)

    def searched(self, cells: list[str]) -> list[list[str]]:
        """Return a row's cells in groups: where the first holds no address, the next is looked at."""
        named = [cells[place] for place in self.named if place < len(cells)]
        others = [cell for place, cell in enumerate(cells) if place not in {*self.named, *self.foreign}]
        return [named, others]


def _take_chunk(taken: SuppressionList, chunk: list[FileLine], actor: Actor) -> None:
    addresses: dict[str, None] = {}
    rejects: list[tuple[int, str]] = []
    total = 0
    for number, groups, reason in chunk:
        found, missed = _found(groups)
        total += len(found)
        addresses |= dict.fromkeys(found)
        if reason or missed or not found:
            rejects.append((number, reason or _(PARTLY if found else NOTHING)))
    _store(taken.pk, list(addresses), rejects, total, actor)
    taken.refresh_from_db()


def _is_about_mail(groups: list[list[str]]) -> bool:
    return any("@" in cell or addresses_in(cell)[0] for group in groups for cell in group)


def _found(groups: list[list[str]]) -> tuple[list[str], bool]:
    """Return the addresses of the first group of cells that holds any, and whether an @ in it belongs to none."""
    missed = False
    for group in groups:
        read = [addresses_in(cell) for cell in group]
        found = list(dict.fromkeys(address for addresses, _missed in read for address in addresses))
        missed |= any(each for _addresses, each in read)
        if found:
            return found, missed
    return [], missed


@act
def _store(taken_id: int, addresses: list[str], rejects: list[Any], found: int, actor: Actor) -> None:
    taken = SuppressionList.objects.get(pk=taken_id)
    source = Suppression.Source.IMPORT
    new = suppression.opt_out_addresses(addresses, actor=actor, source=source, reason=taken.file_name)
    taken.new += new
    taken.already += found - new
    taken.invalid += len(rejects)
    taken.rejects += rejects[: max(0, KEPT_REJECTS - len(taken.rejects))]
    taken.save(update_fields=["new", "already", "invalid", "rejects"])

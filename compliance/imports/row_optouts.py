"""Finds the opt-out in a row of an import, also in a row that is rejected. Pure.

A row may be rejected because a cell is too long, an address is wrapped in a name, or a stray comma has shifted its
cells, and hold an opt-out all the same. Where its meaning is uncertain, the person is opted out: the safe error.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compliance.card.rules import TEXT_LIMIT
from compliance.imports.cell_values import opted_out
from compliance.imports.headers import SYNONYMS, key
from compliance.imports.mapping import Mapping, apply
from compliance.imports.optouts import ColumnKind, first_no, is_plain_no, kind_of
from contacts.people.found_addresses import addresses_in
from contacts.people.rules import normalise_address

# Further addresses of the same person; an assistant's or an owner's is none.
_OWN_ADDRESS = re.compile(
    r"(?:primary|secondary|second|alternate|alternative|additional|other|private|personal|work|home|business|privat|"
    r"arbete|arbets|annan|extra|sekundär)*(?:e?mail|epost|mejl)\d*(?:address|adress)?\d*(?:value|värde)?"
)


@dataclass(frozen=True, slots=True)
class RowOptOut:
    """A "no": the row's own address where it can be read, the other addresses it is about, and the column that says it.

    The reason is empty where our own field says it.
    """

    own: str
    others: tuple[str, ...]
    reason: str


def find_optout(mapping: Mapping, cells: Sequence[str]) -> RowOptOut | None:
    """Return the "no" of a row, None when it says none; its cells may be too few, too many or wrong."""
    if not (mapping.optouts or "opted_out" in mapping.columns.values()):
        return None
    width = len(mapping.headers) or len(cells)
    for row in _readings(cells, width):
        moved = len(cells) > width
        if (reason := _reason(mapping, row, moved=moved)) is not None:
            own, others = _addresses(mapping, row, elsewhere=cells if moved else ())
            return RowOptOut(own, others, reason)
    return None


def _readings(cells: Sequence[str], width: int) -> Iterator[Sequence[str]]:
    """Yield the cells as they stand below the headers; where they are too many, counted from the end too."""
    yield cells if len(cells) >= width else [*cells, *[""] * (width - len(cells))]
    if len(cells) > width:
        yield cells[-width:]


def _reason(mapping: Mapping, cells: Sequence[str], *, moved: bool) -> str | None:
    """Return the column that says no; where the cells have moved, only what is a "no" below any header counts."""
    if moved:
        index = next((index for index, kind in mapping.optouts.items() if is_plain_no(kind, cells[index])), None)
    else:
        index = first_no(mapping.optouts, cells, mapping.decided)
    if index is not None:
        return mapping.headers[index][:TEXT_LIMIT]
    own = _of_field(mapping, "opted_out")
    return "" if any(_refuses(mapping, index, cells[index], moved=moved) for index in own) else None


def _refuses(mapping: Mapping, index: int, cell: str, *, moved: bool) -> bool:
    """Tell whether a cell of our own field says no; one that means nothing does, where the column's name is plain."""
    try:
        return opted_out(cell)
    except ValueError:
        header = mapping.headers[index] if mapping.headers else ""
        plain = key(header) in SYNONYMS["opted_out"] or kind_of(header) in (ColumnKind.NEGATIVE, ColumnKind.HAPPENED)
        return plain and not moved


def _addresses(mapping: Mapping, row: Sequence[str], elsewhere: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    found = dict.fromkeys(address for index in _of_field(mapping, "email") for address in addresses_in(row[index])[0])
    for index, header in enumerate(mapping.headers):
        if index not in mapping.columns and _OWN_ADDRESS.fullmatch(key(header)):
            found |= dict.fromkeys(addresses_in(row[index])[0])
    try:
        own = normalise_address(apply(mapping, row).get("email", ""))
    except ValueError:
        own = ""
    if not (own or found):  # where the cells have moved it stands somewhere
        found = dict.fromkeys(address for cell in elsewhere for address in addresses_in(cell)[0])
    found.pop(own, None)
    return own, tuple(found)


def _of_field(mapping: Mapping, field: str) -> list[int]:
    return [index for index, name in mapping.columns.items() if name == field]

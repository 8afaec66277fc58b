"""Which column of a file goes to which field. Pure."""

import dataclasses
from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from compliance.imports.headers import FIELDS, FULL_NAME, GOOGLE, ORIGINS, SYNONYMS, key, origin_of
from compliance.imports.optouts import ColumnKind, optout_columns, word

IDENTIFYING = frozenset({"first_name", "last_name", FULL_NAME, "email"})
_GOOGLE_SEPARATOR = " ::: "


@dataclass(frozen=True, slots=True)
class Mapping:
    """The field of each column by its index, and the program the file comes from (`""` when it is not known)."""

    columns: dict[int, str]
    origin: str
    # Columns that go to no field and are read for an opt-out; and those that are left out, of which nobody said so.
    optouts: dict[int, ColumnKind] = dataclasses.field(default_factory=dict)
    left_out: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    # The words of such a column that somebody has said to mean a "no", where somebody was asked.
    decided: dict[int, frozenset[str]] = dataclasses.field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Say whether a row can name anybody: without a name or an address the header is unknown to us."""
        return not IDENTIFYING.isdisjoint(self.columns.values())


def recognise(
    headers: Sequence[str],
    chosen: Map[str, str] | None = None,
    ignore: Sequence[str] = (),
    words: Map[str, Sequence[str]] | None = None,
) -> Mapping:
    """Return the mapping of a header, with the user's own choice (header → field, or `""` to leave it out) above it.

    Each field is filled from one column, the best known and of equals the first; other columns stay unmapped, and so
    do those that an import must not set (times, the person's number). A full name is used only where first and last
    name have no columns. Columns of other programs that say who opted out are read for that, unless they stand in
    `ignore`, the columns that are left out on purpose; `words` are those that say no in a column (header → words) of
    which one cannot be sure. Raises ValueError naming what is no column or no field, or a
    field that is chosen twice.
    """
    keys = [key(header) for header in headers]
    origin = origin_of(keys)
    columns = _chosen_columns(headers, keys, chosen or {})
    taken = {field for field in columns.values() if field}
    own = ORIGINS[origin].own if origin else {}
    for field, synonyms in SYNONYMS.items():
        extra = tuple(header for header, ours in own.items() if ours == field)
        index = _first(keys, [name for name in (*synonyms, *extra) if own.get(name, field) == field], columns)
        if index is not None and field not in taken and not (field == FULL_NAME and _named(taken)):
            columns[index] = field
            taken.add(field)
    filled = {index: field for index, field in sorted(columns.items()) if field}
    ignored = {_index(header, headers, keys) for header in ignore}
    left = [index for index in range(len(headers)) if index not in filled and index not in ignored]
    optouts = optout_columns(headers, left)
    left_out = tuple(index for index in left if index not in optouts)
    decided = {_index(header, headers, keys): frozenset(map(word, said)) for header, said in (words or {}).items()}
    return Mapping(filled, origin, optouts, left_out, tuple(names(headers)), decided)


def names(headers: Sequence[str]) -> list[str]:
    """Return a name for each column that no other column has: a header that comes again gets a number, `Email (2)`."""
    found: dict[str, None] = {}
    for header in headers:
        name, number = header, 1
        while name in found or (number > 1 and name in headers):
            number += 1
            name = f"{header} ({number})".strip()
        found[name] = None
    return list(found)


def apply(mapping: Mapping, cells: Sequence[str]) -> dict[str, str]:
    """Return the cells of a row by field name; a full name comes as first and last name."""
    values = {field: cells[index] for index, field in mapping.columns.items()}
    if mapping.origin == GOOGLE:  # which puts all values of a kind into one cell
        values = {field: value.partition(_GOOGLE_SEPARATOR)[0] for field, value in values.items()}
    if FULL_NAME in values:
        first, last = split_name(values.pop(FULL_NAME))
        values = {"first_name": first, "last_name": last} | {name: text for name, text in values.items() if text}
    return values


def split_name(name: str) -> tuple[str, str]:
    """Return first and last name: what follows the last space is the last name; `Berg, Anna` is told by its comma."""
    last, comma, first = name.partition(",")
    if comma:
        return first.strip(), last.strip()
    first, _space, last = " ".join(name.split()).rpartition(" ")
    return (first, last) if first else (last, "")


def _named(taken: set[str]) -> bool:
    return "first_name" in taken or "last_name" in taken


def _first(keys: list[str], names: list[str], mapped: Map[int, str]) -> int | None:
    """Return the index of the most preferred header that is free, None when there is none."""
    free = {name: index for index, name in reversed(list(enumerate(keys))) if index not in mapped}
    return next((free[name] for name in names if name in free), None)


def _chosen_columns(headers: Sequence[str], keys: list[str], chosen: Map[str, str]) -> dict[int, str]:
    columns: dict[int, str] = {}
    for header, field in chosen.items():
        if field and field not in FIELDS:
            raise ValueError(_("There is no field “%(name)s” to import into.") % {"name": field})
        if field and field in columns.values():
            raise ValueError(_("Two columns are chosen for the field “%(name)s”.") % {"name": field})
        columns[_index(header, headers, keys)] = field
    return columns


def _index(header: str, headers: Sequence[str], keys: list[str]) -> int:
    """Return the index of a column by its unique name, else by its normalised header. Raises `ValueError`."""
    if header.strip() in (named := names(headers)):
        return named.index(header.strip())
    if (name := key(header)) and name in keys:
        return keys.index(name)
    raise ValueError(_("The file has no column “%(name)s”.") % {"name": header})

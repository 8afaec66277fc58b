"""What the cells of the card's columns mean. Pure; each function raises ValueError with the reason."""

import datetime as dt
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from django.utils.translation import gettext as _

from compliance.card.legal_basis_registry import AUTHORIZATION_WORDS, AuthorizationType
from compliance.card.rules import NOT_RECORDED
from compliance.card.source_registry import SourceType
from compliance.imports.headers import key
from compliance.imports.optouts import YES, is_opt_out, word
from contacts.people.details import UNPRINTABLE
from salesconnect.lib.slug_choices import SlugChoices

_NOTHING = {"", key(NOT_RECORDED), "ejregistrerad", "ejregistrerat", "inteangivet", "ejangivet", "notapplicable"}

_NO = {
    "",
    "0",
    "false",
    "no",
    "n",
    "f",
    "off",
    "unchecked",
    "nej",
    "falskt",
    "falsch",
    "faux",
    "falso",
    "nein",
    "non",
    "subscribed",
}

_DATE = re.compile(
    r"(\d{4})([-/.]?)(\d\d)\2(\d\d)"
    r"(?:[T ]\d\d[:.]\d\d(?:[:.]\d\d(?:[.,]\d{1,9})?)? ?(?:Z|UTC|[+-]\d\d:?(?:\d\d)?)?)?"
)
# The day of an opt-out may be guessed, for it is one on whatever day: 31/12/2024, 1.2.24, Dec 31, 2024, 5 maj 2024.
_ANY_DATE = re.compile(
    r"\d{4}[-/.]?\d\d[-/.]?\d\d|\d{1,2}([-/. ])\d{1,2}\1\s?\d{2,4}"
    r"|[^\W\d]{3,9}\.? \d{1,2},? \d{4}|\d{1,2}\.? [^\W\d]{3,9}\.?,? \d{4}"
)


def authorization_type(cell: str) -> AuthorizationType | None:
    """Return the type that a slug or a label names; None when nothing is recorded.

    Several names parted by semicolons, as HubSpot writes them, must mean the same type.
    """
    types = _types_by_word(AuthorizationType)
    found = {types.get(name, name) for name in map(key, cell.split(";")) if name not in _NOTHING}
    if not found:
        return None
    code = found.pop()
    if found or not isinstance(code, AuthorizationType):
        raise ValueError(_("“%(text)s” is not an authorization type.") % {"text": cell})
    return code


def source_type(cell: str) -> SourceType | None:
    """Return the source type that a slug or a label names; None when nothing is recorded."""
    name = key(cell)
    if name in _NOTHING:
        return None
    if name not in _types_by_word(SourceType):
        raise ValueError(_("“%(text)s” is not a source type.") % {"text": cell})
    return _types_by_word(SourceType)[name]


def consent_date(cell: str) -> dt.date | None:
    """Return the day of `2026-03-01`, `20260301`, `2026/03/01` or a time stamp that starts so; None for nothing.

    The day counts as it is written, whatever zone follows. Forms in which day and month could change places are
    refused: a date of consent must not be guessed.
    """
    if not cell.strip():
        return None
    if not (match := _DATE.fullmatch(cell.strip())):
        raise ValueError(_("“%(text)s” is not a date. Write it as 2026-03-01.") % {"text": cell})
    year, month, day = (int(match[group]) for group in (1, 3, 4))
    try:
        return dt.date(year, month, day)
    except ValueError as error:
        raise ValueError(_("“%(text)s” is not a day of the calendar.") % {"text": cell}) from error


def opted_out(cell: str) -> bool:
    """Return whether a cell says that the person does not want mail; a date is that of an opt-out."""
    name = word(cell)
    if name in YES or is_opt_out(cell) or _ANY_DATE.match(cell.strip()):
        return True
    if name not in _NO:
        raise ValueError(_("“%(text)s” is neither yes nor no.") % {"text": cell})
    return False


def text(cell: str) -> str:
    """Return a free text as it is; what cannot be seen or stored is refused."""
    if UNPRINTABLE.search(cell):
        raise ValueError(_("Remove the characters that cannot be seen."))
    return cell


@cache
def _types_by_word(types: type[SlugChoices]) -> Mapping[str, Any]:
    """Return the types of a card by the keys of all words that name them."""
    return {
        key(word): code
        for code in types
        for word in (code.slug, *code.labels_in_every_language(), *AUTHORIZATION_WORDS.get(code, ()))
    }

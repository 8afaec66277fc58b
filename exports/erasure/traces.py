"""Which strings identify a person in a text: addresses, phone numbers, profiles, names. Pure; `shared` is injected."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from contacts.people.field_registry import Trace, traced_by

ADDRESS = re.compile(r"""[^\s"'<>(),;:=&?\[\]{}|]+@[^\s"'<>(),;:=&?\[\]{}|]+""")
NUMBER = re.compile(r"\+?\d[\d\s()./-]{5,}\d")
WORD = re.compile(r"[^\W_]+")
# The last digits of a phone number are compared, because country code and prefix are written in many ways.
DIGITS = 7
# Shorter strings also occur as ordinary words.
SHORTEST_NAME, SHORTEST_MAILBOX, SHORTEST_WHOLE = 3, 6, 6
NUMBERS, WHOLE = traced_by(Trace.NUMBER), traced_by(Trace.NUMBER, Trace.WHOLE)
COUPLE, FEW = 2, 100

Values = Mapping[str, Iterable[str]]


def words(text: str) -> list[str]:
    return WORD.findall(text.casefold())


@dataclass(slots=True)
class Traces:
    """The identifying strings of some people.

    `shared` tells whether a word is also somebody else's name. A single name identifies a person only if nobody else
    has it; first and last name together always do.
    """

    shared: Callable[[str], bool]
    addresses: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)
    names: dict[str, set[frozenset[str]]] = field(default_factory=lambda: defaultdict(set))
    people: int = 0

    def add(self, values: Values) -> None:
        self.people += 1
        for address in (*values.get("email", ()), *values.get("email_key", ())):
            if address:
                self.addresses.add(address.casefold())
                self.alone |= {w for w in words(address.partition("@")[0]) if len(w) >= SHORTEST_MAILBOX}
        numbers = (number for name in NUMBERS for number in values.get(name, ()))
        self.numbers |= {end for number in numbers if (end := _digits(number))}
        texts = (text.casefold() for name in WHOLE for text in values.get(name, ()))
        self.whole |= {text for text in texts if len(text) >= SHORTEST_WHOLE}
        firsts = [found for text in values.get("first_name", ()) if (found := words(text))]
        lasts = [found for text in values.get("last_name", ()) if (found := words(text))]
        self.alone |= {word for name in (*firsts, *lasts) for word in name if len(word) >= SHORTEST_NAME}
        for last in lasts:
            self.names[last[-1]] |= {frozenset((first[0], *last)) for first in firsts}

    def cells(self) -> list[str]:
        """Return the cell values that mark a row of a file as possibly about one of these people."""
        names = {" ".join(name) for found in self.names.values() for name in found}
        return sorted(self.addresses | self.whole | self.alone | set(self.names) | names)

    def probes(self) -> set[str]:
        """Return search terms of which every identifying text contains at least one.

        An index finds the few candidate texts by them. A phone number is `#` followed by its last digits.
        """
        names = {" ".join((last, *sorted(name))) for last, found in self.names.items() for name in found}
        # `shared` is a query for each word. For one or two people it saves reading every text with a common first name.
        alone = {word for word in self.alone if not self.shared(word)} if self.people <= COUPLE else self.alone
        return self.addresses | self.whole | {f"#{digits}" for digits in self.numbers} | names | alone

    def given_away(self, text: str) -> bool:
        """Tell whether a text, possibly URL-encoded, identifies one of these people."""
        plain = unquote_plus(text) if "%" in text or "+" in text else text
        return self._in(text.casefold()) or (plain != text and self._in(plain.casefold()))

    def without(self, value: Any, put: str = "") -> Any:
        """Return a JSON value with every identifying text replaced by `put`."""
        if isinstance(value, str):
            return put if self.given_away(value) else value
        if isinstance(value, list):
            return [self.without(each, put) for each in value]
        if isinstance(value, dict):
            return {name: self.without(each, put) for name, each in value.items()}
        return value

    def _in(self, text: str) -> bool:
        if text.strip() in self.whole or any(part in self.whole for part in text.split()):
            return True
        # A substring search finds more than the word search below, and is too slow for many people at once.
        if self.people <= FEW and any(each in text for each in (*self.whole, *self.addresses)):
            return True
        if any(found.strip(".") in self.addresses for found in ADDRESS.findall(text)):
            return True
        if any(_digits(found) in self.numbers for found in NUMBER.findall(text)):
            return True
        said = set(words(text))
        if any(needed <= said for word in said & self.names.keys() for needed in self.names[word]):
            return True
        return any(not self.shared(word) for word in said & self.alone)


def _digits(text: str) -> str:
    found = re.sub(r"\D", "", text)
    return found[-DIGITS:] if len(found) >= DIGITS else ""

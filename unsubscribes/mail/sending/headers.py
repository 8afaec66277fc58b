"""Encodes header fields by RFC 2047 and RFC 5322. Pure.

The standard library makes encoded-words of 76 characters, or of a thousand if lines must not be folded; 75 are allowed,
on lines of at most 76. `List-Unsubscribe` is never folded, because not every program that reads it can unfold it.
"""

import base64
import re
from email.policy import Compat32
from typing import Any

WORD_LIMIT, LINE_LIMIT, LONGEST_LINE = 75, 76, 998
LONGEST_PLAIN = 60
OPENING, CLOSING = "=?utf-8?{}?", "?="
OVERHEAD = len(OPENING.format("q") + CLOSING)
# What may stand as itself in a Q-encoded word wherever the word stands (RFC 2047, 5(3)).
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
UNSEEN = re.compile(r"[\x00-\x1f\x7f]+")
SPECIAL = re.compile(r"[^A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]")
UNFOLDED = ("list-unsubscribe", "list-unsubscribe-post", "message-id")


def text(name: str, value: str) -> str:
    """Return the body of an unstructured field, such as Subject."""
    value = UNSEEN.sub(" ", value)
    return _words(value, LINE_LIMIT - len(name) - 2) if _needs_encoding(value) else value


def mailbox(name: str, display: str, address: str) -> str:
    """Return the body of a field that names one mailbox: a display name, quoted or encoded, and the address."""
    display = " ".join(UNSEEN.sub(" ", display).split())
    if not display:
        return address
    if _needs_encoding(display):
        return f"{_words(display, LINE_LIMIT - len(name) - 2)} <{address}>"
    if SPECIAL.search(display):
        escaped = display.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{display} <{address}>"


class HeaderPolicy(Compat32):
    """Folds fields at 76 characters, except those that programs read."""

    def fold(self, name: str, value: Any) -> str:
        return self._for(name)._whole_or_folded(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self._for(name)._whole_or_folded(name, value).encode("ascii", "surrogateescape")

    def _for(self, name: str) -> "HeaderPolicy":
        limit = LONGEST_LINE if name.lower() in UNFOLDED else LINE_LIMIT
        return self.clone(max_line_length=limit)

    def _whole_or_folded(self, name: str, value: Any) -> str:
        return super().fold(name, value)


def _needs_encoding(value: str) -> bool:
    """Tell whether a text needs encoding: it is not ASCII, looks encoded, or has a word too long for a line."""
    return not value.isascii() or "=?" in value or any(len(word) > LONGEST_PLAIN for word in value.split())


def _words(value: str, first: int) -> str:
    """Return a text as encoded-words; the first has less room, because the field name is on its line."""
    kind = min("qb", key=lambda code: len(_encoded(code, value)))
    words, rest, room = [], value, min(first, WORD_LIMIT)
    while rest:
        taken = _fitting(kind, rest, room - OVERHEAD)
        words.append(OPENING.format(kind) + _encoded(kind, rest[:taken]) + CLOSING)
        rest, room = rest[taken:], WORD_LIMIT
    return " ".join(words)


def _fitting(kind: str, value: str, room: int) -> int:
    """Return how many characters fit; a character is never split between two words."""
    size, taken = 0, 0
    for character in value:
        size += len(_encoded("q", character)) if kind == "q" else len(character.encode())
        if (size if kind == "q" else -(-size // 3) * 4) > room:
            break
        taken += 1
    return max(taken, 1)


def _encoded(kind: str, value: str) -> str:
    if kind == "b":
        return base64.b64encode(value.encode(errors="replace")).decode()
    return "".join(
        letter
        if letter in PLAIN
        else "_"
        if letter == " "
        else "".join(f"={byte:02X}" for byte in letter.encode(errors="replace"))
        for letter in value
    )

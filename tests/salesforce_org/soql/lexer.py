"""SOQL text to tokens."""

import re
from dataclasses import dataclass

PATTERN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d|[+-]\d{4}))
  | (?P<date>\d{4}-\d\d-\d\d)
  | (?P<number>[+-]?\d+(?:\.\d+)?)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<name>[A-Za-z_][A-Za-z0-9_.]*)
  | (?P<operator><>|!=|<=|>=|=|<|>)
  | (?P<mark>[(),])
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


class SoqlError(Exception):
    """A query that is refused: a code, a message, and where in the text."""

    def __init__(self, code: str, message: str, position: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.position = code, message, position


@dataclass(frozen=True)
class Token:
    """A word of a query."""

    kind: str
    text: str
    position: int

    @property
    def word(self) -> str:
        """Return the text as a keyword would be written."""
        return self.text.upper()


def tokens(text: str) -> list[Token]:
    """Split a query; the last token is an empty one of kind `end`."""
    result, position = [], 0
    while position < len(text):
        match = PATTERN.match(text, position)
        if match is None:
            raise SoqlError("MALFORMED_QUERY", f"unexpected token: '{text[position]}'", position)
        if match.lastgroup != "space":
            result.append(Token(str(match.lastgroup), match.group(), position))
        position = match.end()
    return [*result, Token("end", "", len(text))]


def unquote(literal: str) -> str:
    """Return what a string literal stands for; raise SoqlError for an escape that SOQL does not know."""

    def replace(match: re.Match[str]) -> str:
        if match.group(1) in "%_":  # only LIKE tells these from the bare characters
            return match.group()
        try:
            return ESCAPES[match.group(1).lower()]
        except KeyError:
            raise SoqlError("MALFORMED_QUERY", f"Illegal string escape sequence: {match.group()}") from None

    return re.sub(r"\\(.)", replace, literal[1:-1], flags=re.DOTALL)

"""Record ids: 15 case-sensitive characters, or 18 of which the last three tell the case of the others."""

import string

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
CHECK_CHARACTERS = string.ascii_uppercase + "012345"
PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "Lead": "00Q",
    "User": "005",
    "Organization": "00D",
    "ContactHistory": "03z",
    "LeadHistory": "03y",
}
OBJECTS = {prefix: name for name, prefix in PREFIXES.items()}
BULK_JOB, QUERY_LOCATOR = "750", "01g"


class MalformedIdError(ValueError):
    """The text is no record id."""


def check_characters(short: str) -> str:
    """Return the check characters of a 15-character id: one a block of five, whose bit k is set for an upper case."""
    blocks = (short[0:5], short[5:10], short[10:15])
    return "".join(CHECK_CHARACTERS[sum(char.isupper() << bit for bit, char in enumerate(block))] for block in blocks)


def long_id(text: str) -> str:
    """Return the 18 characters of an id given as 15 or 18; raise MalformedIdError when it is none."""
    if len(text) not in {15, 18} or not text.isascii() or not text.isalnum():
        raise MalformedIdError(text)
    short = text[:15]
    checked = short + check_characters(short)
    if len(text) == 18 and text != checked:
        raise MalformedIdError(text)
    return checked


def make_id(prefix: str, number: int) -> str:
    """Return the 18-character id of the number-th record with a prefix; ids sort as their numbers do."""
    tail = ""
    for _ in range(8):
        number, digit = divmod(number, 62)
        tail = DIGITS[digit] + tail
    short = f"{prefix}QE00{tail}"
    return short + check_characters(short)


def object_of(record_id: str) -> str:
    """Return the name of the object that an id belongs to; raise MalformedIdError for an unknown prefix."""
    try:
        return OBJECTS[record_id[:3]]
    except KeyError:
        raise MalformedIdError(record_id) from None

"""Numbers as they come in addresses and forms."""

DIGITS = 18


def whole(text: str) -> int | None:
    """Return the whole number that `text` is, or None for anything else and for what PostgreSQL could not hold."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else None

"""Merge fields: `{{ first_name }}`, or `{{ first_name|friend }}` with words for those who have none.

Users write these texts, so no template engine ever sees them: a name in braces is replaced once, and that is all.
"""

import re
from collections.abc import Callable, Mapping

FIELD = re.compile(r"\{\{([^{}]*)\}\}")


def unknown_fields(text: str, known: set[str]) -> list[str]:
    """Return the merge fields in `text` that are not `known`, as they are written there."""
    found = (match[1] for match in FIELD.finditer(text))
    return [field.strip() for field in found if _parts(field)[0] not in known]


def merge(text: str, values: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """Return `text` with each known merge field replaced by its escaped value; what is unknown stays as it is."""

    def replaced(match: re.Match[str]) -> str:
        name, fallback = _parts(match[1])
        return escape(values[name].strip() or fallback) if name in values else match[0]

    return FIELD.sub(replaced, text)


def _parts(field: str) -> tuple[str, str]:
    name, _bar, fallback = field.partition("|")
    return name.strip(), fallback.strip()

"""Merge fields: `{{ first_name }}`, or `{{ first_name|friend }}` with a fallback for empty values.

The texts are written by users, so they never go through a template engine: names in braces are replaced once, and the
values are not expanded again.
"""

import re
from collections.abc import Callable, Mapping

FIELD = re.compile(r"\{\{([^{}]*)\}\}")


def unknown_fields(text: str, known: set[str]) -> list[str]:
    """Return the merge fields in `text` that are not `known`, as written."""
    found = (match[1] for match in FIELD.finditer(text))
    return [field.strip() for field in found if _parts(field)[0] not in known]


def merge(text: str, values: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """Replace each known merge field by its escaped value; unknown ones stay as they are."""

    def replaced(match: re.Match[str]) -> str:
        name, fallback = _parts(match[1])
        return escape(values[name].strip() or fallback) if name in values else match[0]

    return FIELD.sub(replaced, text)


def _parts(field: str) -> tuple[str, str]:
    name, _bar, fallback = field.partition("|")
    return name.strip(), fallback.strip()

"""The addresses of a list: its query with changes, and the pages on either side of one."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from salesconnect.lib.database.keyset import Page


def address(query: Mapping[str, str], path: str = "", **changes: str | None) -> str:
    """Return the address of a list; what has no value stays out of it. Without `path` it is relative to the page."""
    values = {**query, **changes}
    return f"{path}?{urlencode({name: value for name, value in values.items() if value})}"


def neighbours(page: Page[Any], query: Mapping[str, str], path: str = "") -> dict[str, str | None]:
    """Return the addresses of the pages before and after one, by the names that `_pager.html` knows."""
    cursors = {"previous_url": page.previous, "next_url": page.next}
    return {name: cursor and address(query, path, cursor=cursor) for name, cursor in cursors.items()}

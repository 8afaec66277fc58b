"""Keyset pagination: a page begins after a row instead of an offset, so page 10,000 costs as much as page 1."""

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.utils.translation import gettext as _

from salesconnect.lib.errors import Invalid

Row = TypeVar("Row")


class RowValue(Func):
    """`(a, b, id)`, which PostgreSQL compares as one value and answers from one index."""

    template = "(%(expressions)s)"
    arg_joiner = ", "


class RowComparison(Func):
    """`left > right` or `left < right` as a condition."""

    template = "(%(expressions)s)"
    output_field = BooleanField()


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of the order: a field path and its direction.

    `stands_for` is the path of another column with the same values, whose cursors are valid for this one too.
    """

    path: str
    descending: bool = False
    stands_for: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one page in their order, and the cursors of its neighbours, if there are any."""

    rows: list[Row]
    next: str | None
    previous: str | None


def page(
    queryset: QuerySet[Any, Row],
    keys: Sequence[SortKey],
    *,
    cursor: str | None,
    size: int,
    values: Callable[[Row], tuple[Any, ...]],
) -> Page[Row]:
    """Return one page of `queryset` in the order of `keys`, the last of which must be unique.

    `values` tells the keys of a row. An unknown or damaged cursor raises `Invalid`.
    """
    backwards, start = _decrypt_cursor(cursor, keys) if cursor else (False, None)
    rows = list(after_cursor(queryset, keys, cursor)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (bool(rows), more) if backwards else (more, start is not None and bool(rows))
    return Page(
        rows,
        next=_encrypt_cursor(False, keys, values(rows[-1])) if has_next and rows else None,
        previous=_encrypt_cursor(True, keys, values(rows[0])) if has_previous and rows else None,
    )


def after_cursor(queryset: QuerySet[Any, Row], keys: Sequence[SortKey], cursor: str | None) -> QuerySet[Any, Row]:
    """Return the rows after the cursor, or all, in the order in which they are read. Raises as `page`."""
    backwards, start = _decrypt_cursor(cursor, keys) if cursor else (False, None)
    if start is not None:
        queryset = queryset.filter(_after_condition(keys, start, backwards=backwards))
    return queryset.order_by(*(_order(key, backwards=backwards) for key in keys))


def _order(key: SortKey, *, backwards: bool) -> str:
    return f"-{key.path}" if key.descending != backwards else key.path


def _after_condition(keys: Sequence[SortKey], start: Sequence[Any], *, backwards: bool) -> Any:
    if len({key.descending for key in keys}) == 1:
        return _compare([key.path for key in keys], start, descending=keys[0].descending != backwards)
    # SQL has no row comparison with mixed directions, so it is spelled out; the first bound lets an index be used.
    first, rest = keys[0], keys[1:]
    descending = first.descending != backwards
    ahead = Q(**{f"{first.path}__{'lt' if descending else 'gt'}": start[0]})
    level = Q(**{first.path: start[0]}) & Q(_after_condition(rest, start[1:], backwards=backwards))
    return Q(**{f"{first.path}__{'lte' if descending else 'gte'}": start[0]}) & (ahead | level)


def _compare(paths: Sequence[str], start: Sequence[Any], *, descending: bool) -> RowComparison:
    left = RowValue(*(F(path) for path in paths))
    right = RowValue(*(Value(value) for value in start))
    return RowComparison(left, right, arg_joiner=" < " if descending else " > ")


@lru_cache(maxsize=1)
def _cipher(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"keyset" + secret.encode()).digest()))


def _encrypt_cursor(backwards: bool, keys: Sequence[SortKey], values: tuple[Any, ...]) -> str:
    """Return an encrypted cursor: sort keys are names and addresses, which must not appear in a URL."""
    plain = json.dumps([backwards, _names(keys), [_plain(value) for value in values]])
    return _cipher(settings.SECRET_KEY).encrypt(plain.encode()).decode()


def _decrypt_cursor(cursor: str, keys: Sequence[SortKey]) -> tuple[bool, list[Any]]:
    try:
        backwards, names, values = json.loads(_cipher(settings.SECRET_KEY).decrypt(cursor.encode()))
    except (InvalidToken, ValueError):
        backwards, names, values = False, None, []
    if names != _names(keys):
        words = _("This cursor is damaged or belongs to another order; start from the first page.")
        raise Invalid({"cursor": [words]})
    return backwards, [_value(value) for value in values]


def _names(keys: Sequence[SortKey]) -> list[str]:
    return [f"{'-' if key.descending else ''}{key.stands_for or key.path}" for key in keys]


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; a time is a date too, so it is asked first."""
    if isinstance(value, dt.datetime):
        return {"t": value.isoformat()}
    return {"d": value.isoformat()} if isinstance(value, dt.date) else value


def _value(value: Any) -> Any:
    match value:
        case {"t": text}:
            return dt.datetime.fromisoformat(text)
        case {"d": text}:
            return dt.date.fromisoformat(text)
    return value

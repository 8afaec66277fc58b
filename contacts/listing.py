"""The list of people: its orders, each an index, and its pages."""

from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contacts.models import Contact
from contacts.queries import ContactQuerySet, IsAny
from salesconnect.lib import keyset
from salesconnect.lib.errors import Invalid
from salesconnect.lib.keyset import Key, Page

# How many people a search walks past in the order of the list, as long as one in so many is expected to match.
STEPS = (4_000, 8_000, 16_000)
WORTH = 8
DEFAULT = "last_name,first_name,id"
PATHS = {
    "last_name": "card__sort_last",
    "first_name": "card__sort_first",
    "email": "email_key",
    "company": "sort_company",
    "created_at": "created_at",
    "updated_at": "card__updated_at",
    "id": "id",
}


def ordering_keys(ordering: str) -> list[Key]:
    """Return the keys of an `ordering` such as `-updated_at`; `Invalid` names a field that cannot order.

    Last names that are equal go on by first name, and the id makes every order unique, in the direction of the last
    field: one index then serves the whole order.
    """
    keys: list[Key] = []
    names = [name.strip() for name in (ordering or DEFAULT).split(",")]
    for name in [*names, *(["first_name"] if names[-1].lstrip("-") == "last_name" else []), "id"]:
        path = PATHS.get(name.removeprefix("-"))
        if path is None:
            raise Invalid({"ordering": [_("The list cannot be ordered by “%(name)s”.") % {"name": name}]})
        if path not in {key.path for key in keys}:
            descending = name.startswith("-") or (name not in names and keys[-1].descending)
            keys.append(Key(path, descending))
    # By name the order is the card's, whose index holds the id as the contact's key.
    return [Key("card__contact_id", key.descending) if _on_card(keys, key) else key for key in keys]


def people_page(queryset: QuerySet[Any, Any], ordering: str, cursor: str | None, size: int) -> Page[Any]:
    """Return one page of people in the given order as dictionaries; `queryset` is a `.values()` with the keys."""
    keys = ordering_keys(ordering)
    # Everybody has a card; saying so makes the join an inner one, which can walk the card's indexes.
    people = queryset.filter(card__isnull=False)
    if isinstance(people, ContactQuerySet) and not people.query.is_empty():
        ids = _first(people, keys, cursor, size + 1)
        people = people if ids is None else people.filter(IsAny(ids))
    return keyset.page(
        people,
        keys,
        cursor=cursor,
        size=size,
        values=lambda row: tuple(row[key.path] for key in keys),
    )


def _first(people: ContactQuerySet, keys: list[Key], cursor: str | None, number: int) -> list[int] | None:
    """Return the ids of the first of the people, where PostgreSQL should not choose how to find them; else None."""
    if people.searched:
        return _found(people, keys, cursor, number)
    if people.wider is None:
        return None
    # It takes a text in the middle of another for rare, so it would rather look at everybody than walk the order.
    order = keyset.beyond(people.wider.filter(card__isnull=False), keys, cursor).values("pk")
    ids = _collected(people.filter(pk__in=order[: STEPS[0]]), keys, cursor, number)
    return ids if len(ids) == number else None


def _found(people: ContactQuerySet, keys: list[Key], cursor: str | None, number: int) -> list[int]:
    """Return the ids of the first of the people whom a search finds.

    What many match is soon met by walking the order, step by step; the rest is collected by the index of words and
    then sorted. PostgreSQL cannot choose well by itself: it knows how many match, but takes them for evenly spread,
    and a last name is all in one place.
    """
    order = keyset.beyond(Contact.objects.filter(card__isnull=False), keys, cursor).values("pk")
    (expected, _cost), walked = people.order_by().planned(), 0
    ids: list[int] = []
    for step in STEPS:
        if expected < WORTH * (walked + step):
            break
        near = people.filter(pk__in=order[walked : walked + step])
        ids += _collected(near, keys, cursor, number - len(ids))
        if len(ids) == number:
            return ids
        walked += step
    return _collected(people, keys, cursor, number)


def _collected(people: QuerySet[Any, Any], keys: list[Key], cursor: str | None, number: int) -> list[int]:
    """Return the first ids, found without a thought of their order: OFFSET 0 keeps the planner from walking it."""
    found = keyset.beyond(people, keys, cursor)
    columns = [f"key{place}" for place in range(len(keys))]
    order = [
        f"{column} DESC" if name.startswith("-") else column
        for column, name in zip(columns, map(str, found.query.order_by), strict=True)
    ]
    sql, params = found.order_by().values_list(*(key.path for key in keys)).query.sql_with_params()
    with connections[people.db].cursor() as cursor_:
        cursor_.execute(
            f"SELECT {columns[-1]} FROM ({sql} OFFSET 0) AS found ({', '.join(columns)})"
            f" ORDER BY {', '.join(order)} LIMIT %s",
            [*params, number],
        )
        return [row[0] for row in cursor_]


def _on_card(keys: list[Key], key: Key) -> bool:
    return key.path == "id" and keys[0].path.startswith("card__")

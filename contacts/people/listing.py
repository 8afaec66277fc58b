"""The pages of the people list. Each order is served by an index.

PostgreSQL plans some combinations of filter, search and order badly, because it assumes that matches are evenly spread
over the order. For those this module chooses between scanning the order in steps, hashing the cards first, and
collecting all matches to sort them.
"""

from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contacts.models import Contact
from contacts.people.queries import ContactQuerySet, InArray, InHashedSubquery, planner_estimate
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import Page, SortKey
from salesconnect.lib.database.sql import fill
from salesconnect.lib.errors import Invalid

# How many people are scanned in each step, and while at least one in SELECTIVITY is expected to match.
SCAN_STEPS = (1_000, 3_000, 4_000, 4_000, 8_000)
SELECTIVITY = 8
# With so many cards, hash the card ids, then scan the contact index: fewer are sorted, more are met soon anyway.
HASH_MIN, HASH_MAX = 2_000, 30_000
# Columns of the card that the contact has as well.
CONTACT_COLUMNS = {"card__sort_last": "sort_last", "card__sort_first": "sort_first", "card__contact_id": "id"}
DEFAULT = "last_name,first_name,id"
# OFFSET 0 is an optimisation fence: PostgreSQL collects all matches and sorts them instead of scanning the order.
SORT_AND_LIMIT = "SELECT {id} FROM ({found} OFFSET 0) AS found ({columns}) ORDER BY {order} LIMIT %s"
PATHS = {
    "last_name": "card__sort_last",
    "first_name": "card__sort_first",
    "email": "email_key",
    "company": "sort_company",
    "created_at": "created_at",
    "updated_at": "card__updated_at",
    "id": "id",
}


def ordering_keys(ordering: str) -> list[SortKey]:
    """Return the keys of an `ordering` such as `-updated_at`; `Invalid` names a field that cannot order.

    Last names that are equal go on by first name, and the id makes every order unique, in the direction of the last
    field: one index then serves the whole order.
    """
    keys: list[SortKey] = []
    names = [name.strip() for name in (ordering or DEFAULT).split(",")]
    for name in [*names, *(["first_name"] if names[-1].lstrip("-") == "last_name" else []), "id"]:
        path = PATHS.get(name.removeprefix("-"))
        if path is None:
            raise Invalid({"ordering": [_("The list cannot be ordered by “%(name)s”.") % {"name": name}]})
        if path not in {key.path for key in keys}:
            descending = name.startswith("-") or (name not in names and keys[-1].descending)
            keys.append(SortKey(path, descending))
    # By name the order is the card's, whose index holds the id as the contact's key.
    return [SortKey("card__contact_id", key.descending) if _on_card(keys, key) else key for key in keys]


def people_page(queryset: QuerySet[Any, Any], ordering: str, cursor: str | None, size: int) -> Page[Any]:
    """Return one page of people in the given order as dictionaries; `queryset` is a `.values()` with the keys."""
    keys = ordering_keys(ordering)
    # Every contact has a card; the condition turns the outer join into an inner one, which can scan the card's indexes.
    people = queryset.filter(card__isnull=False)
    if isinstance(queryset, ContactQuerySet) and not queryset.query.is_empty():
        ids = _first_ids(queryset, keys, cursor, size + 1)
        people = people if ids is None else people.filter(InArray(ids))
    return keyset.page(
        people,
        keys,
        cursor=cursor,
        size=size,
        values=lambda row: tuple(row[key.path] for key in keys),
    )


def _first_ids(people: ContactQuerySet, keys: list[SortKey], cursor: str | None, number: int) -> list[int] | None:
    """Return the first ids where this module plans better than PostgreSQL, None where PostgreSQL plans well."""
    if people.parts is None:
        return _fetch_and_sort(people, keys, cursor, number) if people.searched else None
    cards, others = people.parts
    if not others.query.where:
        return _hash_cards_and_scan(cards, keys, cursor, number)
    # PostgreSQL underestimates matches in the middle of a text and would then scan the whole table.
    expected = planner_estimate(people.order_by())[0] if people.searched else SELECTIVITY * SCAN_STEPS[0]
    order = _ordered_ids(cards, keys, cursor)
    ids = _scan_in_order(others, order, keys, cursor, number, expected=expected)
    return _fetch_and_sort(people, keys, cursor, number) if ids is None and people.searched else ids


def _hash_cards_and_scan(
    cards: QuerySet[Any], keys: list[SortKey], cursor: str | None, number: int
) -> list[int] | None:
    """Return the ids of the first whose cards these are, met in an order that is not the cards'; else None.

    PostgreSQL would look up the card of each whom it passes. Of fewer it finds all and sorts them; more are soon met.
    """
    if any(key.path.startswith("card__") for key in keys) or not cards.query.where:
        return None
    if not HASH_MIN < planner_estimate(cards.order_by())[0] <= HASH_MAX:
        return None
    people = Contact.objects.filter(InHashedSubquery(cards.order_by().values("contact_id")))
    return list(keyset.after_cursor(people, keys, cursor).values_list("pk", flat=True)[:number])


def _ordered_ids(cards: QuerySet[Any], keys: list[SortKey], cursor: str | None) -> QuerySet[Any]:
    """Return whose cards these are, beyond the cursor and in order; from the cards alone where these have all keys."""
    if all(key.path.startswith("card__") for key in keys):
        own = [SortKey(key.path.removeprefix("card__"), key.descending, stands_for=key.path) for key in keys]
        return keyset.after_cursor(cards, own, cursor).values("contact_id")
    people = Contact.objects.filter(card__in=cards) if cards.query.where else Contact.objects.all()
    return keyset.after_cursor(people.filter(card__isnull=False), keys, cursor).values("pk")


def _scan_in_order(
    people: ContactQuerySet,
    order: QuerySet[Any, Any],
    keys: list[SortKey],
    cursor: str | None,
    number: int,
    *,
    expected: int,
) -> list[int] | None:
    """Return the ids of the first of the people, met by walking the `order` of those among whom they are; else None.

    What many match is soon met, step by step, as long as `expected` is many or those met so far promise it; the rest
    is better collected by an index and then sorted. PostgreSQL cannot choose well by itself: it knows how many match,
    but takes them for evenly spread, and a last name is all in one place.
    """
    ids: list[int] = []
    walked = 0
    for step in SCAN_STEPS:
        if expected < SELECTIVITY * (walked + step) and len(ids) * step < (number - len(ids)) * walked:
            return None
        near = people.filter(pk__in=order[walked : walked + step])
        ids += _fetch_and_sort(near, keys, cursor, number - len(ids))
        if len(ids) == number:
            return ids
        walked += step
    return None


def _fetch_and_sort(people: QuerySet[Any, Any], keys: list[SortKey], cursor: str | None, number: int) -> list[int]:
    """Return the first ids, found without a thought of their order: OFFSET 0 keeps the planner from walking it."""
    keys = [SortKey(CONTACT_COLUMNS.get(key.path, key.path), key.descending, stands_for=key.path) for key in keys]
    found = keyset.after_cursor(people, keys, cursor)
    columns = [f"key{place}" for place in range(len(keys))]
    order = [
        f"{column} DESC" if name.startswith("-") else column
        for column, name in zip(columns, map(str, found.query.order_by), strict=True)
    ]
    sql, params = found.order_by().values_list(*(key.path for key in keys)).query.sql_with_params()
    with connections[people.db].cursor() as cursor_:
        cursor_.execute(
            fill(SORT_AND_LIMIT, id=columns[-1], found=sql, columns=", ".join(columns), order=", ".join(order)),
            [*params, number],
        )
        return [row[0] for row in cursor_]


def _on_card(keys: list[SortKey], key: SortKey) -> bool:
    return key.path == "id" and keys[0].path.startswith("card__")

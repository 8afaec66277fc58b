"""The list of people: its orders, each an index, and its pages."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from salesconnect.lib import keyset
from salesconnect.lib.errors import Invalid
from salesconnect.lib.keyset import Key, Page

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
    return keyset.page(
        queryset.filter(card__isnull=False),
        keys,
        cursor=cursor,
        size=size,
        values=lambda row: tuple(row[key.path] for key in keys),
    )


def _on_card(keys: list[Key], key: Key) -> bool:
    return key.path == "id" and keys[0].path.startswith("card__")

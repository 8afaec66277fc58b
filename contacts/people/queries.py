"""How people are read: words on a QuerySet that page, API and export share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from django.contrib.postgres.search import SearchQuery
from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models import BooleanField, F, Func, Value
from django.db.models.lookups import In

from contacts.people.rules import search_words
from salesconnect.lib.actor import Actor

if TYPE_CHECKING:
    from contacts.models import Contact  # noqa: F401 - names the model of the QuerySet

COUNT_CAP = 10_000
ID_RANGE_MIN = 1_000
NO_IDS = "SELECT NULL::bigint WHERE false"


def array(ids: Iterable[int]) -> str:
    """Return ids as PostgreSQL writes an array: one constant, where a list would be parsed as thousands of them."""
    return "{" + ",".join(map(str, ids)) + "}"


class IdRange(NamedTuple):
    """A dense set of ids as a range with exceptions: one index range scan, instead of one look-up for each id."""

    first: int
    last: int
    gaps: Sequence[int]


def id_range(ids: Sequence[int]) -> IdRange | None:
    """Return `ids` as a range; None for fewer than 1,000, and when less than half of the range is meant."""
    if len(ids) < ID_RANGE_MIN:
        return None
    first, last, meant = min(ids), max(ids), set(ids)
    if last - first >= 2 * len(meant):
        return None
    return IdRange(first, last, sorted(set(range(first, last)) - meant) if last - first >= len(meant) else [])


def inlined(sql: str, params: Sequence[Any]) -> str:
    """Return a statement with its parameters written into it, to stand inside another that has its own."""
    with connections["default"].cursor() as cursor:
        text: str = cursor.mogrify(sql, params).decode()
    return text.replace("%", "%%")


def planner_estimate(found: models.QuerySet[Any, Any]) -> tuple[int, float]:
    """Return the planner's estimate for a query: its number of rows, and its cost in the planner's units."""
    try:
        sql, params = found.values("pk").query.sql_with_params()
    except EmptyResultSet:
        return 0, 0.0
    with connections[found.db].cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plans = cursor.fetchone()[0]
    plan = (json.loads(plans) if isinstance(plans, str) else plans)[0]["Plan"]
    return plan["Plan Rows"], plan["Total Cost"]


class InArray(Func):
    """`id = ANY(array)`: one parameter, however many ids."""

    template = "(%(expressions)s)"
    arg_joiner = " = ANY"
    output_field = BooleanField()

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(F("pk"), Func(Value(array(ids)), template="(%(expressions)s::bigint[])"))


class InHashedSubquery(Func):
    """`id IN (SELECT …)` as a hashed subplan: `IS TRUE` keeps the planner from a join, so the scan keeps its order."""

    template = "((%(expressions)s) IS TRUE)"
    output_field = BooleanField()

    def __init__(self, ids: models.QuerySet[Any, Any]) -> None:
        super().__init__(In(F("pk"), ids))


class FilterParts(NamedTuple):
    """The filters of a list, split by table: those on the card, and those on the contact."""

    cards: models.QuerySet[Any]
    others: ContactQuerySet


class ContactQuerySet(models.QuerySet["Contact"]):
    # Whether a text search narrows the query; derived QuerySets keep it.
    searched = False
    # The filters split by table, for the faster plans of `contacts.people.listing`. Further filters would not be in
    # them, so `filter` and `exclude` reset them.
    parts: FilterParts | None = None
    # The ids, when the query is exactly `among` them; not copied to derived QuerySets, which may be narrower.
    numbers: Sequence[int] | None = None

    def _clone(self) -> ContactQuerySet:
        clone: ContactQuerySet = super()._clone()  # type: ignore[misc]
        clone.searched, clone.parts = self.searched, self.parts
        return clone

    def filter(self, *args: Any, **kwargs: Any) -> Self:
        found = super().filter(*args, **kwargs)
        found.parts = None
        return found

    def exclude(self, *args: Any, **kwargs: Any) -> Self:
        found = super().exclude(*args, **kwargs)
        found.parts = None
        return found

    def visible_to(self, actor: Actor) -> ContactQuerySet:
        """Keep all contacts if the actor may view people, else none."""
        return self.all() if actor.may("view_people") else self.none()

    def among(self, ids: Sequence[int]) -> ContactQuerySet:
        near = id_range(ids)
        found = self.filter(pk__range=(near.first, near.last)) if near else self.filter(InArray(ids))
        if near and near.gaps:
            found = found.exclude(InArray(near.gaps))
        found.numbers = None if self.query.where else list(ids)
        return found

    def matching(self, text: str) -> ContactQuerySet:
        """Keep the people with words in name, company or address that begin with each word of `text`."""
        words = search_words(text)
        if not words:
            return self.none() if text.strip() else self.all()
        query = " & ".join(f"'{word}':*" for word in words)
        found = self.filter(search=SearchQuery(query, config="simple", search_type="raw"))
        found.searched = True
        return found

    def capped_count(self, cap: int = COUNT_CAP) -> tuple[int, bool]:
        """Return the number of rows, exact up to `cap`, and whether there are more."""
        number = self.order_by()[: cap + 1].count()
        return min(number, cap), number > cap

    def ids_sql(self) -> tuple[str, tuple[Any, ...]]:
        """Return SQL and parameters that select the ids, to stand inside a set-based statement."""
        try:
            return self.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:
            return NO_IDS, ()

    def card_ids_sql(self) -> tuple[str, tuple[Any, ...]]:
        """Return the same for a statement on cards. Given ids need no look-up: only people who exist have a card."""
        return self.ids_sql() if self.numbers is None else ("SELECT unnest(%s::bigint[])", (array(self.numbers),))

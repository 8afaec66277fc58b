"""How people are read: words on a QuerySet that page, API and export share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.search import SearchQuery
from django.db import models

from contacts.rules import search_words
from salesconnect.lib.actor import Actor

if TYPE_CHECKING:
    from contacts.models import Contact  # noqa: F401 - names the model of the QuerySet

COUNT_CAP = 10_000


class ContactQuerySet(models.QuerySet["Contact"]):
    def visible_to(self, actor: Actor) -> ContactQuerySet:
        """Keep the people whom the actor may see: everybody sees all, who may see anybody."""
        return self.all() if actor.may("view_people") else self.none()

    def matching(self, text: str) -> ContactQuerySet:
        """Keep the people with words in name, company or address that begin with each word of `text`."""
        words = search_words(text)
        if not words:
            return self.none() if text.strip() else self.all()
        query = " & ".join(f"'{word}':*" for word in words)
        return self.filter(search=SearchQuery(query, config="simple", search_type="raw"))

    def capped_count(self, cap: int = COUNT_CAP) -> tuple[int, bool]:
        """Return the number of rows, exact up to `cap`, and whether there are more."""
        number = self.order_by()[: cap + 1].count()
        return min(number, cap), number > cap

    def ids_sql(self) -> tuple[str, tuple[Any, ...]]:
        """Return SQL and parameters that select the ids, to stand inside a set-based statement."""
        return self.order_by().values("pk").query.sql_with_params()

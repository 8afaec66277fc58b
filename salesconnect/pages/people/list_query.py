"""The query string of the People page: filters (named as in the API), ordering, columns and cursor."""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

ORDERING, COLUMNS, CURSOR = "ordering", "columns", "cursor"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """One view of the list. Equal views have equal URLs, so URLs can be saved, shared and compared."""

    filters: dict[str, str] = field(default_factory=dict)
    ordering: str = ""
    columns: str = ""
    cursor: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> "ListQuery":
        """Read a query string. A repeated name means any of its values; empty values are dropped."""
        given = {name: ",".join(part for part in query.getlist(name) if part) for name in sorted(query)}
        values = {name: value for name, value in given.items() if value}
        page = {name: values.pop(name, "") for name in (ORDERING, COLUMNS, CURSOR)}
        return cls(values, **page)

    @property
    def filter_string(self) -> str:
        """Return the filters alone: the selection that “all matching” means."""
        return urlencode(self.filters)

    @property
    def string(self) -> str:
        page = {ORDERING: self.ordering, COLUMNS: self.columns, CURSOR: self.cursor}
        return urlencode(self.filters | {name: value for name, value in page.items() if value})

    @property
    def url(self) -> str:
        return f"{reverse('people')}?{self.string}".rstrip("?")

    def at(self, cursor: str) -> "ListQuery":
        return replace(self, cursor=cursor)

    def changed(self, **changes: Any) -> "ListQuery":
        """Return the first page of the view with some parts replaced."""
        return replace(self, cursor="", **changes)

    def without(self, *names: str) -> "ListQuery":
        return self.changed(filters={name: value for name, value in self.filters.items() if name not in names})

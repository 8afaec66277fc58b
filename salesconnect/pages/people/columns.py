"""The columns of the People page: all of them, those shown, and ordering by their heads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from contacts.people.listing import DEFAULT
from salesconnect.lib.errors import Invalid
from salesconnect.pages.people.list_query import ListQuery

SESSION_KEY = "people_columns"


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column: the values that it reads, and the ordering that a click on its head gives."""

    key: str
    label: Any
    fields: tuple[str, ...]
    ordering: str = ""
    default: bool = True


AUTHORIZATION = ("card__authorization_type", "card__consent_date")
NAME = ("first_name", "last_name", "email")
COLUMNS = {
    column.key: column
    for column in (
        ListColumn("name", _("Name"), NAME, "last_name"),
        ListColumn("first_name", _("First name"), ("first_name",), "first_name", default=False),
        ListColumn("last_name", _("Last name"), ("last_name",), "last_name", default=False),
        ListColumn("email", _("Email"), ("email",), "email"),
        ListColumn("title", _("Title"), ("title",)),
        ListColumn("company", _("Company"), ("company",), "company"),
        ListColumn("authorization", _("Authorization"), AUTHORIZATION),
        ListColumn("source", _("Source"), ("card__source_type",)),
        ListColumn("unsubscribed", _("Unsubscribed"), ("card__unsubscribed",)),
        ListColumn("owner", _("Owner"), ("owner_id",), default=False),
        ListColumn("created", _("Created"), ("created_at",), "created_at", default=False),
        ListColumn("updated", _("Updated"), ("card__updated_at",), "updated_at"),
        ListColumn("verdict", _("May mail"), ("verdict",)),
    )
}


@dataclass(frozen=True, slots=True)
class ColumnHead:
    """The head of a column: its link, and the direction if the list is ordered by it now."""

    column: ListColumn
    url: str = ""
    sort: str = ""


def chosen(query: ListQuery, session: SessionBase) -> list[ListColumn]:
    """Return the columns to show: those in the URL, else those chosen last in this session, else the default.

    A choice in the URL is remembered. Raises `Invalid` for an unknown column in the URL.
    """
    text = query.columns or session.get(SESSION_KEY, "")
    keys = text.split(",") if text else [column.key for column in COLUMNS.values() if column.default]
    unknown = [key for key in keys if key not in COLUMNS]
    if unknown and query.columns:
        raise Invalid({"columns": [_t("There is no column “%(name)s”.") % {"name": unknown[0]}]})
    if query.columns and session.get(SESSION_KEY) != query.columns:
        session[SESSION_KEY] = query.columns
    return [column for key, column in COLUMNS.items() if key in keys]


def fields(columns: Sequence[ListColumn]) -> set[str]:
    """Return the values that a row needs: those of the columns, and the name for the label of its checkbox."""
    return {"id", *NAME, *(field for column in columns for field in column.fields)}


def heads(columns: Sequence[ListColumn], query: ListQuery) -> list[ColumnHead]:
    """Return the heads of the columns. The link of the head that orders now reverses the order."""
    return [_head(column, query) for column in columns]


def _head(column: ListColumn, query: ListQuery) -> ColumnHead:
    if not column.ordering:
        return ColumnHead(column)
    first = (query.ordering or DEFAULT).split(",")[0]
    sort = {column.ordering: "ascending", f"-{column.ordering}": "descending"}.get(first, "")
    wanted = f"-{column.ordering}" if sort == "ascending" else column.ordering
    return ColumnHead(column, query.changed(ordering="" if wanted == "last_name" else wanted).url, sort)

"""The people selected for an act: a list of ids, or a filter with exceptions, which the server resolves."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from contacts.models import Contact
from contacts.people.queries import ContactQuerySet
from salesconnect.common.filters import filtered
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid
from salesconnect.lib.numbers import whole

LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Selection:
    """Exactly one of `ids` and `filter` is set; an empty filter selects everyone."""

    ids: list[int] | None = None
    filter: dict[str, str] | None = None
    exclude: list[int] = field(default_factory=list)

    @classmethod
    def from_body(cls, body: Any) -> "Selection":
        """Parse the `selection` of a JSON body. Raises `Invalid`."""
        if not isinstance(body, dict) or set(body) - {"ids", "filter", "exclude"}:
            raise _invalid(_("A selection has `ids`, or `filter` and perhaps `exclude`, and nothing else."))
        if ("ids" in body) == ("filter" in body) or ("ids" in body and "exclude" in body):
            raise _invalid(_("Give either `ids` or `filter`; `exclude` goes with `filter`."))
        if "ids" in body:
            return cls(ids=_ids(body["ids"], empty=False))
        if not isinstance(body["filter"], dict):
            raise _invalid(_("`filter` is an object of filter names and values."))
        return cls(filter=_texts(body["filter"]), exclude=_ids(body.get("exclude", [])))

    @classmethod
    def from_query(cls, query: QueryDict) -> "Selection":
        """Parse a form: `ids` (repeated or separated by commas), or `filter` (a query string) and `exclude`."""
        if "filter" in query and not query.get("ids"):
            return cls(filter=QueryDict(str(query["filter"])).dict(), exclude=_split(query.getlist("exclude")))
        ids = _split(query.getlist("ids"))
        if not ids:
            raise _invalid(_("Select at least one person first."))
        return cls(ids=ids)

    def queryset(self, actor: Actor) -> ContactQuerySet:
        if self.ids is not None:
            return Contact.objects.visible_to(actor).among(self.ids)
        people = filtered(actor, self.filter or {})
        return people.exclude(pk__in=self.exclude) if self.exclude else people

    def missing(self, actor: Actor) -> int:
        """Return how many of the ids do not exist."""
        return len(self.ids) - self.queryset(actor).count() if self.ids is not None else 0

    def as_query(self) -> dict[str, str]:
        """Return the selection as form fields; the inverse of `from_query`."""
        if self.ids is not None:
            return {"ids": ",".join(map(str, self.ids))}
        return {"filter": urlencode(self.filter or {}), "exclude": ",".join(map(str, self.exclude))}

    def as_json(self) -> dict[str, Any]:
        """Return what a batch stores: the filter, or how many ids were picked; never the ids themselves."""
        if self.ids is not None:
            return {"picked": len(self.ids)}
        return {"filter": self.filter or {}, "excluded": len(self.exclude)}


def _ids(value: Any, *, empty: bool = True) -> list[int]:
    if not isinstance(value, list) or not (value or empty):
        raise _invalid(_("`ids` and `exclude` are lists of numbers, and `ids` is not empty."))
    if not all(type(item) is int and 0 < item <= LARGEST_ID for item in value):
        raise _invalid(_("Every id is a positive whole number."))
    return sorted(set(value))


def _split(values: list[str]) -> list[int]:
    items = [item.strip() for value in values for item in value.split(",") if item.strip()]
    return _ids([whole(item) for item in items])


def _texts(values: dict[str, Any]) -> dict[str, str]:
    """Return filter values as a query string has them: true, 5 and ["a", "b"] become strings.

    A blank value is an error: the filter would be dropped and everyone selected.
    """
    texts = {}
    for name, value in values.items():
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, str | int | float | bool) for part in parts):
            raise Invalid({name: [_("A filter value is a text, a number, true or false, or a list of them.")]})
        if not all(str(part).strip(" ,") for part in parts or [""]):
            raise Invalid({name: [_("A filter value is not empty; leave the filter out instead.")]})
        texts[name] = ",".join(str(part).lower() if isinstance(part, bool) else str(part) for part in parts)
    return texts


def _invalid(message: str) -> Invalid:
    return Invalid({"selection": [message]})

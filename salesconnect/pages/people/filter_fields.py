"""The filter form of the People page, and the chips that show each active filter with a link that removes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.verdict import verdict
from salesconnect.common.filters import NOBODY, RESTRICTED, REVIEW, TO_INFORM, YES_NO, slug_choices
from salesconnect.pages.people.list_query import ListQuery

Choices = Sequence[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class FilterField:
    """A field of the filter form: a drop-down if it has `choices`, else an input of the `type`."""

    name: str
    label: str
    accessible_name: str
    value: str = ""
    type: str = "text"
    choices: Choices = ()

    @property
    def options(self) -> Choices:
        """Return the choices. A value from the URL that combines several choices is added as one of its own."""
        if not self.value or self.value in dict(self.choices):
            return self.choices
        return [*self.choices, (self.value, self.words)]

    @property
    def words(self) -> str:
        labels = dict(self.choices)
        parts = [str(labels.get(part, part)) for part in self.value.split(",")] if self.choices else [self.value]
        return f" {_('or')} ".join(parts)

    @property
    def day(self) -> str:
        return self.value[:10]


def fields(query: ListQuery, owners: Choices) -> tuple[list[FilterField], list[FilterField]]:
    """Return the fields that are always visible, and those under *More filters*."""
    value = query.filters.get

    def field(name: str, label: str, accessible_name: str, **kwargs: Any) -> FilterField:
        return FilterField(name, label, accessible_name, value(name, ""), **kwargs)

    grounds, sources = slug_choices(AuthorizationType), slug_choices(SourceType)
    everyone = [(NOBODY, _("Nobody")), *owners]
    first = [
        field("authorization_type", _("Authorization"), _("Filter by authorization"), choices=grounds),
        field("source_type", _("Source"), _("Filter by source"), choices=sources),
        field("unsubscribed", _("Status"), _("Filter by status"), choices=YES_NO),
    ]
    more = [
        field("verdict", _("May mail"), _("Filter by may mail"), choices=verdict.CHOICES),
        field("restricted", _("Restriction"), _("Filter by restriction"), choices=RESTRICTED),
        field("to_inform", _("To inform"), _("Filter by to inform"), choices=TO_INFORM),
        field("review", _("To be reviewed"), _("Filter by to be reviewed"), choices=REVIEW),
        field("owner", _("Owner"), _("Filter by owner"), choices=everyone),
        field("company", _("Company"), _("Filter by company")),
        field("consent_after", _("Consent from"), _("Filter by consent from"), type="date"),
        field("consent_before", _("Consent before"), _("Filter by consent before"), type="date"),
        field("created_after", _("Created from"), _("Filter by created from"), type="date"),
        field("created_before", _("Created before"), _("Filter by created before"), type="date"),
        field("updated_after", _("Updated from"), _("Filter by updated from"), type="date"),
        field("updated_before", _("Updated before"), _("Filter by updated before"), type="date"),
    ]
    return first, more


def chips(query: ListQuery, given: Sequence[FilterField]) -> list[dict[str, str]]:
    search = query.filters.get("search", "")
    found = [FilterField("search", _("Search"), "", search), *given]
    return [
        {"label": field.label, "value": field.words, "remove_url": query.without(field.name).url}
        for field in found
        if field.value
    ]

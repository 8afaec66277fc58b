"""The filters of the People page, the API, bulk orders and exports: one set of names for all of them."""

from copy import deepcopy
from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.forms import Select
from django.http import QueryDict
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from compliance import policy, verdict
from compliance.models import ComplianceCard
from compliance.rules import NOT_RECORDED, AuthorizationType, SlugChoices, SourceType
from contacts.models import Contact, User
from contacts.queries import COUNT_CAP, ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid

NOBODY = "null"
ON_CARD = "card__"
YES_NO = (("true", _("Unsubscribed")), ("false", _("Not unsubscribed")))


def slug_choices(kind: type[SlugChoices]) -> list[tuple[str, Any]]:
    """Return the choices of a filter by a card field, *Not recorded* first."""
    return [(NOT_RECORDED, _("Not recorded")), *((choice.slug, choice.label) for choice in kind)]


class AnyOf(filters.BaseInFilter, filters.ChoiceFilter):
    """One or several slugs, separated by commas: any of them matches, *Not recorded* among them."""

    def __init__(self, kind: type[SlugChoices], **kwargs: Any) -> None:
        super().__init__(choices=slug_choices(kind), **kwargs)
        self.kind = kind

    def filter(self, qs: ContactQuerySet, value: list[str] | None) -> ContactQuerySet:
        """Keep the people whose card holds one of the values."""
        if not value:
            return qs
        codes = [self.kind.from_slug(slug) for slug in value if slug and slug != NOT_RECORDED]
        wanted = Q(**{f"{self.field_name}__in": codes})
        if NOT_RECORDED in value:
            wanted = wanted | Q(**{self.field_name: None}) if codes else Q(**{self.field_name: None})
        return qs.filter(wanted)


class ContactFilter(filters.FilterSet):
    """Every filter by its public name; dates mean days of the site's time zone, times the moment."""

    search = filters.CharFilter(method="filter_search", label=_("Search"))
    authorization_type = AnyOf(AuthorizationType, field_name="card__authorization_type", label=_("Authorization"))
    source_type = AnyOf(SourceType, field_name="card__source_type", label=_("Source"))
    unsubscribed = filters.TypedChoiceFilter(
        field_name="card__unsubscribed",
        choices=YES_NO,
        coerce=lambda value: value == "true",
        widget=Select,
        label=_("Unsubscribed"),
    )
    verdict = filters.ChoiceFilter(method="filter_verdict", choices=verdict.CHOICES, label=_("May mail"))
    owner = filters.CharFilter(method="filter_owner", label=_("Owner"))
    company = filters.CharFilter(lookup_expr="icontains", label=_("Company"))
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label=_("Created from"))
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt", label=_("Created before"))
    updated_after = filters.IsoDateTimeFilter(field_name="card__updated_at", lookup_expr="gte", label=_("Updated from"))
    updated_before = filters.IsoDateTimeFilter(
        field_name="card__updated_at", lookup_expr="lt", label=_("Updated before")
    )
    consent_after = filters.DateFilter(field_name="card__consent_date", lookup_expr="gte", label=_("Consent from"))
    consent_before = filters.DateFilter(field_name="card__consent_date", lookup_expr="lt", label=_("Consent before"))

    class Meta:
        model = Contact
        fields: list[str] = []

    def filter_search(self, queryset: ContactQuerySet, _name: str, value: str) -> ContactQuerySet:
        """Keep the people who match the words."""
        return queryset.matching(value)

    def filter_verdict(self, queryset: ContactQuerySet, _name: str, value: str) -> ContactQuerySet:
        """Keep the people with the verdict."""
        return queryset.filter(verdict.condition(value, policy.current()))

    def filter_owner(self, queryset: ContactQuerySet, _name: str, value: str) -> ContactQuerySet:
        """Keep the people of an owner: a user's number, `null` for nobody's."""
        if value == NOBODY:
            return queryset.filter(owner=None)
        if not value.isdecimal() or not User.objects.filter(pk=value[:18]).exists():
            raise Invalid({"owner": [_t("There is no user with this number.")]})
        return queryset.filter(owner=int(value))


def filtered(actor: Actor, query: QueryDict | dict[str, Any]) -> ContactQuerySet:
    """Return the visible people whom the filters keep; `Invalid` names a wrong value or an unknown key.

    An unknown key is refused, so that a slip of the pen never means "everyone".
    """
    unknown = sorted(set(query) - set(ContactFilter.base_filters))
    if unknown:
        raise Invalid({name: [_t("There is no such filter.")] for name in unknown})
    if not query:
        return Contact.objects.visible_to(actor)
    people = ContactFilter(query, queryset=Contact.objects.visible_to(actor))
    if not people.is_valid():
        raise Invalid({name: [str(message) for message in messages] for name, messages in people.errors.items()})
    return people.qs


class CardFilter(filters.FilterSet):
    """The filters by the card's own fields, asked of the cards alone: their indexes hold all that a count takes."""

    class Meta:
        model = ComplianceCard
        fields: list[str] = []

    def filter_verdict(self, queryset: QuerySet[ComplianceCard], _name: str, value: str) -> QuerySet[ComplianceCard]:
        """Keep the cards with the verdict."""
        return queryset.filter(verdict.condition(value, policy.current(), card=""))


def _asked_of_card(found: filters.Filter) -> filters.Filter:
    asked = deepcopy(found)
    asked.field_name = found.field_name.removeprefix(ON_CARD)
    return asked


CardFilter.base_filters.update(
    (name, _asked_of_card(found))
    for name, found in ContactFilter.base_filters.items()
    if found.field_name.startswith(ON_CARD) or name == "verdict"
)


def matching_count(
    people: ContactQuerySet, query: QueryDict | dict[str, Any], cap: int = COUNT_CAP
) -> tuple[int, bool]:
    """Return how many `people`, which `filtered` made of `query`, there are, exact up to `cap`, and whether more.

    Everybody has one card, so what the cards alone can tell is asked of them, without the join: ten times as fast.
    """
    if not query or people.query.is_empty() or not set(query) <= set(CardFilter.base_filters):
        return people.capped_count(cap)
    number = CardFilter(query, queryset=ComplianceCard.objects.all()).qs[: cap + 1].count()
    return min(number, cap), number > cap

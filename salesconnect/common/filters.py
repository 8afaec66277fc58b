"""The filters of people, with the same names on the People page, in the API, in bulk changes and exports."""

from copy import deepcopy
from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.forms import Select
from django.http import QueryDict
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import NOT_RECORDED
from compliance.card.source_registry import SourceType
from compliance.models import CardTally, ComplianceCard
from compliance.review import informing, review
from compliance.verdict import policy, verdict
from contacts.models import Contact, User
from contacts.people.queries import COUNT_CAP, ContactQuerySet, FilterParts, planner_estimate
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid
from salesconnect.lib.slug_choices import SlugChoices
from salesconnect.lib.web.date_fields import DayFilter, MomentFilter

NOBODY = "null"
# In units of PostgreSQL's planner; about 50 milliseconds.
SLOW_COST = 10_000.0
ON_CARD = "card__"
# Filters that no index supports in the order of the list.
UNINDEXED = ("search", "company")
ANSWERED_BY_TALLY = {"authorization_type", "source_type", "unsubscribed", "consent_after", "consent_before"}
FROM_CARD = ("verdict", "restricted", "to_inform", "review")
RESTRICTED = (("true", _("Restricted")), ("false", _("Not restricted")))
TO_INFORM = (("true", _("All")), ("overdue", _("Overdue")))
REVIEW = (("consent", _("Consents due for review")), ("legitimate_interest", _("Legitimate interests")))
YES_NO = (("true", _("Unsubscribed")), ("false", _("Not unsubscribed")))


def slug_choices(kind: type[SlugChoices]) -> list[tuple[str, Any]]:
    """Return the choices of a card field, *Not recorded* first."""
    return [(NOT_RECORDED, _("Not recorded")), *((choice.slug, choice.label) for choice in kind)]


class AnyOf(filters.BaseInFilter, filters.ChoiceFilter):
    """One or more slugs, separated by commas, of which one must match. *Not recorded* matches NULL."""

    def __init__(self, kind: type[SlugChoices], **kwargs: Any) -> None:
        super().__init__(choices=slug_choices(kind), **kwargs)
        self.kind = kind

    def filter(self, qs: ContactQuerySet, value: list[str] | None) -> ContactQuerySet:
        if not value:
            return qs
        codes = [self.kind.from_slug(slug) for slug in value if slug and slug != NOT_RECORDED]
        wanted = Q(**{f"{self.field_name}__in": codes})
        if NOT_RECORDED in value:
            wanted = wanted | Q(**{self.field_name: None}) if codes else Q(**{self.field_name: None})
        return qs.filter(wanted)


class CardMethods:
    """Filters derived from the card; `on_card` is the lookup prefix of its fields."""

    on_card = ON_CARD

    def filter_verdict(self, queryset: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(verdict.condition(value, policy.current(), card=self.on_card))

    def filter_restricted(self, queryset: QuerySet[Any], _name: str, value: bool) -> QuerySet[Any]:
        return queryset.filter(**{f"{self.on_card}restricted_at__isnull": not value})

    def filter_to_inform(self, queryset: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        kept = queryset.filter(informing.must_be_informed(self.on_card))
        overdue = informing.overdue().order_by().values("contact_id")
        return kept.filter(pk__in=overdue) if value == "overdue" else kept

    def filter_review(self, queryset: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        due = review.consent_due if value == "consent" else review.interest_due
        return queryset.filter(due(policy.current(), self.on_card))


class ContactFilter(CardMethods, filters.FilterSet):
    """All filters by their public names. Dates are days in the site's time zone."""

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
    restricted = filters.TypedChoiceFilter(
        method="filter_restricted",
        choices=RESTRICTED,
        coerce=lambda value: value == "true",
        widget=Select,
        label=_("Restriction"),
    )
    to_inform = filters.ChoiceFilter(method="filter_to_inform", choices=TO_INFORM, label=_("To inform"))
    review = filters.ChoiceFilter(method="filter_review", choices=REVIEW, label=_("To be reviewed"))
    owner = filters.CharFilter(method="filter_owner", label=_("Owner"))
    company = filters.CharFilter(method="filter_company", label=_("Company"))
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte", label=_("Created from"))
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt", label=_("Created before"))
    updated_after = MomentFilter(field_name="card__updated_at", lookup_expr="gte", label=_("Updated from"))
    updated_before = MomentFilter(field_name="card__updated_at", lookup_expr="lt", label=_("Updated before"))
    consent_after = DayFilter(field_name="card__consent_date", lookup_expr="gte", label=_("Consent from"))
    consent_before = DayFilter(field_name="card__consent_date", lookup_expr="lt", label=_("Consent before"))

    class Meta:
        model = Contact
        fields: list[str] = []

    def filter_search(self, queryset: ContactQuerySet, _name: str, value: str) -> ContactQuerySet:
        return queryset.matching(value)

    def filter_company(self, queryset: ContactQuerySet, _name: str, value: str) -> ContactQuerySet:
        return queryset.filter(company__icontains=value)

    def filter_owner(self, queryset: ContactQuerySet, _name: str, value: str) -> ContactQuerySet:
        """Filter by the id of the owner; `null` for people without one."""
        if value == NOBODY:
            return queryset.filter(owner=None)
        # 18 digits always fit into a bigint; a longer number is nobody's.
        if not value.isdecimal() or not User.objects.filter(pk=value[:18]).exists():
            raise Invalid({"owner": [_t("There is no user with this number.")]})
        return queryset.filter(owner=int(value))


def filtered(actor: Actor, query: QueryDict | dict[str, Any]) -> ContactQuerySet:
    """Return the visible people that match the filters. Raises `Invalid` for a wrong value or an unknown filter.

    A misspelt filter must never be ignored: a bulk change would then mean everyone.
    """
    unknown = sorted(set(query) - set(ContactFilter.base_filters))
    if unknown:
        raise Invalid({name: [_t("There is no such filter.")] for name in unknown})
    visible = Contact.objects.visible_to(actor)
    if not query:
        return visible
    people = ContactFilter(query, queryset=visible)
    if not people.is_valid():
        raise Invalid({name: [str(message) for message in messages] for name, messages in people.errors.items()})
    found = people.qs
    rest = {name: query[name] for name in query if name not in CardFilter.base_filters}
    if not rest or any(rest.get(name) for name in UNINDEXED):
        found.parts = FilterParts(_cards(query), ContactFilter(rest, queryset=visible).qs if rest else visible)
    return found


class CardFilter(CardMethods, filters.FilterSet):
    """The filters on card fields, applied to the card table alone. Its indexes cover these counts, without a join."""

    on_card = ""

    class Meta:
        model = ComplianceCard
        fields: list[str] = []


def _asked_of_card(found: filters.Filter) -> filters.Filter:
    asked = deepcopy(found)
    asked.field_name = found.field_name.removeprefix(ON_CARD)
    return asked


CardFilter.base_filters.update(
    (name, _asked_of_card(found))
    for name, found in ContactFilter.base_filters.items()
    if found.field_name.startswith(ON_CARD) or name in FROM_CARD
)


def _cards(query: QueryDict | dict[str, Any]) -> QuerySet[Any]:
    return CardFilter(query, queryset=ComplianceCard.objects.all()).qs


def is_long_to_count(people: ContactQuerySet, query: QueryDict | dict[str, Any]) -> bool:
    if not query or set(query) <= set(CardFilter.base_filters):
        return False
    return planner_estimate(people.order_by()[: COUNT_CAP + 1])[1] > SLOW_COST


def matching_count(
    people: ContactQuerySet, query: QueryDict | dict[str, Any], cap: int = COUNT_CAP
) -> tuple[int, bool]:
    """Return the number of `people`, which are `filtered` by `query`, exact up to `cap`, and whether there are more.

    Everybody has exactly one card. So filters on the kind of card are answered from the tally, and other filters on
    card fields by counting cards, without a join.
    """
    if people.query.is_empty() or not set(query) <= set(CardFilter.base_filters):
        return people.capped_count(cap)
    if set(query) <= ANSWERED_BY_TALLY:
        kinds = CardFilter(query, queryset=CardTally.objects.all()).qs
        number = kinds.aggregate(people=Coalesce(Sum("number"), 0))["people"]
    else:
        number = _cards(query)[: cap + 1].count()
    return min(number, cap), number > cap

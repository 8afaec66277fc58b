"""Creating, changing and removing retention rules."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import NOT_RECORDED
from compliance.card.source_registry import SourceType
from exports.models import RetentionRule
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid, Missing

FIELDS = (
    "name",
    "active",
    "source_type",
    "authorization_type",
    "age_months",
    "age_since",
    "inactive_months",
    "step",
    "warn_days",
)
NAME_LIMIT = 100
MOST_MONTHS, MOST_DAYS = 1_200, 3_650
SOURCES = (*SourceType.slugs(), NOT_RECORDED)
AUTHORIZATIONS = (*AuthorizationType.slugs(), NOT_RECORDED)


@transaction.atomic
def save(values: Mapping[str, Any], *, actor: Actor, rule_id: int | None = None) -> RetentionRule:
    """Create a rule, or change the given fields of one. Raises `Forbidden`, `Missing`, and `Invalid` by field.

    If its conditions change, its list is emptied: nobody may be erased on a warning that was given under others.
    """
    actor.require_recent("edit_retention")
    rule = RetentionRule() if rule_id is None else find(rule_id, actor=actor)
    before = _conditions(rule)
    for name, value in values.items():
        setattr(rule, name, value)
    rule.name, rule.actor_name = " ".join(rule.name.split()), actor.name
    _check(rule)
    # The unique constraint decides: after a query somebody could still take the name before the save.
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError:
        raise Invalid({"name": [_("There is a rule of this name already.")]}) from None
    if rule_id is not None and _conditions(rule) != before:
        rule.cases.all().delete()
    return rule


def find(rule_id: int, *, actor: Actor) -> RetentionRule:
    """Return a rule. Raises `Forbidden` and `Missing`."""
    actor.require("view_people")
    rule = RetentionRule.objects.filter(pk=rule_id).first()
    if rule is None:
        raise Missing
    return rule


@transaction.atomic
def remove(rule_id: int, *, actor: Actor) -> str:
    """Remove a rule with its list; return its name. Raises `Forbidden` and `Missing`."""
    actor.require_recent("edit_retention")
    rule = find(rule_id, actor=actor)
    rule.delete()
    return rule.name


def _conditions(rule: RetentionRule) -> tuple[Any, ...]:
    return (rule.source_type, rule.authorization_type, rule.age_months, rule.age_since, rule.inactive_months)


def _check(rule: RetentionRule) -> None:
    errors: dict[str, list[str]] = {}
    if not 0 < len(rule.name) <= NAME_LIMIT:
        errors["name"] = [_("Give a name of 1 to %(limit)d characters.") % {"limit": NAME_LIMIT}]
    if not rule.age_months and not rule.inactive_months:
        errors["age_months"] = [_("Say how long, in one of the two: without a period it would meet everybody.")]
    for name in ("age_months", "inactive_months"):
        if (months := getattr(rule, name)) is not None and not 1 <= months <= MOST_MONTHS:
            errors[name] = [_("Give from 1 to %(most)d months.") % {"most": MOST_MONTHS}]
    if not 0 <= rule.warn_days <= MOST_DAYS:
        errors["warn_days"] = [_("Give from 0 to %(most)d days.") % {"most": MOST_DAYS}]
    known = {
        "source_type": ("", *SOURCES),
        "authorization_type": ("", *AUTHORIZATIONS),
        "age_since": RetentionRule.Since.values,
        "step": RetentionRule.Step.values,
    }
    for name, values in known.items():
        if getattr(rule, name) not in values:
            errors[name] = [_("There is no such value.")]
    if errors:
        raise Invalid(errors)

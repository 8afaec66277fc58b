"""May I contact this person now? The table of reasons read as a function, as SQL conditions, and by the mail gate."""

import datetime as dt
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, CharField, Q, Value, When
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.models import Policy
from compliance.verdict.reason_registry import RULES, Effect, Judged, OptOut

MAY = "may"
MAY_NOT = "may_not"
ASK_FIRST = "ask_first"
CHOICES = ((MAY, _("Yes")), (ASK_FIRST, _("Ask first")), (MAY_NOT, _("No")))
EFFECTS: dict[str, str] = {Effect.BLOCK: MAY_NOT, Effect.HOLD: ASK_FIRST, Effect.WARN: ASK_FIRST, Effect.ALLOW: MAY}
"""What an effect of the policy makes of the verdict."""
HOLDING = (Effect.BLOCK, Effect.HOLD)
"""The effects for which mail does not leave."""


@dataclass(frozen=True, slots=True)
class VerdictReason:
    """Something that holds of the person, in words, and what it does to the verdict."""

    code: str
    text: str
    effect: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer with every reason that holds."""

    code: str
    reasons: tuple[VerdictReason, ...]

    @property
    def label(self) -> Any:
        return dict(CHOICES)[self.code]


def verdict(facts: Judged, policy: Policy, now: dt.datetime, said: OptOut | None = None) -> Verdict:
    """Return the verdict for a person under a policy at a moment, with every reason that holds.

    `said` tells when and how the person opted out; a suppressed address opts out even where the card does not say so.
    """
    today = timezone.localdate(now)
    reasons = [
        VerdictReason(rule.code, rule.words(facts, policy, said), EFFECTS[rule.effect(policy)])
        for rule in RULES
        if rule.holds(facts, policy, today) or (rule.code == "unsubscribed" and said is not None)
    ]
    if facts.authorization_type is not None:
        reasons.append(VerdictReason("authorization", _ground(facts), MAY))
    effects = {reason.effect for reason in reasons}
    return Verdict(next(code for code in (MAY_NOT, ASK_FIRST, MAY) if code in effects), tuple(reasons))


def condition(code: str, policy: Policy, *, card: str = "card__", now: dt.datetime | None = None) -> Q:
    """Return the condition on a contact that `verdict` answers with `code`; `card` is the path to the card's fields."""
    barred = _any_of(MAY_NOT, policy, card, now)
    if code == MAY_NOT:
        return barred
    asked = _any_of(ASK_FIRST, policy, card, now)
    return ~barred & asked if code == ASK_FIRST else ~barred & ~asked


def expression(policy: Policy, *, card: str = "card__", now: dt.datetime | None = None) -> Case:
    """Return the verdict's code as a column of a query on contacts, from the same rules."""
    cases = (When(_any_of(code, policy, card, now), then=Value(code)) for code in (MAY_NOT, ASK_FIRST))
    return Case(*cases, default=Value(MAY), output_field=CharField())


def holding(policy: Policy, *, always: bool, card: str = "card__") -> list[tuple[str, Q]]:
    """Return for what the mail gate holds back, in the order of weight: the reason that the mail names, and when.

    Either for what holds `always`, or for what the policy says.
    """
    today = timezone.localdate()
    rules = [rule for rule in RULES if rule.effect(policy) in HOLDING and bool(rule.always) == always]
    return [(rule.held, rule.condition(card, policy, today)) for rule in rules]


def warnings(policy: Policy, *, card: str = "card__") -> list[tuple[str, Q]]:
    """Return of what whoever writes a mail to many is warned: the reason in words, and when it holds."""
    today = timezone.localdate()
    rules = [rule for rule in RULES if rule.effect(policy) == Effect.WARN]
    return [(rule.of_many(policy), rule.condition(card, policy, today)) for rule in rules]


def _any_of(code: str, policy: Policy, card: str, now: dt.datetime | None) -> Q:
    today = timezone.localdate(now)
    rules = [rule for rule in RULES if EFFECTS[rule.effect(policy)] == code]
    return reduce(or_, (rule.condition(card, policy, today) for rule in rules), Q(pk__in=[]))


def _ground(facts: Judged) -> str:
    if facts.consent_date is None:
        return _t("%(ground)s.") % {"ground": AuthorizationType(facts.authorization_type or 0).label}
    return _t("%(ground)s of %(date)s for %(purpose)s.") % {
        "ground": AuthorizationType(facts.authorization_type or 0).label,
        "date": date_format(facts.consent_date),
        "purpose": facts.consent_purpose or _t("a purpose that is no longer held"),
    }

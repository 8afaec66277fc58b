"""May I contact this person now? One table of rules, read as a function, as SQL conditions, and by the mail gate.

A rule holds when all its tests do. A test is a field of the card, a relation and a value, so that Python and SQL cannot
come to understand it differently; see `Test`.
"""

import datetime as dt
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, Literal, Protocol

from django.db.models import Case, CharField, Q, Value, When
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from compliance.card.rules import AuthorizationType
from compliance.models import Policy

MAY = "may"
MAY_NOT = "may_not"
ASK_FIRST = "ask_first"
CHOICES = ((MAY, _("Yes")), (ASK_FIRST, _("Ask first")), (MAY_NOT, _("No")))
Effect = Policy.Effect
EFFECTS: dict[str, str] = {Effect.BLOCK: MAY_NOT, Effect.HOLD: ASK_FIRST, Effect.WARN: ASK_FIRST, Effect.ALLOW: MAY}
"""What an effect of the policy makes of the verdict."""
LOOKS_OPTED_OUT = "looks_like_opted_out"
HOLDING = (Effect.BLOCK, Effect.HOLD)
"""The effects for which mail does not leave."""


class Facts(Protocol):
    """What a verdict is about: a `ComplianceCard`, or a person's state on another date."""

    unsubscribed: bool
    authorization_type: int | None
    consent_date: dt.date | None
    consent_purpose: str
    basis_since: dt.date | None
    restricted_at: dt.datetime | None
    looks_opted_out: bool


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of an opt-out: when and how it came in."""

    since: dt.datetime
    source: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Something that holds of the person, in words, and what it does to the verdict."""

    code: str
    text: str
    effect: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer with every reason that holds."""

    code: str
    reasons: tuple[Reason, ...]

    @property
    def label(self) -> Any:
        return dict(CHOICES)[self.code]


@dataclass(frozen=True, slots=True)
class Test:
    """One relation of a field: it `is` a value, it is `set` (or not), or it lies more than some months `before`."""

    field: str
    relation: Literal["is", "set", "before"]
    value: Any = True

    def holds(self, facts: Facts, policy: Policy, today: dt.date) -> bool:
        found = getattr(facts, self.field)
        match self.relation:
            case "is":
                return bool(found == self.value)
            case "set":
                return (found is not None) == self.value
            case "before":
                return found is not None and bool(found < months_before(today, getattr(policy, self.value)))

    def condition(self, card: str, policy: Policy, today: dt.date) -> Q:
        """Return the same as a condition; `card` is the path to the card's fields."""
        path = f"{card}{self.field}"
        match self.relation:
            case "is":
                return Q(**{path: self.value})
            case "set":
                return Q(**{f"{path}__isnull": not self.value})
            case "before":
                return Q(**{f"{path}__lt": months_before(today, getattr(policy, self.value))})


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason: the tests under which it holds, its words, and the effect: the policy's, or one that is `always` so.

    `held` is the reason that a mail names which the gate holds back for it.
    """

    code: str
    tests: tuple[Test, ...]
    words: Callable[[Facts, Policy, Said | None], str]
    held: str
    always: str = ""

    def effect(self, policy: Policy) -> str:
        return self.always or str(getattr(policy, self.code))

    def holds(self, facts: Facts, policy: Policy, today: dt.date) -> bool:
        return all(test.holds(facts, policy, today) for test in self.tests)

    def condition(self, card: str, policy: Policy, today: dt.date) -> Q:
        return reduce(and_, (test.condition(card, policy, today) for test in self.tests))


def verdict(facts: Facts, policy: Policy, now: dt.datetime, said: Said | None = None) -> Verdict:
    """Return the verdict for a person under a policy at a moment, with every reason that holds.

    `said` tells when and how the person opted out; a suppressed address opts out even where the card does not say so.
    """
    today = timezone.localdate(now)
    reasons = [
        Reason(rule.code, rule.words(facts, policy, said), EFFECTS[rule.effect(policy)])
        for rule in RULES
        if rule.holds(facts, policy, today) or (rule.code == "unsubscribed" and said is not None)
    ]
    if facts.authorization_type is not None:
        reasons.append(Reason("authorization", _ground(facts), MAY))
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


def holding(policy: Policy, *, card: str = "card__") -> list[tuple[str, Q]]:
    """Return for what the mail gate holds back, in the order of weight: the reason that the mail names, and when."""
    today = timezone.localdate()
    return [(rule.held, rule.condition(card, policy, today)) for rule in RULES if rule.effect(policy) in HOLDING]


def warnings(policy: Policy, *, card: str = "card__") -> list[tuple[str, Q]]:
    """Return of what whoever writes a mail is warned: the code of the reason, and when it holds."""
    today = timezone.localdate()
    return [(rule.code, rule.condition(card, policy, today)) for rule in RULES if rule.effect(policy) == Effect.WARN]


def warning_words(code: str, policy: Policy) -> str:
    """Return a reason as it is told of many people at once."""
    return {
        "no_authorization": _t("No authorization recorded"),
        "consent_old": _t("Consent older than %(months)d months") % {"months": policy.consent_months},
        "interest_due": _t("Legitimate interest due for review"),
        "other_ground": _t("Authorization is Other, which is no ground of GDPR art. 6"),
    }[code]


def months_before(day: dt.date, months: int) -> dt.date:
    """Return the same day some months ago, or the last day of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _any_of(code: str, policy: Policy, card: str, now: dt.datetime | None) -> Q:
    today = timezone.localdate(now)
    rules = [rule for rule in RULES if EFFECTS[rule.effect(policy)] == code]
    return reduce(or_, (rule.condition(card, policy, today) for rule in rules), Q(pk__in=[]))


def _unsubscribed(_facts: Facts, _policy: Policy, said: Said | None) -> str:
    if said is None:
        return _t("Unsubscribed.")
    how = {
        "clicked_link": _t("Unsubscribed on %(date)s by link."),
        "one_click": _t("Unsubscribed on %(date)s by one click."),
        "manual": _t("Unsubscribed on %(date)s by hand."),
        "salesforce_sync": _t("Unsubscribed on %(date)s by Salesforce."),
        "bounce": _t("Unsubscribed on %(date)s because the address bounced."),
        "complaint": _t("Unsubscribed on %(date)s by a complaint."),
        "import": _t("Unsubscribed on %(date)s by an import."),
    }
    return how.get(said.source, _t("Unsubscribed on %(date)s.")) % {"date": _day(said.since)}


def _restricted(facts: Facts, _policy: Policy, _said: Said | None) -> str:
    return _t("Processing restricted since %(date)s.") % {"date": _day(facts.restricted_at)}


def _looks_opted_out(_facts: Facts, _policy: Policy, _said: Said | None) -> str:
    return _t("The address looks like one that said no. Decide whether it is another person.")


def _no_authorization(_facts: Facts, _policy: Policy, _said: Said | None) -> str:
    return _t("No authorization recorded.")


def _consent_old(facts: Facts, policy: Policy, _said: Said | None) -> str:
    words = {"date": _day(facts.consent_date), "months": policy.consent_months}
    return _t("Consent of %(date)s is older than %(months)d months.") % words


def _interest_due(facts: Facts, policy: Policy, _said: Said | None) -> str:
    words = {"date": _day(facts.basis_since), "months": policy.interest_months}
    return _t("Legitimate interest was last reviewed on %(date)s, more than %(months)d months ago.") % words


def _other_ground(_facts: Facts, _policy: Policy, _said: Said | None) -> str:
    return _t("Authorization is Other, which is no ground of GDPR art. 6.")


def _ground(facts: Facts) -> str:
    if facts.consent_date is None:
        return _t("%(ground)s.") % {"ground": AuthorizationType(facts.authorization_type or 0).label}
    return _t("Consent of %(date)s for %(purpose)s.") % {
        "date": date_format(facts.consent_date),
        "purpose": facts.consent_purpose or _t("a purpose that is no longer held"),
    }


def _day(day: dt.date | dt.datetime | None) -> str:
    """Return a day, which is there when the rule that speaks of it holds, in the reader's language."""
    return date_format(timezone.localdate(day) if isinstance(day, dt.datetime) else day or "")


RULES: Sequence[Rule] = (
    Rule("unsubscribed", (Test("unsubscribed", "is"),), _unsubscribed, "unsubscribed", Effect.BLOCK),
    Rule("restricted", (Test("restricted_at", "set"),), _restricted, "restricted", Effect.BLOCK),
    Rule(
        LOOKS_OPTED_OUT,
        (Test("looks_opted_out", "is"), Test("unsubscribed", "is", False)),
        _looks_opted_out,
        LOOKS_OPTED_OUT,
        Effect.HOLD,
    ),
    Rule("no_authorization", (Test("authorization_type", "set", False),), _no_authorization, "no_authorization"),
    Rule("consent_old", (Test("consent_date", "before", "consent_months"),), _consent_old, "policy"),
    Rule(
        "interest_due",
        (
            Test("authorization_type", "is", int(AuthorizationType.LEGITIMATE_INTEREST)),
            Test("basis_since", "before", "interest_months"),
        ),
        _interest_due,
        "policy",
    ),
    Rule("other_ground", (Test("authorization_type", "is", int(AuthorizationType.OTHER)),), _other_ground, "policy"),
)

"""The reasons of the verdict, each declared once: when it holds, its words, and what a team may decide of it.

A reason holds when all its tests do. A test is a field of the card, a relation and a value, so that Python and SQL
cannot come to understand it differently; see `FieldTest`. The policy's columns and page are made from this table too.
"""

import datetime as dt
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from django.db.models import Q, TextChoices
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.suppression.opt_out_source_registry import FACTS, OptOutSource
from salesconnect.lib.text import Text

if TYPE_CHECKING:
    from compliance.models import ComplianceCard, Policy

LOOKS_OPTED_OUT = "looks_like_opted_out"
BY_POLICY = "policy"
"""The reason that a held mail names where a team decided it, unless the rule has one of its own."""


class Effect(TextChoices):
    """What a reason does to the verdict and to mail."""

    BLOCK = "block", _("Block")
    HOLD = "hold", _("Hold")
    WARN = "warn", _("Warn")
    ALLOW = "allow", _("Allow")


@dataclass
class Facts:
    """What a verdict is about, as it was on another date; a `ComplianceCard` has the same fields as things stand."""

    unsubscribed: bool = False
    authorization_type: int | None = None
    consent_date: dt.date | None = None
    consent_purpose: str = ""
    basis_since: dt.date | None = None
    restricted_at: dt.datetime | None = None
    looks_opted_out: bool = False


Judged: TypeAlias = "Facts | ComplianceCard"


@dataclass(frozen=True, slots=True)
class OptOut:
    """What is known of an opt-out: when and how it came in."""

    since: dt.datetime
    source: str


@dataclass(frozen=True, slots=True)
class FieldTest:
    """One relation of a field: it `is` a value, it is `set` (or not), or it lies more than some months `before`."""

    field: str
    relation: Literal["is", "set", "before"]
    value: Any = True

    def holds(self, facts: Judged, policy: "Policy", today: dt.date) -> bool:
        found = getattr(facts, self.field)
        match self.relation:
            case "is":
                return bool(found == self.value)
            case "set":
                return (found is not None) == self.value
            case "before":
                return found is not None and bool(found < months_before(today, getattr(policy, self.value)))

    def condition(self, card: str, policy: "Policy", today: dt.date) -> Q:
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
class Months:
    """After how many months a reason holds: a number of the policy, its label, and what a new installation has."""

    name: str
    label: Text
    default: int


@dataclass(frozen=True, slots=True)
class Decided:
    """What a team decides of a reason: its effect, and after how many `months` it holds where time makes it hold.

    `label` and `help` are those of the policy's page. `of_many` tells the reason of many people at once, to whoever
    writes to them; it may name the months as `%(months)d`.
    """

    default: Effect
    label: Text
    help: Text
    of_many: Text
    months: Months | None = None


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """A reason: the tests under which it holds, its words, and its effect: one that is `always` so, or the team's.

    `held` is the reason that a mail names which the gate holds back for it, one of `Message.Reason`.
    """

    code: str
    tests: tuple[FieldTest, ...]
    words: Callable[[Judged, "Policy", OptOut | None], str]
    always: Effect | None = None
    decided: Decided | None = None
    held: str = BY_POLICY

    def effect(self, policy: "Policy") -> Effect:
        return self.always or Effect(getattr(policy, self.code))

    def holds(self, facts: Judged, policy: "Policy", today: dt.date) -> bool:
        return all(test.holds(facts, policy, today) for test in self.tests)

    def condition(self, card: str, policy: "Policy", today: dt.date) -> Q:
        return reduce(and_, (test.condition(card, policy, today) for test in self.tests))

    def of_many(self, policy: "Policy") -> str:
        """Return the reason as it is told of many people at once; empty where no team decides it."""
        if self.decided is None:
            return ""
        months = self.decided.months
        return str(self.decided.of_many) % ({"months": getattr(policy, months.name)} if months else {})


def months_before(day: dt.date, months: int) -> dt.date:
    """Return the same day some months ago, or the last day of that month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _unsubscribed(_facts: Judged, _policy: "Policy", said: OptOut | None) -> str:
    if said is None:
        return _t("Unsubscribed.")
    sentence = FACTS[OptOutSource(said.source)].sentence if said.source in FACTS else _t("Unsubscribed on %(date)s.")
    return str(sentence) % {"date": _day(said.since)}


def _restricted(facts: Judged, _policy: "Policy", _said: OptOut | None) -> str:
    return _t("Processing restricted since %(date)s.") % {"date": _day(facts.restricted_at)}


def _looks_opted_out(_facts: Judged, _policy: "Policy", _said: OptOut | None) -> str:
    return _t("The address looks like one that said no. Decide whether it is another person.")


def _no_authorization(_facts: Judged, _policy: "Policy", _said: OptOut | None) -> str:
    return _t("No authorization recorded.")


def _consent_old(facts: Judged, policy: "Policy", _said: OptOut | None) -> str:
    words = {"date": _day(facts.consent_date), "months": policy.consent_months}
    return _t("Consent of %(date)s is older than %(months)d months.") % words


def _interest_due(facts: Judged, policy: "Policy", _said: OptOut | None) -> str:
    words = {"date": _day(facts.basis_since), "months": policy.interest_months}
    return _t("Legitimate interest was last reviewed on %(date)s, more than %(months)d months ago.") % words


def _other_ground(_facts: Judged, _policy: "Policy", _said: OptOut | None) -> str:
    return _t("Authorization is Other, which is no ground of GDPR art. 6.")


def _day(day: dt.date | dt.datetime | None) -> str:
    """Return a day, which is there when the rule that speaks of it holds, in the reader's language."""
    return date_format(timezone.localdate(day) if isinstance(day, dt.datetime) else day or "")


RULES: Sequence[VerdictRule] = (
    VerdictRule(
        "unsubscribed", (FieldTest("unsubscribed", "is"),), _unsubscribed, always=Effect.BLOCK, held="unsubscribed"
    ),
    VerdictRule(
        "restricted", (FieldTest("restricted_at", "set"),), _restricted, always=Effect.BLOCK, held="restricted"
    ),
    VerdictRule(
        LOOKS_OPTED_OUT,
        (FieldTest("looks_opted_out", "is"), FieldTest("unsubscribed", "is", False)),
        _looks_opted_out,
        always=Effect.HOLD,
        held=LOOKS_OPTED_OUT,
    ),
    VerdictRule(
        "no_authorization",
        (FieldTest("authorization_type", "set", False),),
        _no_authorization,
        decided=Decided(
            Effect.HOLD,
            label=_("No authorization is recorded"),
            help=_("No legal basis is recorded."),
            of_many=_("No authorization recorded"),
        ),
        held="no_authorization",
    ),
    VerdictRule(
        "consent_old",
        (FieldTest("consent_date", "before", "consent_months"),),
        _consent_old,
        decided=Decided(
            Effect.WARN,
            label=_("The consent is old"),
            help=_("The person agreed longer ago than the months below."),
            of_many=_("Consent older than %(months)d months"),
            months=Months("consent_months", _("Consent expires after (months)"), 24),
        ),
    ),
    VerdictRule(
        "interest_due",
        (
            FieldTest("authorization_type", "is", int(AuthorizationType.LEGITIMATE_INTEREST)),
            FieldTest("basis_since", "before", "interest_months"),
        ),
        _interest_due,
        decided=Decided(
            Effect.WARN,
            label=_("The legitimate interest is due for review"),
            help=_("No balancing test within the period below."),
            of_many=_("Legitimate interest due for review"),
            months=Months("interest_months", _("Review legitimate interests after (months)"), 12),
        ),
    ),
    VerdictRule(
        "other_ground",
        (FieldTest("authorization_type", "is", int(AuthorizationType.OTHER)),),
        _other_ground,
        decided=Decided(
            Effect.ALLOW,
            label=_("The authorization is Other"),
            help=_("“Other” is not a legal basis under GDPR art. 6."),
            of_many=_("Authorization is Other, which is no ground of GDPR art. 6"),
        ),
    ),
)
"""In the order of their weight: a held mail names the first."""

DECIDED = {rule.code: rule.decided for rule in RULES if rule.decided}
MONTHS = tuple(decided.months for decided in DECIDED.values() if decided.months)

"""May I contact this person now? One table of reasons, read as a function and as an SQL condition."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Q, Value, When
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

MAY = "may"
MAY_NOT = "may_not"
ASK_FIRST = "ask_first"
CHOICES = ((MAY, _("Yes")), (ASK_FIRST, _("Ask first")), (MAY_NOT, _("No")))


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
        """Return the answer in words."""
        return dict(CHOICES)[self.code]


def verdict(card: Any) -> Verdict:
    """Return the verdict for a card: an opt-out always forbids, a missing ground asks first, any ground allows."""
    reasons = []
    if card.unsubscribed:
        reasons.append(Reason("unsubscribed", _t("Unsubscribed."), MAY_NOT))
    if card.authorization_type is None:
        reasons.append(Reason("no_authorization", _t("No authorization recorded."), ASK_FIRST))
    else:
        reasons.append(Reason("authorization", _ground(card), MAY))
    effects = {reason.effect for reason in reasons}
    code = next(effect for effect in (MAY_NOT, ASK_FIRST, MAY) if effect in effects)
    return Verdict(code, tuple(reasons))


def condition(code: str, card: str = "card__") -> Q:
    """Return the condition on a contact that `verdict` answers with `code`; `card` is the path to the card's fields."""
    unsubscribed, ground = f"{card}unsubscribed", f"{card}authorization_type"
    return {
        MAY_NOT: Q(**{unsubscribed: True}),
        ASK_FIRST: Q(**{unsubscribed: False, ground: None}),
        MAY: Q(**{unsubscribed: False, f"{ground}__isnull": False}),
    }[code]


def expression() -> Case:
    """Return the verdict's code as a column of a query on contacts, from the same conditions."""
    cases = (When(condition(code), then=Value(code)) for code in (MAY_NOT, ASK_FIRST))
    return Case(*cases, default=Value(MAY), output_field=CharField())


def _ground(card: Any) -> str:
    if card.consent_date is None:
        return _t("%(ground)s.") % {"ground": card.get_authorization_type_display()}
    return _t("Consent of %(date)s for %(purpose)s.") % {
        "date": date_format(card.consent_date),
        "purpose": card.consent_purpose,
    }

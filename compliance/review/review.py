"""Review of legal bases: consents that have grown old, and legitimate interests whose balance is to be weighed again.

A review says that the basis still holds. It moves the clock of that basis and is on record; it makes no consent newer.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg2.extras import Json

from compliance.card import card_changes
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import TEXT_LIMIT
from compliance.models import ComplianceCard, Policy, ReviewNote
from compliance.verdict import policy
from compliance.verdict.reason_registry import months_before
from contacts.events import history
from contacts.models import Contact
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import statement
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict, Invalid
from salesconnect.lib.outcome import Outcome

NOTE_LIMIT = 2_000
REVIEWED = statement(__file__, "mark_reviewed")


@dataclass(frozen=True, slots=True)
class BalancingNote:
    """A balancing note: what the data is for, why it takes this data, and why that outweighs the person's interests."""

    purpose: str
    necessity: str
    balance: str

    def errors(self) -> dict[str, list[str]]:
        """Return what is wrong by field name: each of the three parts of the test is put into words."""
        limits = {"purpose": TEXT_LIMIT, "necessity": NOTE_LIMIT, "balance": NOTE_LIMIT}
        errors = {}
        for name, limit in limits.items():
            text = getattr(self, name).strip()
            if not text:
                errors[name] = [_("Put this part of the balance into words.")]
            elif len(text) > limit:
                errors[name] = [_("Use at most %(limit)d characters.") % {"limit": limit}]
        return errors


@act
def mark(contacts: ContactQuerySet, *, actor: Actor, reason: str = "", batch_id: int | None = None) -> Outcome:
    """Put on record that the legal bases of all `contacts` were reviewed and hold; who has none counts as unchanged."""
    actor.require("edit_people")
    if len(reason) > TEXT_LIMIT:
        raise Invalid({"reason": [_("Use at most %(limit)d characters.") % {"limit": TEXT_LIMIT}]})
    return _record(contacts, {"reason": [None, reason.strip()]} if reason.strip() else {}, actor, batch_id)


@act
def balance(contact_id: int, note: BalancingNote, *, actor: Actor) -> ReviewNote:
    """Attach a balancing note to one person's legitimate interest, which is thereby reviewed (GDPR art. 6(1)(f)).

    Raises `Forbidden`, `Missing`, `Restricted`, `Invalid`, and `Conflict` (`no_interest`) for another legal basis.
    """
    actor.require("edit_people")
    card_changes.lock_one(contact_id)
    if errors := note.errors():
        raise Invalid(errors)
    card = ComplianceCard.objects.get(pk=contact_id)
    if card.authorization_type != AuthorizationType.LEGITIMATE_INTEREST:
        raise Conflict("no_interest", _("Only a legitimate interest is weighed in a balancing note."))
    texts = {name: getattr(note, name).strip() for name in ("purpose", "necessity", "balance")}
    stored = ReviewNote.objects.create(contact_id=contact_id, user_id=actor.user_id, actor_name=actor.name, **texts)
    _record(Contact.objects.filter(pk=contact_id), {"note": [None, stored.pk]}, actor, None)
    return stored


def consent_due(rules: Policy, card: str = "card__", today: dt.date | None = None) -> Q:
    """Return the condition that a consent is older than the policy allows and was not reviewed for as long."""
    limit = months_before(today or timezone.localdate(), rules.consent_months)
    not_reviewed = Q(**{f"{card}reviewed_on": None}) | Q(**{f"{card}reviewed_on__lt": limit})
    return Q(**{f"{card}consent_date__lt": limit, f"{card}restricted_at": None}) & not_reviewed


def interest_due(rules: Policy, card: str = "card__", today: dt.date | None = None) -> Q:
    """Return the condition that a legitimate interest was recorded or reviewed too long ago."""
    limit = months_before(today or timezone.localdate(), rules.interest_months)
    interest = int(AuthorizationType.LEGITIMATE_INTEREST)
    return Q(**{f"{card}authorization_type": interest, f"{card}basis_since__lt": limit, f"{card}restricted_at": None})


def old_consents() -> QuerySet[ComplianceCard]:
    """Return the cards whose consent is due for review, oldest first, with their people."""
    return _queue(consent_due(policy.current(), card="")).order_by("consent_date", "contact_id")


def old_interests() -> QuerySet[ComplianceCard]:
    """Return the cards whose legitimate interest is due for review, longest ago first, with their people."""
    return _queue(interest_due(policy.current(), card="")).order_by("basis_since", "contact_id")


def _queue(condition: Q) -> QuerySet[ComplianceCard]:
    return ComplianceCard.objects.filter(condition).select_related("contact__owner")


def _record(contacts: ContactQuerySet, changes: dict[str, list[object]], actor: Actor, batch_id: int | None) -> Outcome:
    ids, restricted = card_changes.lock_unrestricted(contacts)
    values = {
        "ids": ids,
        "today": timezone.localdate(),
        "action": history.REVIEWED,
        "changes": Json(changes),
        **history.event_values(actor, batch_id),
    }
    with connection.cursor() as cursor:
        cursor.execute(REVIEWED, values)
        changed = cursor.fetchone()[0]
    return Outcome(changed=changed, unchanged=len(ids) - changed).refuse("restricted", restricted)

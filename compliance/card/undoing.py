"""Taking back the last edit of one person: an edit of its own, and never at the cost of a newer one."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from compliance.card.card_changes import ReviewClock
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.revision import OwnerChoice, revise
from compliance.card.source_registry import SourceType
from compliance.verdict import asof
from contacts.events import history
from contacts.models import ContactEvent, User
from contacts.people.field_registry import DETAILS
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict
from salesconnect.lib.outcome import Outcome
from salesconnect.lib.slug_choices import SlugChoices

EDITS = (history.AUTHORIZATION, history.SOURCE, history.EDITED)
TYPES: dict[str, type[SlugChoices]] = {"authorization_type": AuthorizationType, "source_type": SourceType}
CARD = (*TYPES, "authorization_other", "consent_date", "consent_purpose", "source_other")


@act
def undo_edit(
    contact_id: int, *, since: int, version: int, actor: Actor, owner: User | OwnerChoice | None = OwnerChoice.UNCHANGED
) -> Outcome:
    """Give back the details and the card that the edits after event `since` replaced, and the `owner` before them.

    `version` is where they left the person. Raises `Stale` when somebody changed the person after that, and
    `Conflict` (`nothing_to_undo`) when no edit came after the event. An unsubscribe is never taken back.
    """
    actor.require("edit_people")
    before = _values_before(contact_id, since)
    if not before:
        raise Conflict("nothing_to_undo", _("There is nothing to undo."))
    details = {name: before[name] for name in DETAILS if name in before}
    card = {name: _stored(name, before[name]) for name in CARD if name in before}
    return revise(
        contact_id,
        details=details,
        card=card,
        owner=owner,
        version=version,
        actor=actor,
        clocks=_clocks_before(contact_id, since),
    )


def _clocks_before(contact_id: int, since: int) -> ReviewClock | None:
    """Return the clocks that the legal basis had before the first edit after `since` that changed it."""
    own = ContactEvent.objects.filter(contact_id=contact_id, id__gt=since, action=history.AUTHORIZATION)
    first = own.order_by("id").values_list("at", flat=True).first()
    if first is None:
        return None
    [state] = asof.states([(contact_id, first - asof.INSTANT)])
    return ReviewClock(state.basis_since, state.reviewed_on)


def _values_before(contact_id: int, since: int) -> dict[str, Any]:
    """Return each field that was edited after `since`, with the value it had before the first of those edits."""
    values: dict[str, Any] = {}
    # Edits of records that were merged into this one are no edits of it.
    own = ContactEvent.objects.filter(contact_id=contact_id, id__gt=since, action__in=EDITS)
    for event in own.order_by("-id"):
        values |= {name: change[0] for name, change in event.changes.items() if isinstance(change, list)}
    return values


def _stored(name: str, value: Any) -> Any:
    """Return a value of the history as the card holds it: members for slugs, dates for their text."""
    if value is None:
        return None
    if name in TYPES:
        return TYPES[name].from_slug(value)
    return dt.date.fromisoformat(value) if name == "consent_date" else value

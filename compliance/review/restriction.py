"""Restriction of processing (GDPR art. 18): the data stays, and nothing may be done with it but read.

What it closes is said once, in `card_changes.UNRESTRICTED`; an opt-out is taken all the same.
"""

from django.db import connection
from django.utils.translation import gettext as _

from compliance.card import card_changes
from compliance.card.rules import TEXT_LIMIT
from contacts.events import history
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import statement
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Invalid
from salesconnect.lib.outcome import Outcome

SET = statement(__file__, "set_restriction")


@act
def restrict(contacts: ContactQuerySet, reason: str, *, actor: Actor, batch_id: int | None = None) -> Outcome:
    """Restrict the processing of all `contacts`; who is restricted already counts as unchanged.

    Raises `Forbidden`, and `Invalid` without a reason: why it was done must be demonstrable.
    """
    return _set(contacts, reason, True, actor=actor, batch_id=batch_id)


@act
def lift(contacts: ContactQuerySet, reason: str, *, actor: Actor, batch_id: int | None = None) -> Outcome:
    """Lift the restriction of all `contacts`; who is not restricted counts as unchanged. Raises as `restrict` does."""
    return _set(contacts, reason, False, actor=actor, batch_id=batch_id)


def _set(contacts: ContactQuerySet, reason: str, restricts: bool, *, actor: Actor, batch_id: int | None) -> Outcome:
    actor.require("restrict_people")
    reason = reason.strip()
    if not reason:
        raise Invalid({"reason": [_("Give a reason; it goes into the history.")]})
    if len(reason) > TEXT_LIMIT:
        raise Invalid({"reason": [_("Use at most %(limit)d characters.") % {"limit": TEXT_LIMIT}]})
    ids = card_changes.lock(contacts)
    values = {
        "ids": ids,
        "restricts": restricts,
        "reason": reason,
        "action": history.RESTRICTED if restricts else history.UNRESTRICTED,
        **history.event_values(actor, batch_id),
    }
    with connection.cursor() as cursor:
        cursor.execute(SET, values)
        changed = cursor.fetchone()[0]
    return Outcome(changed=changed, unchanged=len(ids) - changed)

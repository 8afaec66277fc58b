"""Taking back a bulk order: an order of its own, which leaves alone whom somebody has changed since."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.events import history
from contacts.jobs import batches
from contacts.jobs.acts import ACTS
from contacts.models import Batch
from contacts.people.queries import array
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict

UNDO_DAYS = 30
# An event bears the time at which its act began; no act on people takes longer.
LONGEST_ACT = dt.timedelta(minutes=1)
# The order's own events of a chunk's people. The statement of an act begins with it: `touched` are those events, and
# `LATER` says that a newer event changed one of the same fields. Of two changes of one person the later has the higher
# number: both took it with the person locked.
TOUCHED = """
    touched AS MATERIALIZED (
        SELECT contact_id, id, at, changes FROM contacts_contactevent
        WHERE contact_id = ANY(%(ids)s) AND at >= %(ordered)s AND at < %(until)s AND batch_id = %(undone)s
    )
"""
LATER = """
    EXISTS (
        SELECT FROM contacts_contactevent later
        WHERE later.contact_id = touched.contact_id AND later.at >= %(since)s AND later.at < %(until)s
        AND later.id > touched.id AND later.changes ?| %(fields)s
    )
"""


@act
def undo(batch: Batch, *, actor: Actor) -> Batch:
    """Restore what a bulk order changed, for 30 days; who was changed since is left alone.

    They are counted as `changed_since`. Only who gave the order may, and administrators. Returns the batch that does
    it. Raises `Conflict`: `not_undoable` (another kind), `not_ended`, `too_old`, `undone_before`.
    """
    actor.require("edit_people")
    batch = Batch.objects.select_for_update().get(pk=batch.pk)
    actor.require_own(batch.user_id)
    if not ACTS[batch.kind].undoable:
        raise Conflict("not_undoable", _("A change of this kind cannot be undone."))
    if not batch.ended:
        raise Conflict("not_ended", _("Wait until the change has ended, or cancel it first."))
    if batch.created_at < timezone.now() - dt.timedelta(days=UNDO_DAYS):
        raise Conflict("too_old", _("A change can be undone for %(days)d days.") % {"days": UNDO_DAYS})
    if batch.undone_by.exists():
        raise Conflict("undone_before", _("This change has been undone already."))
    return batches.order(None, "undo", actor=actor, undoes=batch)


def undo_values(ids: list[int], undone: Batch, batch: Batch, actor: Actor, fields: list[str]) -> dict[str, Any]:
    """Return the parameters of `TOUCHED`, `LATER` and the new events, for a chunk's people and the fields restored."""
    return {
        "ids": array(ids),
        "undone": undone.pk,
        "ordered": undone.created_at,
        "since": undone.created_at - LONGEST_ACT,
        "until": timezone.now() + history.CLOCK_SKEW,
        "action": ACTS[undone.kind].action,
        "fields": fields,
        **history.event_values(actor, batch.pk),
    }

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contacts.jobs.acts import ACTS, Act, register
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome


@register
class Undo(Act):
    """Restore what another order changed; how, its own act says."""

    kind = "undo"
    right = "edit_people"

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        actor.require(self.right)
        undone = batch.undoes
        if undone is None:
            raise ValueError(f"batch {batch.pk} undoes nothing")
        return ACTS[undone.kind].take_back(contacts, undone, batch, actor)

    def headline(self, batch: Batch) -> str:
        return _("Undo of bulk change %(number)s") % {"number": batch.undoes_id}

    def done(self, n: int) -> str:
        return ngettext("Undone for %(n)s person.", "Undone for %(n)s people.", n)

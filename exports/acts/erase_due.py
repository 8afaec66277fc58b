"""The erasures of a retention run."""

from django.utils.translation import ngettext, pgettext

from contacts.events import history
from contacts.jobs.acts import Act, register
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from exports.retention import retention
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome


@register
class EraseDue(Act):
    """Erase the people whose retention period is over. Only a retention run orders it, never a user's selection."""

    kind = retention.KIND
    right = "edit_retention"
    action = history.DELETED

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        return retention.erase_chunk(contacts, batch, actor)

    def headline(self, batch: Batch) -> str:
        return pgettext("task", "Retention")

    def done(self, n: int) -> str:
        return ngettext("%(n)s person erased.", "%(n)s people erased.", n)

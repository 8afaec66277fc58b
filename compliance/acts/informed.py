"""The mark that many people have been told where their data comes from (GDPR art. 14)."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from compliance.card.rules import TEXT_LIMIT
from compliance.review import informing
from contacts.events import history
from contacts.jobs.acts import register
from contacts.jobs.parameters import TextParameter
from contacts.jobs.selected import Counts, Params, SelectedAct
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome


@register
class MarkInformed(SelectedAct):
    """Put on record that many people have been told where their data comes from (GDPR art. 14)."""

    kind = "informed"
    right = "edit_people"
    action = history.INFORMED
    label = _("Mark as informed")
    kept_params = ("reason",)
    parameters = (TextParameter("reason", _("Note"), _("Optional. It stays in the history."), TEXT_LIMIT),)

    def preview(self, people: ContactQuerySet, params: Params) -> Counts:
        return Counts(people.count(), people.filter(card__informed_at=None).count())

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        return informing.mark(contacts, actor=actor, reason=batch.params.get("reason", ""), batch_id=batch.pk)

    def title(self, n: int) -> str:
        return ngettext("Mark %(n)s person as informed", "Mark %(n)s people as informed", n)

    def button(self, n: int) -> str:
        return ngettext("Mark %(n)s as informed", "Mark %(n)s as informed", n)

    def headline(self, batch: Batch) -> str:
        return pgettext("task", "Mark as informed (art. 14)")

    def done(self, n: int) -> str:
        return ngettext("%(n)s person marked as informed.", "%(n)s people marked as informed.", n)

"""The opt-out of many people, given by a user."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from compliance.card.rules import TEXT_LIMIT
from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.jobs.acts import register
from contacts.jobs.parameters import TextParameter
from contacts.jobs.selected import Counts, Params, SelectedAct
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome


@register
class Unsubscribe(SelectedAct):
    """Opt many people out of mail."""

    kind = "unsubscribe"
    right = "unsubscribe_people"
    action = history.UNSUBSCRIBED
    label = _("Unsubscribe")
    kept_params = ("reason",)
    parameters = (TextParameter("reason", _("Reason"), _("Optional. It stays in the history."), TEXT_LIMIT),)

    def preview(self, people: ContactQuerySet, params: Params) -> Counts:
        # Restricted people are opted out too: a "no" is taken all the same.
        total, already = people.count(), people.filter(card__unsubscribed=True).count()
        return Counts(total, total - already)

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        return suppression.unsubscribe(
            contacts,
            actor=actor,
            source=Suppression.Source.MANUAL,
            reason=batch.params.get("reason", ""),
            batch_id=batch.pk,
        )

    def title(self, n: int) -> str:
        return ngettext("Unsubscribe %(n)s person", "Unsubscribe %(n)s people", n)

    def button(self, n: int) -> str:
        return ngettext("Unsubscribe %(n)s", "Unsubscribe %(n)s", n)

    def headline(self, batch: Batch) -> str:
        return pgettext("task", "Unsubscribe")

    def done(self, n: int) -> str:
        return ngettext("%(n)s person unsubscribed.", "%(n)s people unsubscribed.", n)

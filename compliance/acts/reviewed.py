"""The mark that the legal bases of many people were reviewed."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from compliance.card.rules import TEXT_LIMIT
from compliance.review import review
from contacts.events import history
from contacts.jobs.acts import register
from contacts.jobs.parameters import TextParameter
from contacts.jobs.selected import Counts, Params, SelectedAct
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome


@register
class MarkReviewed(SelectedAct):
    """Put on record that the legal bases of many people were reviewed and hold."""

    kind = "reviewed"
    right = "edit_people"
    action = history.REVIEWED
    label = _("Mark as reviewed")
    kept_params = ("reason",)
    parameters = (TextParameter("reason", _("Note"), _("Optional. It stays in the history."), TEXT_LIMIT),)

    def preview(self, people: ContactQuerySet, params: Params) -> Counts:
        total, free = people.count(), people.filter(card__restricted_at=None)
        change = free.exclude(card__authorization_type=None).count()
        return Counts(total, change, {"restricted": total - free.count()})

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        return review.mark(contacts, actor=actor, reason=batch.params.get("reason", ""), batch_id=batch.pk)

    def title(self, n: int) -> str:
        return ngettext("Mark %(n)s legal basis as reviewed", "Mark %(n)s legal bases as reviewed", n)

    def button(self, n: int) -> str:
        return ngettext("Mark %(n)s as reviewed", "Mark %(n)s as reviewed", n)

    def headline(self, batch: Batch) -> str:
        return pgettext("task", "Mark legal bases as reviewed")

    def done(self, n: int) -> str:
        return ngettext("%(n)s legal basis marked as reviewed.", "%(n)s legal bases marked as reviewed.", n)

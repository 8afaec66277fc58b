"""The deletion of many people."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from contacts.events import history
from contacts.jobs.acts import register
from contacts.jobs.parameters import FlagParameter
from contacts.jobs.selected import Counts, Params, SelectedAct
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from exports.erasure import erasure
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome


@register
class Delete(SelectedAct):
    """Delete many people. Above the team's limit the batch stays `waiting` until a second administrator approves it."""

    kind = "delete"
    right = "delete_people"
    action = history.DELETED
    asks_recent = True
    label = _("Delete")
    kept_params = ("on_request",)
    parameters = (FlagParameter("on_request", _("Erasure was asked for")),)

    def preview(self, people: ContactQuerySet, params: Params) -> Counts:
        total, may_go = people.count(), people.filter(card__restricted_at=None)
        change = may_go.count()
        unsubscribed = may_go.filter(card__unsubscribed=True).count()
        return Counts(total, change, {"restricted": total - change}, unsubscribed=unsubscribed)

    def order(
        self, people: ContactQuerySet, params: Params, *, actor: Actor, approved: int | None = None, **selected: Any
    ) -> Batch:
        return erasure.order(people, actor=actor, expected=approved, **params, **selected)

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        why = erasure.ON_REQUEST if batch.params.get("on_request") else ""
        return erasure.delete(contacts, actor=actor, batch_id=batch.pk, why=why)

    def title(self, n: int) -> str:
        return ngettext("Delete %(n)s person", "Delete %(n)s people", n)

    def button(self, n: int) -> str:
        return ngettext("Delete %(n)s", "Delete %(n)s", n)

    def headline(self, batch: Batch) -> str:
        return pgettext("task", "Delete")

    def done(self, n: int) -> str:
        return ngettext("%(n)s person deleted.", "%(n)s people deleted.", n)

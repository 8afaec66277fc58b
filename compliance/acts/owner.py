"""The owner of many people."""

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from compliance.card import ownership
from contacts.events import history
from contacts.jobs.acts import register
from contacts.jobs.parameters import UserParameter
from contacts.jobs.selected import Counts, Params, SelectedAct
from contacts.models import Batch, User
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome


@register
class SetOwner(SelectedAct):
    """Give many people to an owner with an open account, or with null to nobody."""

    kind = "owner"
    right = "edit_people"
    action = history.EDITED
    undoable = True
    kept_params = ("owner", "owner_name")
    asks_first = True
    label = gettext_lazy("Owner")
    hint = gettext_lazy("Choose an owner to see what would change.")
    refusals = {"owner_closed": gettext_lazy("the owner’s account is closed")}
    parameters = (UserParameter("owner", gettext_lazy("Owner"), gettext_lazy("Nobody")),)

    def preview(self, people: ContactQuerySet, params: Params) -> Counts:
        owner = params["owner"]
        free = Q(card__restricted_at=None)
        other = Q(owner__isnull=False) if owner is None else Q(owner=None) | ~Q(owner=owner)
        counts = people.aggregate(
            total=Count("pk"), free=Count("pk", filter=free), change=Count("pk", filter=free & other)
        )
        return Counts(counts["total"], counts["change"], {"restricted": counts["total"] - counts["free"]})

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        number = batch.params["owner"]
        owner = User.objects.filter(pk=number, is_active=True).first()
        if number is not None and owner is None:
            # The account was closed after the order was given.
            return Outcome().refuse("owner_closed", list(contacts.values_list("pk", flat=True)))
        return ownership.assign(contacts, owner, actor=actor, batch_id=batch.pk)

    def take_back(self, contacts: ContactQuerySet, undone: Batch, batch: Batch, actor: Actor) -> Outcome:
        return ownership.give_back(contacts, undone, batch, actor)

    def title(self, n: int) -> str:
        return ngettext("Set owner for %(n)s person", "Set owner for %(n)s people", n)

    def button(self, n: int) -> str:
        return ngettext("Set for %(n)s", "Set for %(n)s", n)

    def headline(self, batch: Batch) -> str:
        return _("Owner: %(name)s") % {"name": batch.params.get("owner_name") or _("Nobody")}

    def done(self, n: int) -> str:
        return ngettext("Owner set for %(n)s person.", "Owner set for %(n)s people.", n)

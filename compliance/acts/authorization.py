"""The legal basis of many people."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from compliance.card import card_changes, counting, restoring
from compliance.card.card_changes import AUTHORIZATION_COLUMNS
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.card.words import authorization_words
from contacts.events import history
from contacts.jobs.acts import register
from contacts.jobs.parameters import Values
from contacts.jobs.selected import Counts, Params, SelectedAct
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome


@register
class SetAuthorization(SelectedAct):
    """Set the legal basis of many people."""

    kind = "authorization"
    right = "edit_people"
    action = history.AUTHORIZATION
    undoable = True
    kept_params = ("type", "consent_date")
    asks_first = True
    label = gettext_lazy("Authorization")
    hint = gettext_lazy("Choose an authorization to see what would change.")

    def params(self, values: Values) -> Params:
        return authorization_params(Authorization.from_values(values))

    def preview(self, people: ContactQuerySet, params: Params) -> Counts:
        return counting.preview(people, AUTHORIZATION_COLUMNS, _stored(params).values())

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        return card_changes.authorise(contacts, _stored(batch.params), actor=actor, batch_id=batch.pk)

    def take_back(self, contacts: ContactQuerySet, undone: Batch, batch: Batch, actor: Actor) -> Outcome:
        return restoring.restore(contacts, AUTHORIZATION_COLUMNS, undone, batch, actor)

    def title(self, n: int) -> str:
        return ngettext("Set authorization for %(n)s person", "Set authorization for %(n)s people", n)

    def button(self, n: int) -> str:
        return ngettext("Set for %(n)s", "Set for %(n)s", n)

    def headline(self, batch: Batch) -> str:
        params = batch.params
        kind = params.get("type")
        values = {
            "authorization_type": AuthorizationType(kind).slug if kind else None,
            "authorization_other": params.get("other"),
            "consent_date": params.get("consent_date"),
            "consent_purpose": params.get("consent_purpose"),
        }
        return _("Authorization: %(words)s") % {"words": authorization_words(values)}

    def done(self, n: int) -> str:
        return ngettext("Authorization set for %(n)s person.", "Authorization set for %(n)s people.", n)


def authorization_params(authorization: Authorization) -> dict[str, Any]:
    """Return a legal basis as an order stores it; `Invalid` when it breaks a rule, before anything is ordered."""
    card_changes.raise_invalid(authorization.errors(timezone.localdate()))
    return {
        "type": authorization.type,
        "other": authorization.other,
        "consent_date": authorization.consent_date.isoformat() if authorization.consent_date else None,
        "consent_purpose": authorization.consent_purpose,
    }


def _stored(params: Params) -> Authorization:
    return Authorization.from_values(
        params | {"authorization_type": params["type"], "authorization_other": params["other"]}
    )

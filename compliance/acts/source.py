"""Where the data of many people came from."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from compliance.card import card_changes, counting, restoring
from compliance.card.card_changes import SOURCE_COLUMNS
from compliance.card.rules import Source
from compliance.card.source_registry import SourceType
from compliance.card.words import source_words
from contacts.events import history
from contacts.jobs.acts import register
from contacts.jobs.parameters import Values
from contacts.jobs.selected import Counts, Params, SelectedAct
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome


@register
class SetSource(SelectedAct):
    """Set where the data of many people came from."""

    kind = "source"
    right = "edit_people"
    action = history.SOURCE
    undoable = True
    kept_params = ("type",)
    asks_first = True
    label = gettext_lazy("Source")
    hint = gettext_lazy("Choose a source to see what would change.")

    def params(self, values: Values) -> Params:
        return source_params(Source.from_values(values))

    def preview(self, people: ContactQuerySet, params: Params) -> Counts:
        return counting.preview(people, SOURCE_COLUMNS, _stored(params).values())

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        return card_changes.set_source(contacts, _stored(batch.params), actor=actor, batch_id=batch.pk)

    def take_back(self, contacts: ContactQuerySet, undone: Batch, batch: Batch, actor: Actor) -> Outcome:
        return restoring.restore(contacts, SOURCE_COLUMNS, undone, batch, actor)

    def title(self, n: int) -> str:
        return ngettext("Set source for %(n)s person", "Set source for %(n)s people", n)

    def button(self, n: int) -> str:
        return ngettext("Set for %(n)s", "Set for %(n)s", n)

    def headline(self, batch: Batch) -> str:
        kind = batch.params.get("type")
        values = {"source_type": SourceType(kind).slug if kind else None, "source_other": batch.params.get("other")}
        return _("Source: %(words)s") % {"words": source_words(values)}

    def done(self, n: int) -> str:
        return ngettext("Source set for %(n)s person.", "Source set for %(n)s people.", n)


def source_params(source: Source) -> dict[str, Any]:
    """Return a source as an order stores it; `Invalid` when it breaks a rule, before anything is ordered."""
    card_changes.raise_invalid(source.errors())
    return {"type": source.type, "other": source.other}


def _stored(params: Params) -> Source:
    return Source(SourceType(params["type"]) if params["type"] else None, params["other"])

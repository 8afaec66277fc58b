"""The bulk export: a CSV file of many people."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from contacts.events import history
from contacts.jobs.acts import register
from contacts.jobs.parameters import TextParameter, Values
from contacts.jobs.selected import Counts, Params, SelectedAct
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from exports.files import csv_export
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome

REASON_LIMIT = 500


@register
class Export(SelectedAct):
    """Write many people to a CSV file."""

    kind = "export"
    right = "export_people"
    action = history.EXPORTED
    chunks = 20
    label = _("Export")
    kept_params = ("reason",)
    parameters = (
        TextParameter(
            "reason", _("Reason"), _("What the file is for. It stays in the history of each person."), REASON_LIMIT
        ),
    )

    def params(self, values: Values) -> Params:
        return {"reason": str(values.get("reason") or "").strip()[:REASON_LIMIT]}

    def preview(self, people: ContactQuerySet, params: Params) -> Counts:
        total = people.count()
        return Counts(total, total)

    def order(self, people: ContactQuerySet, params: Params, *, actor: Actor, **selected: Any) -> Batch:
        return csv_export.order_export(people, actor=actor, reason=params["reason"], **selected).batch

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        return csv_export.export_chunk(contacts, batch, actor)

    def title(self, n: int) -> str:
        return ngettext("Export %(n)s person", "Export %(n)s people", n)

    def button(self, n: int) -> str:
        return ngettext("Export %(n)s", "Export %(n)s", n)

    def headline(self, batch: Batch) -> str:
        return pgettext("task", "Export")

    def done(self, n: int) -> str:
        return ngettext("The file with %(n)s person is ready.", "The file with %(n)s people is ready.", n)

"""One message to each of many people."""

from dataclasses import asdict
from typing import Any

from django.utils.translation import ngettext, pgettext, pgettext_lazy

from contacts.events import history
from contacts.jobs.acts import register
from contacts.jobs.parameters import Values
from contacts.jobs.selected import Counts, Params, SelectedAct
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome
from unsubscribes.mail import bulk_mail, gate, mailing
from unsubscribes.mail.compose import Draft


@register
class WriteMail(SelectedAct):
    """Write to many people; those held back by the gate count as `refused`."""

    kind = "mail"
    right = "mail_people"
    action = history.MAILED
    label = pgettext_lazy("verb", "Mail")

    def params(self, values: Values) -> Params:
        draft = Draft(**values)
        draft.check()
        return asdict(draft)

    def preview(self, people: ContactQuerySet, params: Params) -> Counts:
        held = gate.forecast(people)
        passing = held.pop(gate.PASSES, 0)
        return Counts(passing + held.total(), passing, held)

    def order(self, people: ContactQuerySet, params: Params, *, actor: Actor, **selected: Any) -> Batch:
        return bulk_mail.order_mail(people, Draft(**params), actor=actor, **selected)

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        return mailing.write(contacts, Draft(**batch.params), actor=actor, batch_id=batch.pk)

    def title(self, n: int) -> str:
        return ngettext("Write to %(n)s person", "Write to %(n)s people", n)

    def button(self, n: int) -> str:
        return ngettext("Send to %(n)s person", "Send to %(n)s people", n)

    def headline(self, batch: Batch) -> str:
        return pgettext("task", "Mail")

    def done(self, n: int) -> str:
        return ngettext("%(n)s mail written.", "%(n)s mails written.", n)

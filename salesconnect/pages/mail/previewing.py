"""The preview of a mail: who receives it, who does not and why, and each recipient's copy."""

from dataclasses import dataclass
from typing import Any

from contacts.models import Contact
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from unsubscribes.mail import gate, mailing, queries
from unsubscribes.mail.compose import FIELDS, Draft, RenderedMail, render, with_link
from unsubscribes.models import Message

NAMED = 20


@dataclass(frozen=True, slots=True)
class RecipientCopy:
    """One recipient's copy, with the positions of this and the neighbouring recipients."""

    person: Contact
    rendered: RenderedMail
    place: int
    previous: int | None
    next: int | None

    @property
    def text(self) -> str:
        return with_link(self.rendered.text, queries.HIDDEN)

    @property
    def html(self) -> str:
        return with_link(self.rendered.html, "#mail-preview")


def audience(people: ContactQuerySet, *, informs: bool = False) -> dict[str, Any]:
    """Return who would get a mail now and who would not, by reason, with some names, and the warnings."""
    counts = gate.forecast(people, informs=informs)
    passing = counts.pop(gate.PASSES, 0)
    held = [(Message.Reason(reason).label, count) for reason, count in counts.most_common()]
    named = gate.held_people(people, NAMED, informs=informs) if held else []
    return {
        "passing": passing,
        "warned": gate.warned(people) if passing and not informs else [],
        "total": passing + counts.total(),
        "held": held,
        "held_people": [(decision.contact, Message.Reason(decision.reason).label) for decision in named],
        "held_more": max(0, counts.total() - NAMED),
        "merge_fields": [(f"{{{{ {name} }}}}", label) for name, label in FIELDS.items()],
    }


def copy(people: ContactQuerySet, draft: Draft, actor: Actor, place: int) -> RecipientCopy | None:
    """Return the copy of the recipient at position `place` by id; the first one if there are fewer."""
    rows = list(people.order_by("pk")[max(0, place - 1) : place + 2])
    shift = min(place, 1)
    if len(rows) <= shift:
        return copy(people, draft, actor, 0) if place else None
    rendered = render(draft, rows[shift], mailing.mail_context(actor, draft.language))
    following = place + 1 if len(rows) > shift + 1 else None
    return RecipientCopy(rows[shift], rendered, place + 1, place - 1 if place else None, following)

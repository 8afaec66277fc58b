"""The selection bar, and how its acts are filled in, counted and ordered. The acts themselves say what and how."""

from dataclasses import dataclass

from django import forms

from contacts.jobs.selected import Counts, SelectedAct, selected_acts
from contacts.models import Batch
from salesconnect.common.selection import Selection
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Missing
from salesconnect.pages.bulk.forms import values_of

MAIL = "mail"
"""The act that has a page of its own to be filled in."""


@dataclass(frozen=True, slots=True)
class BarItem:
    """An act's place in the selection bar: its icon, and the key that opens it."""

    icon: str
    key: str = ""


# In the order of the bar. What is not here is ordered from the page that lists whom it is about.
BAR = {
    "authorization": BarItem("scale", "a"),
    "source": BarItem("route", "s"),
    "owner": BarItem("user", "o"),
    "mail": BarItem("mail"),
    "unsubscribe": BarItem("mail-off"),
    "export": BarItem("file-export", "e"),
    "delete": BarItem("trash"),
}


def find(kind: str) -> SelectedAct:
    """Return an act that has a dialog. Raises `Missing`."""
    act = selected_acts().get(kind)
    if act is None or kind == MAIL:
        raise Missing
    return act


def counts(act: SelectedAct, selection: Selection, form: forms.Form, actor: Actor) -> Counts | None:
    """Return what the order would come to; None while the form does not say what is asked."""
    if not act.asks_first:
        return act.preview(selection.queryset(actor), {})
    return act.preview(selection.queryset(actor), act.params(values_of(form))) if form.is_valid() else None


def order(act: SelectedAct, selection: Selection, form: forms.Form, *, actor: Actor, approved: int) -> Batch:
    """Give the order; `Conflict` (`moved`) when the selection holds another number than was approved."""
    return act.order(
        selection.queryset(actor),
        act.params(values_of(form)),
        actor=actor,
        selection=selection.as_json(),
        missing=selection.missing(actor),
        approved=approved,
    )

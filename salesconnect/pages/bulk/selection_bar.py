"""The acts of the selection bar, and how the dialog counts and orders them. The acts are declared in the data apps."""

from dataclasses import dataclass

from django import forms

from contacts.jobs.selected import Counts, SelectedAct, selected_acts
from contacts.models import Batch
from salesconnect.common.selection import Selection
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Missing
from salesconnect.pages.bulk.forms import values_of

MAIL = "mail"
"""This act has a page of its own instead of a dialog."""


@dataclass(frozen=True, slots=True)
class BarItem:
    """An act in the selection bar: its icon and keyboard shortcut."""

    icon: str
    key: str = ""


# In the order of the bar. Other acts are started on the pages that list the people concerned.
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
    """Return what the act would change; None while the form is incomplete."""
    if not act.asks_first:
        return act.preview(selection.queryset(actor), {})
    return act.preview(selection.queryset(actor), act.params(values_of(form))) if form.is_valid() else None


def order(act: SelectedAct, selection: Selection, form: forms.Form, *, actor: Actor, approved: int) -> Batch:
    """Order the act. Raises `Conflict` (`moved`) if the selection no longer has the approved number of people."""
    return act.order(
        selection.queryset(actor),
        act.params(values_of(form)),
        actor=actor,
        selection=selection.as_json(),
        missing=selection.missing(actor),
        approved=approved,
    )

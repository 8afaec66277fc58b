"""The acts of the selection bar: what each asks, what it counts beforehand, what it orders, and its words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import ngettext

from compliance.card import orders
from compliance.card.services import AUTHORIZATION_COLUMNS, SOURCE_COLUMNS, Column
from compliance.review import informing, review
from contacts.jobs import batches
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from exports.erasure import erasure
from exports.files import services as exports
from salesconnect.common.selection import Selection
from salesconnect.lib.actor import Actor
from salesconnect.pages.bulk.forms import DeleteForm, ExportForm
from salesconnect.pages.person.card_forms import AuthorizationForm, MarkForm, OptOutForm, SourceForm

Counts = dict[str, int]
Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """A bulk act: its form, how the filled form becomes the order's parameters, and who would change."""

    kind: str
    form: type[forms.Form]
    params: Callable[[Any], Params]
    count: Callable[[ContactQuerySet, Params], Counts]
    asks_first: bool = False

    @property
    def right(self) -> str:
        """Return the right that the act demands."""
        return batches.KINDS[self.kind].right

    def demand(self, actor: Actor) -> None:
        """Raise unless the actor may give the order now, before anybody fills in its form."""
        batches.KINDS[self.kind].demand(actor)

    def counts(self, people: ContactQuerySet, form: forms.Form) -> Counts | None:
        """Return who would change; None while the form does not say into what."""
        if self.asks_first:
            return self.count(people, self.params(form)) if form.is_valid() else None
        return self.count(people, {})

    def order(self, selection: Selection, form: forms.Form, *, actor: Actor, approved: int) -> Batch:
        """Give the order; `Conflict` (`moved`) when the selection holds another number than was approved."""
        people, params = selection.queryset(actor), self.params(form)
        selected: dict[str, Any] = {
            "selection": selection.as_json(),
            "missing": selection.missing(actor),
            "approved": approved,
        }
        if self.kind == "export":
            return exports.order_export(people, actor=actor, reason=params["reason"], **selected).batch
        if self.kind == "delete":
            selected["expected"] = selected.pop("approved")
            return erasure.order(people, actor=actor, **params, **selected)
        return batches.order(people, self.kind, actor=actor, params=params, **selected)


def _card_count(columns: Sequence[Column]) -> Callable[[ContactQuerySet, Params], Counts]:
    names = [column.name for column in columns]
    return lambda people, params: orders.preview(people, columns, dict(zip(names, params.values(), strict=True)))


def _unsubscribe_count(people: ContactQuerySet, _params: Params) -> Counts:
    already = people.filter(card__unsubscribed=True).count()
    return {"change": people.count() - already, "unchanged": already}


def _export_count(people: ContactQuerySet, _params: Params) -> Counts:
    return {"change": people.count()}


def _delete_count(people: ContactQuerySet, _params: Params) -> Counts:
    may_go = people.filter(card__restricted_at=None)
    counts = {"change": may_go.count(), "unsubscribed": may_go.filter(card__unsubscribed=True).count()}
    return counts | {"restricted": people.count() - counts["change"]}


ACTS = {
    act.kind: act
    for act in (
        Act(
            "authorization",
            AuthorizationForm,
            lambda form: orders.authorization_params(form.to_authorization()),
            _card_count(AUTHORIZATION_COLUMNS),
            asks_first=True,
        ),
        Act(
            "source",
            SourceForm,
            lambda form: orders.source_params(form.to_source()),
            _card_count(SOURCE_COLUMNS),
            asks_first=True,
        ),
        Act("unsubscribe", OptOutForm, lambda form: form.cleaned_data, _unsubscribe_count),
        Act("informed", MarkForm, lambda form: form.cleaned_data, lambda people, _params: informing.preview(people)),
        Act("reviewed", MarkForm, lambda form: form.cleaned_data, lambda people, _params: review.preview(people)),
        Act("export", ExportForm, lambda form: form.cleaned_data, _export_count),
        Act(
            "delete",
            DeleteForm,
            lambda form: {"on_request": form.cleaned_data["on_request"]},
            _delete_count,
        ),
    )
}


def title(kind: str, n: int) -> str:
    """Return the heading of the modal; `%(n)s` stands for the number of people selected."""
    return {
        "authorization": ngettext("Set authorization for %(n)s person", "Set authorization for %(n)s people", n),
        "source": ngettext("Set source for %(n)s person", "Set source for %(n)s people", n),
        "unsubscribe": ngettext("Unsubscribe %(n)s person", "Unsubscribe %(n)s people", n),
        "informed": ngettext("Mark %(n)s person as told", "Mark %(n)s people as told", n),
        "reviewed": ngettext("Mark %(n)s legal basis as reviewed", "Mark %(n)s legal bases as reviewed", n),
        "export": ngettext("Export %(n)s person", "Export %(n)s people", n),
        "delete": ngettext("Delete %(n)s person", "Delete %(n)s people", n),
    }[kind]


def button(kind: str, n: int) -> str:
    """Return the words of the button; `%(n)s` stands for the number of people who would change."""
    return {
        "authorization": ngettext("Set for %(n)s", "Set for %(n)s", n),
        "source": ngettext("Set for %(n)s", "Set for %(n)s", n),
        "unsubscribe": ngettext("Unsubscribe %(n)s", "Unsubscribe %(n)s", n),
        "informed": ngettext("Mark %(n)s as told", "Mark %(n)s as told", n),
        "reviewed": ngettext("Mark %(n)s as reviewed", "Mark %(n)s as reviewed", n),
        "export": ngettext("Export %(n)s", "Export %(n)s", n),
        "delete": ngettext("Delete %(n)s", "Delete %(n)s", n),
    }[kind]

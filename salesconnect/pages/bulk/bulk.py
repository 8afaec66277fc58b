"""The dialogs of the selection bar: they show what an act would change, ask, and order it."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from contacts.jobs.selected import SelectedAct
from contacts.models import Batch
from salesconnect.common.selection import Selection
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Conflict
from salesconnect.lib.web.htmx import close_dialog
from salesconnect.pages.bulk import selection_bar
from salesconnect.pages.bulk.forms import CONFIRM_ABOVE, form_of
from salesconnect.pages.tasks.announcements import announce
from salesconnect.pages.tasks.batch_words import number
from salesconnect.pages.tasks.task_list import of_batch

TICK = "replace_consents"


@require_POST
def bulk(request: SignedInRequest, kind: str) -> HttpResponse:
    """Show the dialog for a selection; if the form holds the number that the user approved, order the act."""
    act, actor = selection_bar.find(kind), page_actor(request)
    act.demand(actor)
    selection = Selection.from_query(request.POST)
    approved = request.POST.get("approved", "")
    if not approved.isdecimal():
        return _ask(request, act, selection, form_of(act)(), actor)
    form = form_of(act)(request.POST)
    if not form.is_valid() or _needs_tick(request, act, selection, form, actor):
        return _ask(request, act, selection, form, actor, status=422, ticked=TICK in request.POST)
    try:
        return _ordered(request, selection_bar.order(act, selection, form, actor=actor, approved=int(approved)))
    except Conflict as conflict:
        if conflict.code != "moved":
            raise
        # Other people match by now than the user saw: show the new number and ask again.
        return _ask(request, act, selection, form, actor, status=409, was=int(approved))


@require_POST
def preview(request: SignedInRequest, kind: str) -> HttpResponse:
    """Count again what the act would change, while the user changes the form (htmx)."""
    act, actor = selection_bar.find(kind), page_actor(request)
    actor.require(act.right)
    context = _context(act, Selection.from_query(request.POST), form_of(act)(request.POST), actor)
    context["ticked"] = TICK in request.POST
    return render(request, "bulk/_bulk_counted.html", context)


def _needs_tick(
    request: SignedInRequest, act: SelectedAct, selection: Selection, form: forms.Form, actor: Actor
) -> bool:
    """Tell whether consents would be replaced and the user has not ticked that this is intended."""
    if TICK in request.POST or not act.asks_first:
        return False
    counts = selection_bar.counts(act, selection, form, actor)
    return bool(counts and counts.consents_replaced)


def _ask(
    request: SignedInRequest, act: SelectedAct, selection: Selection, form: forms.Form, actor: Actor, **extra: Any
) -> HttpResponse:
    status = extra.pop("status", 200)
    context = _context(act, selection, form, actor) | extra
    templates = [f"bulk/bulk_{act.kind}.html", "bulk/bulk.html"]
    return render(request, templates, context, status=status)


def _context(act: SelectedAct, selection: Selection, form: forms.Form, actor: Actor) -> dict[str, Any]:
    counts = selection_bar.counts(act, selection, form, actor)
    total = counts.total if counts else selection.queryset(actor).count()
    changing = counts.change if counts else total
    return {
        "kind": act.kind,
        "title": act.title(total) % {"n": number(total)},
        "apply": act.button(changing) % {"n": number(changing)},
        "danger": act.asks_recent,
        "effect": [f"bulk/_bulk_effect_{act.kind}.html", "bulk/_bulk_effect.html"],
        "hint": act.hint,
        "form": form,
        "people": total,
        "counts": counts,
        "refused": selection.missing(actor) + (counts.restricted if counts else 0),
        "typed": total > CONFIRM_ABOVE,
        "selection": selection.as_query(),
        "back": reverse("people"),
    }


def _ordered(request: SignedInRequest, batch: Batch) -> HttpResponse:
    if not request.htmx:
        return redirect("task", batch.pk)
    return announce(close_dialog(HttpResponse(status=204)), of_batch(batch))

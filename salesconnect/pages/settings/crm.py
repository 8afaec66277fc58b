"""Settings of the sync with a CRM: connect, test, try out, activate, pause, disconnect."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from salesconnect.common.sync_words import connection_trouble, finding_words, state_words
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Conflict, Invalid
from salesconnect.pages.settings.crm_forms import ConnectionForm
from unsubscribes.crm import provider_registry
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider import Provider
from unsubscribes.crm.runs import dry_run


@require_http_methods(["GET", "POST"])
def settings(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require(connecting.RIGHT)
    form = _form(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            fixed = connecting.environment() if form.fixed else {}
            connecting.connect({"provider": form.crm.key} | form.values() | fixed, actor=actor)
            messages.success(request, _("Saved. Test the connection next."))
            return redirect("salesforce-settings")
        except Invalid as refusal:
            form.refuse(refusal.fields)
    return _page(request, form=form, status=422 if form.errors else 200)


@require_POST
def test(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require(connecting.RIGHT)
    lines = connecting.test(actor=actor)
    return _page(request, form=_form(request, None), lines=lines)


@require_POST
def try_out(request: SignedInRequest) -> HttpResponse:
    run = sync_control.request_run(actor=page_actor(request), is_dry=True)
    return redirect("salesforce-run", run.pk)


@require_POST
def activate(request: SignedInRequest) -> HttpResponse:
    """Activate the sync after a dry run; if that found many changes, "yes" must be typed."""
    actor = page_actor(request)
    typed = request.POST.get("yes", "").strip().casefold()
    try:
        connecting.activate(actor=actor, confirmed=typed in {"yes", _("yes").casefold()})
    except Conflict as refusal:
        messages.warning(request, refusal.message)
        return redirect("salesforce-settings")
    messages.success(request, _("The sync is active. It begins by reading everything."))
    return redirect("sync")


@require_POST
def pause(request: SignedInRequest) -> HttpResponse:
    sync_control.pause(actor=page_actor(request))
    messages.success(request, _("The sync is paused. Opt-outs wait until it goes on."))
    return redirect("salesforce-settings")


@require_POST
def resume(request: SignedInRequest) -> HttpResponse:
    sync_control.resume(actor=page_actor(request))
    messages.success(request, _("The sync goes on."))
    return redirect("salesforce-settings")


@require_http_methods(["GET", "POST"])
def disconnect(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require(connecting.RIGHT)
    fixed = connecting.by_environment()
    crm = _crm(request, connecting.shown(), fixed=fixed)
    if request.method == "GET":
        context = {"title": _("Disconnect %(crm)s?") % {"crm": crm.name}, "crm": crm, "fixed": fixed}
        return render(request, "settings/crm_disconnect.html", context)
    connecting.disconnect(actor=actor)
    messages.success(request, _("%(crm)s is disconnected.") % {"crm": crm.name})
    return redirect("salesforce-settings")


def _crm(request: SignedInRequest, row: SyncConnection, *, fixed: bool) -> Provider:
    """Return the CRM that is connected; before that, the one that is asked for."""
    wanted = request.GET.get("crm", "")
    if row.pk is not None or fixed or wanted not in provider_registry.PROVIDERS:
        return provider_registry.of(row)
    return provider_registry.named(wanted)


def _form(request: SignedInRequest, data: Any) -> ConnectionForm:
    row, fixed = connecting.shown(), connecting.by_environment()
    return ConnectionForm(data, crm=_crm(request, row, fixed=fixed), connection=row, fixed=fixed)


def _facts(crm: Provider, row: SyncConnection) -> list[tuple[Any, str]]:
    """Return how the environment signs in, in words; no secret."""
    held = crm.setup.initial(row)
    shown = [field for field in crm.setup.fields if field.signs_in and held.get(field.name)]
    return [(field.label, dict(field.choices).get(held[field.name], held[field.name])) for field in shown]


def _page(request: SignedInRequest, *, form: ConnectionForm, status: int = 200, **more: Any) -> HttpResponse:
    row, crm = form.connection, form.crm
    connected = row.pk is not None or form.fixed
    tried, accepted = connecting.last_dry_run(), connecting.accepted_dry_run()
    context = {
        "form": form,
        "crm": crm,
        "others": [] if connected else [other for other in provider_registry.every() if other.key != crm.key],
        "facts": _facts(crm, row),
        "row": row,
        "connected": connected,
        "fixed": form.fixed,
        "state": state_words(row.state),
        "is_off": row.state == SyncConnection.State.OFF,
        "trouble": connection_trouble(row),
        "tried": tried,
        "accepted": accepted,
        "found": accepted and finding_words(accepted),
        "needs_a_yes": accepted and dry_run.needs_confirmation(accepted.findings),
        **more,
    }
    return render(request, "settings/crm.html", context, status=status)

"""Settings of the sync with Salesforce: connect, test, try out, activate, pause, disconnect."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from salesconnect.common.sync_words import connection_trouble, finding_words
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Conflict, Invalid
from salesconnect.pages.settings.salesforce_forms import ConnectionForm
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.runs import dry_run


@require_http_methods(["GET", "POST"])
def settings(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require(connecting.RIGHT)
    form = _form(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            fixed = connecting.environment() if connecting.by_environment() else {}
            connecting.connect(form.values() | fixed, actor=actor)
            messages.success(request, _("Saved. Test the connection next."))
            return redirect("salesforce-settings")
        except Invalid as refusal:
            form.refuse(refusal.fields)
    return _page(request, form=form, status=422 if form.errors else 200)


@require_POST
def test(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require(connecting.RIGHT)
    return _page(request, form=_form(None), lines=connecting.test(actor=actor))


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
    if request.method == "GET":
        context = {"title": _("Disconnect Salesforce?"), "fixed": connecting.by_environment()}
        return render(request, "settings/salesforce_disconnect.html", context)
    connecting.disconnect(actor=actor)
    messages.success(request, _("Salesforce is disconnected."))
    return redirect("salesforce-settings")


def _form(data: Any) -> ConnectionForm:
    return ConnectionForm(data, row=connecting.shown(), fixed=connecting.by_environment())


def _page(request: SignedInRequest, *, form: ConnectionForm, status: int = 200, **more: Any) -> HttpResponse:
    row = connecting.shown()
    tried, accepted = connecting.last_dry_run(), connecting.accepted_dry_run()
    context = {
        "form": form,
        "row": row,
        "connected": row.pk is not None or connecting.by_environment(),
        "fixed": connecting.by_environment(),
        "is_off": row.state == SyncConnection.State.OFF,
        "trouble": connection_trouble(row),
        "tried": tried,
        "accepted": accepted,
        "found": accepted and finding_words(accepted),
        "needs_a_yes": accepted and dry_run.needs_confirmation(accepted.findings),
        **more,
    }
    return render(request, "settings/salesforce.html", context, status=status)

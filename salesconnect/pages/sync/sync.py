"""The Sync page: the state of the sync, and what to do about problems."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from salesconnect.common.sync_words import alert_words, code_words, connection_trouble
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.pages.sync.sync_health import health_of
from unsubscribes.crm import provider_registry
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import SyncError, SyncRun
from unsubscribes.crm.monitoring import alerts, status
from unsubscribes.crm.monitoring.status import CONFLICTS
from unsubscribes.crm.runs import running

RUNS, CONFLICTS_SHOWN = 8, 5
# Most runs find nothing new. They are hidden here and shown in the list of all runs.
IDLE = Q(state=SyncRun.State.DONE, kind__in=(SyncRun.Kind.PULL, SyncRun.Kind.PUSH), changed=0, written=0, errors=0)


@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    page_actor(request).require("view_people")
    row = connecting.shown()
    if row.pk is None and not connecting.by_environment():
        return render(request, "sync/empty.html")
    now, groups, crm = status.status(), status.errors_by_code(), provider_registry.spoken_of()
    readings, compared = status.readings(), status.last_comparison()
    context: dict[str, Any] = {
        "row": row,
        "now": now,
        "readings": [(reading, now.lag[reading.sobject]) for reading in readings],
        "health": health_of(now, readings),
        "trouble": connection_trouble(row),
        "alerts": [(alert, alert_words(alert)) for alert in alerts.alerts()],
        "used_today": running.used_today(),
        "compared": compared,
        "groups": [group | code_words(group["code"], crm)._asdict() for group in groups],
        "runs": SyncRun.objects.defer("flight").exclude(IDLE).order_by("-pk")[:RUNS],
        "conflicts": conflicts(crm),
    }
    return render(request, "sync/sync.html", context)


def conflicts(crm: str) -> list[tuple[SyncError, str]]:
    newest = SyncError.objects.filter(code__in=CONFLICTS).order_by("-last_seen")[:CONFLICTS_SHOWN]
    return [(error, code_words(error.code, crm).what) for error in newest]


@require_POST
def run_now(request: SignedInRequest) -> HttpResponse:
    ordered = sync_control.request_run(actor=page_actor(request), is_dry="dry_run" in request.POST)
    return redirect("salesforce-run", ordered.pk)


@require_POST
def retry(request: SignedInRequest, error_id: int) -> HttpResponse:
    error = sync_control.retry(error_id, actor=page_actor(request))
    messages.success(request, _("It is being retried."))
    return redirect("salesforce-record", error.sf_id) if error.sf_id else redirect("sync")


@require_POST
def retry_all(request: SignedInRequest) -> HttpResponse:
    number = sync_control.retry_all(actor=page_actor(request)).changed
    text = ngettext("%(number)d record is tried again now.", "%(number)d records are tried again now.", number)
    messages.success(request, text % {"number": number})
    return redirect("sync")

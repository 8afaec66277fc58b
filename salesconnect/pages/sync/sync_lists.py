"""The lists of the sync: runs, records, errors; and the pages of one run and one record."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from contacts.models import Contact
from contacts.models.batch import OPEN
from exports.files.csv_column_registry import content_disposition
from salesconnect.common.sync_words import code_words, finding_words, kinds, message_words
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.csv.writing import BOM, line
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import SortKey
from salesconnect.lib.errors import Invalid, Missing
from salesconnect.lib.web.paging import address, neighbours
from unsubscribes.crm import provider_registry
from unsubscribes.crm.connection import connecting
from unsubscribes.crm.models import SyncError, SyncRecord, SyncRun
from unsubscribes.crm.monitoring import record_search
from unsubscribes.crm.monitoring.status import CONFLICTS, newest_entry, url_of
from unsubscribes.crm.runs import dry_run

PAGE_SIZE, ENTRIES = 50, 30
DID_SOMETHING = Q(changed__gt=0) | Q(written__gt=0) | Q(errors__gt=0) | Q(corrections__gt=0)
RUNS: dict[str, tuple[Any, Q]] = {
    "": (gettext_lazy("All"), Q()),
    "changed": (gettext_lazy("With changes"), DID_SOMETHING),
    "failed": (gettext_lazy("Failed"), Q(state=SyncRun.State.FAILED)),
    "dry": (gettext_lazy("Dry runs"), Q(dry_run=True)),
    "compared": (gettext_lazy("Comparisons"), Q(kind=SyncRun.Kind.RECONCILE)),
}
ERRORS: dict[str, tuple[Any, Q]] = {
    "": (gettext_lazy("Unresolved"), ~Q(state=SyncError.State.RESOLVED)),
    "conflicts": (gettext_lazy("Conflicts"), Q(code__in=CONFLICTS)),
    "all": (gettext_lazy("All"), Q()),
}


@require_safe
def runs(request: SignedInRequest) -> HttpResponse:
    page_actor(request).require("view_people")
    show = _one_of(RUNS, request.GET.get("show", ""))
    context = _page(SyncRun.objects.defer("flight").filter(RUNS[show][1]), request, show=show)
    return render(request, "sync/runs.html", context | {"tabs": _tabs(RUNS, show)})


@require_safe
def run(request: SignedInRequest, run_id: int) -> HttpResponse:
    """Show the progress or result of a run; htmx polls only the part that changes."""
    page_actor(request).require("view_people")
    found = _run(run_id)
    is_open = found.state in OPEN
    tried = found.dry_run and found.state == SyncRun.State.DONE
    context = {
        "run": found,
        "is_open": is_open,
        "calls": [call | {"at": dt.datetime.fromisoformat(call["at"])} for call in found.flight],
        "trouble": message_words(found.message),
        "found": finding_words(found) if tried else None,
    }
    alone = request.htmx.target == "run"
    return render(request, "sync/_run.html" if alone else "sync/run.html", context)


@require_safe
def run_file(request: SignedInRequest, run_id: int) -> StreamingHttpResponse:
    """Download the findings of a dry run record by record; ids only, no names."""
    page_actor(request).require("view_people")
    found = _run(run_id)
    if not found.file or not found.file.storage.exists(str(found.file.name)):
        raise Missing
    response = StreamingHttpResponse(_file(found, f"{settings.SITE_URL}/"), content_type="text/csv")
    response.headers["Content-Disposition"] = content_disposition(f"salesforce-dry-run-{found.pk}.csv")
    response.headers["Cache-Control"] = "no-store"
    return response


def _file(found: SyncRun, base: str) -> Iterator[str]:
    called = kinds()
    record_id = _("%(crm)s ID") % {"crm": provider_registry.spoken_of()}
    yield BOM + line([_("What"), _("Object"), record_id, _("Person ID"), _("Person")])
    for kind, sobject, sf_id, person in dry_run.lines(found):
        url = base.rstrip("/") + reverse("person", args=[person]) if person else ""
        yield line([called.get(kind, kind), sobject, sf_id, person, url])


@require_safe
def errors(request: SignedInRequest) -> HttpResponse:
    """List sync errors and conflicts, newest first."""
    page_actor(request).require("view_people")
    show, code = _one_of(ERRORS, request.GET.get("show", "")), request.GET.get("code", "")
    wanted = SyncError.objects.filter(ERRORS[show][1], **({"code": code} if code else {}))
    context = _page(wanted, request, show=show, code=code)
    crm = provider_registry.spoken_of()
    context["errors"] = [(error, code_words(error.code, crm)) for error in context["rows"]]
    context["people"] = _people({error.sf_id for error in context["rows"]})
    return render(request, "sync/errors.html", context | {"tabs": _tabs(ERRORS, show), "code": code})


@require_safe
def all_records(request: SignedInRequest) -> HttpResponse:
    """Search records by person or Salesforce ID, or list those in one state."""
    show, search = request.GET.get("show", ""), request.GET.get("search", "")
    labels = {str(choice.value): (choice.label, Q()) for choice in record_search.RecordFilter}
    found = record_search.find(page_actor(request), search=search, show=_one_of(labels, show))
    context = _page(found.prefetch_related("entries"), request, show=show, search=search)
    holders = Contact.objects.in_bulk({row.contact_id for row in context["rows"] if row.contact_id})
    context["found"] = [(row, holders.get(row.contact_id), newest_entry(row)) for row in context["rows"]]
    context |= {"tabs": _tabs(labels, show, search=search), "search": search, "show": show}
    return render(request, "sync/records.html", context)


@require_safe
def record(request: SignedInRequest, sf_id: str) -> HttpResponse:
    """Show a record with its outbox entries and errors."""
    page_actor(request).require("view_people")
    found = SyncRecord.objects.filter(sf_id=sf_id).first()
    if found is None:
        raise Missing
    row, crm = connecting.connection(), provider_registry.spoken_of()
    errors_of = SyncError.objects.filter(sf_id=sf_id).order_by("-pk")
    context = {
        "record": found,
        "person": Contact.objects.filter(pk__in=[found.contact_id or 0]).first(),
        "url": url_of(row, found.sf_id) if row else "",
        "ours": bool(row and row.user_id and found.modified_by == row.user_id),
        "entries": found.entries.order_by("-pk")[:ENTRIES],
        "errors": [(error, code_words(error.code, crm)) for error in errors_of],
    }
    return render(request, "sync/record.html", context)


def _people(sf_ids: set[str]) -> dict[str, Contact]:
    links = dict(SyncRecord.objects.filter(sf_id__in=sf_ids).values_list("sf_id", "contact_id"))
    holders = Contact.objects.in_bulk({pk for pk in links.values() if pk})
    return {sf_id: holders[pk] for sf_id, pk in links.items() if pk in holders}


def _run(run_id: int) -> SyncRun:
    found = SyncRun.objects.filter(pk=run_id).first()
    if found is None:
        raise Missing
    return found


def _one_of(known: dict[str, Any], show: str) -> str:
    if show not in known:
        raise Invalid({"show": [_("There is no such list.")]})
    return show


def _page(found: QuerySet[Any], request: SignedInRequest, **query: str) -> dict[str, Any]:
    def number(row: Model) -> tuple[Any, ...]:
        return (row.pk,)

    keys = [SortKey("id", descending=True)]
    page = keyset.page(found, keys, cursor=request.GET.get("cursor"), size=PAGE_SIZE, values=number)
    return {"rows": page.rows, **neighbours(page, query)}


def _tabs(known: dict[str, tuple[Any, Q]], show: str, **query: str) -> list[dict[str, Any]]:
    return [
        {"label": label, "url": address(query, show=name), "current": name == show}
        for name, (label, _q) in known.items()
    ]

"""The report of sent mail: who was mailed between two days, on which legal basis."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from compliance.card.legal_basis_registry import AuthorizationType
from exports.files.csv_column_registry import content_disposition
from exports.overview import mailed
from exports.overview.mailed import MailedQuery
from salesconnect.common.filters import slug_choices
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib import chart
from salesconnect.lib.actor import Actor
from salesconnect.lib.chart import Value
from salesconnect.lib.web.paging import address, neighbours
from salesconnect.pages.compliance.forms import MailedForm

PAGE_SIZE = 50
AT_ONCE = 20_000
"""Up to this many mails are counted with the page; otherwise htmx loads the counts separately."""


@require_safe
def report(request: SignedInRequest) -> HttpResponse:
    """Show the mails and the counts for each legal basis. The counts of many mails are loaded by htmx afterwards."""
    wanted, actor = MailedForm(request.GET).wanted(), page_actor(request)
    context: dict[str, Any] = {"wanted": wanted, "query": _query(wanted), "counts_url": _url(wanted)}
    if request.htmx.target == "grounds":
        return render(request, "compliance/_grounds.html", context | _grounds(wanted, actor))
    context |= _list(wanted, actor, request.GET.get("cursor"))
    # A count of a limited query stops at the limit, however many mails match.
    few = mailed.mails(wanted)[: AT_ONCE + 1].count() <= AT_ONCE
    return render(request, "compliance/mailed.html", context | (_grounds(wanted, actor) if few else {}))


@require_POST
def export(request: SignedInRequest) -> StreamingHttpResponse:
    wanted = MailedForm(request.POST).wanted()
    lines = mailed.export(wanted, actor=page_actor(request))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition(f"mailed-{wanted.since}-{wanted.until}.csv")
    return response


def _list(wanted: MailedQuery, actor: Actor, cursor: str | None) -> dict[str, Any]:
    labels = dict(slug_choices(AuthorizationType))
    page = mailed.page(wanted, cursor=cursor, size=PAGE_SIZE, actor=actor)
    return {
        "rows": [(mail, labels[mail.ground]) for mail in page.rows],
        "only": labels.get(wanted.ground),
        **neighbours(page, _query(wanted), reverse("compliance-mailed")),
    }


def _grounds(wanted: MailedQuery, actor: Actor) -> dict[str, Any]:
    found = mailed.grounds(MailedQuery(wanted.since, wanted.until), actor=actor)
    total = sum(ground.mails for ground in found)
    labels = dict(slug_choices(AuthorizationType))
    rows = [
        (str(labels[ground.slug]), Value(ground.mails, _url(wanted, ground=ground.slug), ground.slug))
        for ground in found
    ]
    counted = {ground.slug: ground for ground in found}
    shares = [(share, counted[share.value.name]) for share in chart.shares(rows, total)]
    return {"shares": shares, "total": total, "counted": True, "erased": sum(ground.erased for ground in found)}


def _query(wanted: MailedQuery) -> dict[str, str]:
    values = {"since": wanted.since.isoformat(), "until": wanted.until.isoformat(), "ground": wanted.ground}
    return {name: value for name, value in values.items() if value}


def _url(wanted: MailedQuery, **more: str) -> str:
    return address(_query(wanted), reverse("compliance-mailed"), **more)

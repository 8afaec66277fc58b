"""The Unsubscribes page: the list of opt-outs and re-consents, and a chart of them over time."""

from typing import Any

from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from compliance.models import ComplianceCard, Suppression
from exports.files.csv_column_registry import content_disposition
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib import chart
from salesconnect.lib.errors import Invalid
from salesconnect.lib.web.date_fields import DayField
from salesconnect.lib.web.paging import address, neighbours
from salesconnect.pages.unsubscribes.over_time import figures_chart
from unsubscribes.crm import provider_registry
from unsubscribes.opt_outs import listing, listing_csv
from unsubscribes.opt_outs.listing import OptOutFilter, Unit

PAGE_SIZE = 50
COUNT_CAP = 10_000
ADDRESSES = "addresses"
KINDS = (
    ("unsubscribed", _("Unsubscribes")),
    ("resubscribed", _("Re-consents")),
    (ADDRESSES, _("Addresses without a person")),
)


def _sources() -> list[tuple[str, Any]]:
    """Return the sources with their labels; that of any other CRM only where there is one that has none of its own."""
    named = {crm.source for crm in provider_registry.every()}
    return [each for each in Suppression.Source.choices if each[0] != Suppression.Source.CRM_SYNC or each[0] in named]


SOURCES = [("", _("Every source")), *_sources(), (listing.RE_CONSENT, _("Re-consent"))]


class LedgerForm(forms.Form):
    kind = forms.ChoiceField(choices=[("", ""), *KINDS], required=False)
    search = forms.CharField(required=False, max_length=200)
    source = forms.ChoiceField(choices=SOURCES, required=False)
    since = DayField(required=False)
    until = DayField(required=False)
    by = forms.ChoiceField(choices=[("week", _("By week")), ("month", _("By month"))], required=False)

    def wanted(self) -> OptOutFilter:
        if not self.is_valid():
            raise Invalid({name: [str(text) for text in texts] for name, texts in self.errors.items()})
        values = self.cleaned_data
        return OptOutFilter(
            values["kind"], values["source"], values["since"], values["until"], values["search"].strip()
        )


@require_safe
def index(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require("view_people")
    form = LedgerForm(request.GET)
    wanted = form.wanted()
    query = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
    context = _list(wanted, query, request.GET.get("cursor")) | _around(form, query)
    return render(request, "unsubscribes/ledger.html", context)


@require_POST
def export(request: SignedInRequest) -> StreamingHttpResponse:
    wanted, actor = LedgerForm(request.POST).wanted(), page_actor(request)
    write = listing_csv.export_addresses_of_nobody if wanted.kind == ADDRESSES else listing_csv.export
    response = StreamingHttpResponse(write(wanted, actor=actor), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition(f"unsubscribes-{timezone.localdate()}.csv")
    return response


def _list(wanted: OptOutFilter, query: dict[str, str], cursor: str | None) -> dict[str, Any]:
    of_nobody = wanted.kind == ADDRESSES
    rows = listing.addresses_of_nobody(wanted) if of_nobody else listing.events(wanted)
    page_at: Any = listing.addresses_of_nobody_page if of_nobody else listing.page
    page = page_at(wanted, cursor=cursor, size=PAGE_SIZE)
    # A count of a limited query stops at the limit, however long the list has become.
    number = rows.order_by()[: COUNT_CAP + 1].count()
    return {
        "rows": page.rows,
        "of_nobody": of_nobody,
        "count": min(number, COUNT_CAP),
        "capped": number > COUNT_CAP,
        **neighbours(page, query),
    }


def _around(form: LedgerForm, query: dict[str, str]) -> dict[str, Any]:
    """Return the context around the list: tabs, filters, chart, and how many people are unsubscribed now."""
    unit: Unit = "month" if form.cleaned_data["by"] == "month" else "week"
    others = {name: value for name, value in query.items() if name != "kind"}
    tabs = [("", _t("All")), *KINDS]
    filters = {name: value for name, value in query.items() if name not in ("kind", "by")}
    return {
        "query": query,
        "hidden": {name: query[name] for name in ("kind", "by") if name in query},
        "tabs": [
            {"label": label, "url": address(others, kind=kind), "current": query.get("kind", "") == kind}
            for kind, label in tabs
        ],
        "sources": SOURCES,
        "filtered": bool(filters),
        "shown": figures_chart(unit, timezone.localdate(), chart.WIDE),
        "more": {"url": "?by=month", "text": _t("By month")}
        if unit == "week"
        else {"url": "?by=week", "text": _t("By week")},
        "now": ComplianceCard.objects.filter(unsubscribed=True).count(),
    }

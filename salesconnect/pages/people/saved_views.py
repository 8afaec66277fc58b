"""The tabs above the list: the built-in views and the user's saved ones."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from compliance.card.rules import NOT_RECORDED
from compliance.models import Policy
from compliance.review.queries import not_recorded_count
from compliance.verdict.reason_registry import months_before
from contacts.models import SavedView
from contacts.people import saved_views
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Invalid
from salesconnect.pages.people.list_query import ListQuery


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool
    count: tuple[int, bool] | None = None
    delete_url: str = ""


def tabs(query: ListQuery, user_id: int, rules: Policy) -> list[Tab]:
    """Return the built-in and the user's own views; at most one is current."""

    def tab(label: str, filters: dict[str, str], **kwargs: Any) -> Tab:
        same = query.filters == filters and not any(view.current for view in own)
        return Tab(label, ListQuery(filters).url, same, **kwargs)

    ageing = months_before(timezone.localdate(), rules.consent_months)
    own = [_own(view, query) for view in SavedView.objects.filter(user_id=user_id)]
    return [
        tab(_("All"), {}),
        tab(_("Not recorded"), {"authorization_type": NOT_RECORDED}, count=not_recorded_count()),
        tab(_("Ageing consents"), {"consent_before": ageing.isoformat()}),
        tab(_("Mine"), {"owner": str(user_id)}),
        *own,
    ]


@require_http_methods(["GET", "POST"])
def save_view(request: SignedInRequest) -> HttpResponse:
    query = ListQuery.read(QueryDict(request.POST.get("query", request.GET.urlencode()))).at("")
    context: dict[str, Any] = {"title": _("Save this view"), "query": query, "limit": saved_views.NAME_LIMIT}
    if request.method == "GET":
        return render(request, "people/save_view.html", context)
    try:
        view = saved_views.save(request.POST.get("name", ""), query.string, actor=page_actor(request))
    except Invalid as problem:
        context |= {"name": request.POST.get("name", ""), "errors": problem.fields["name"]}
        return render(request, "people/save_view.html", context, status=422)
    messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
    return _to_list(request, query.url)


@require_POST
def delete_view(request: SignedInRequest, view_id: int) -> HttpResponse:
    name = saved_views.delete(view_id, actor=page_actor(request))
    messages.success(request, _("The view “%(name)s” is deleted. The people in it are unchanged.") % {"name": name})
    return _to_list(request, reverse("people"))


def _to_list(request: SignedInRequest, url: str) -> HttpResponse:
    # htmx would follow a plain redirect itself and swap the page into the dialog.
    return HttpResponse(status=204, headers={"HX-Redirect": url}) if request.htmx else redirect(url)


def _own(view: SavedView, query: ListQuery) -> Tab:
    kept = ListQuery.read(QueryDict(view.query))
    return Tab(view.name, kept.url, kept == query.at(""), delete_url=reverse("delete-view", args=[view.pk]))

"""The People page: search, filter, list and select people."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from compliance.models import Policy
from compliance.verdict import policy, verdict
from contacts.jobs.selected import selected_acts
from contacts.models import User
from contacts.people.listing import ordering_keys, people_page
from contacts.people.queries import ContactQuerySet
from salesconnect.common.filters import filtered, is_long_to_count, matching_count
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.actor import Actor
from salesconnect.pages.bulk.selection_bar import BAR, MAIL
from salesconnect.pages.people import columns, filter_fields, saved_views
from salesconnect.pages.people.cells import table_rows
from salesconnect.pages.people.list_query import ListQuery

PAGE_SIZE = 50


@require_safe
def people(request: SignedInRequest) -> HttpResponse:
    """Show a page of people; an htmx request for the list gets the list with what depends on it."""
    query, actor = ListQuery.read(request.GET), page_actor(request)
    owners = {user.pk: str(user) for user in User.objects.order_by("first_name", "last_name", "username")}
    rules = policy.current()
    context = _list(request, query, actor, owners, rules) | _frame(query, actor, owners, rules)
    in_place = request.htmx.target == "list"
    context["asking"] = request.htmx.trigger
    response = render(request, "people/_people_answer.html" if in_place else "people/people.html", context)
    if in_place:
        # A list that refreshes itself shows the same view, so it must not add an entry to the browser's history.
        response.headers["HX-Replace-Url" if request.htmx.trigger == "list" else "HX-Push-Url"] = query.url
    # One URL answers with a page or a fragment; without Vary the browser's cache could show the fragment as a page.
    patch_vary_headers(response, ["HX-Target"])
    return response


@require_safe
def people_count(request: SignedInRequest) -> HttpResponse:
    """Return the number of matching people, which htmx loads when counting takes too long for the page itself."""
    filters = ListQuery.read(request.GET).filters
    count, capped = matching_count(filtered(page_actor(request), filters), filters)
    return render(request, "people/_people_count.html", {"count": count, "capped": capped})


def _list(
    request: SignedInRequest, query: ListQuery, actor: Actor, owners: Mapping[int, str], rules: Policy
) -> dict[str, Any]:
    """Return rows, heads, neighbouring pages and the count; `count` is None if htmx is to load it."""
    found = filtered(actor, query.filters)
    shown = columns.chosen(query, request.session)
    values = _values(found, columns.fields(shown), query, rules)
    page = people_page(values, query.ordering, query.cursor or None, PAGE_SIZE)
    whole = not (page.next or page.previous)
    count, capped = (len(page.rows), False) if whole else _count(found, query)
    return {
        "heads": columns.heads(shown, query),
        "rows": table_rows(page.rows, shown, owners),
        "count": count,
        "capped": capped,
        "previous_url": page.previous and query.at(page.previous).url,
        "next_url": page.next and query.at(page.next).url,
        "shown_columns": [column.key for column in shown],
    }


def _count(found: ContactQuerySet, query: ListQuery) -> tuple[int | None, bool]:
    return (None, False) if is_long_to_count(found, query.filters) else matching_count(found, query.filters)


def _values(found: ContactQuerySet, wanted: set[str], query: ListQuery, rules: Policy) -> Any:
    """Return a query for plain rows with the values that columns, ordering and cursor need; no model objects."""
    if "verdict" in wanted:
        found = found.annotate(verdict=verdict.expression(rules))
    return found.values(*wanted | {key.path for key in ordering_keys(query.ordering)})


def _frame(query: ListQuery, actor: Actor, owners: Mapping[int, str], rules: Policy) -> dict[str, Any]:
    """Return the context around the list: saved views, filters, column choice, selection bar."""
    first, more = filter_fields.fields(query, [(str(pk), name) for pk, name in owners.items()])
    return {
        "query": query,
        "tabs": saved_views.tabs(query, actor.user_id or 0, rules),
        "first_filters": first,
        "more_filters": more,
        "more_in_use": any(field.value for field in more),
        "chips": filter_fields.chips(query, [*first, *more]),
        "columns": columns.COLUMNS.values(),
        "acts": _acts(actor),
    }


def _acts(actor: Actor) -> list[dict[str, Any]]:
    acts = selected_acts()
    return [
        {"label": act.label, "icon": place.icon, "key": place.key, "url": _act_url(kind), "danger": act.asks_recent}
        for act, kind, place in ((acts[kind], kind, place) for kind, place in BAR.items())
        if actor.may(act.right)
    ]


def _act_url(kind: str) -> str:
    return reverse("mail-compose") if kind == MAIL else reverse("bulk", args=[kind])

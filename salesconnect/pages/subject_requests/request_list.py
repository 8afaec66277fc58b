"""One page of the list of requests, with tabs and filters."""

from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from contacts.models import Contact
from exports.models import DataRequest
from exports.requests import open_requests
from salesconnect.common import subject_request_words
from salesconnect.lib.actor import Actor
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import SortKey
from salesconnect.lib.errors import Invalid
from salesconnect.lib.web.paging import address, neighbours
from unsubscribes.crm.people import erasing

PAGE_SIZE = 50
VIEWS = ("open", "overdue", "mine", "done")
PRESSING = (SortKey("due"), SortKey("id"))
NEWEST = (SortKey("id", descending=True),)


def page_of_requests(given: QueryDict, actor: Actor) -> dict[str, Any]:
    """Return the context of the page. Raises `Invalid` for an unknown view or kind, or a damaged cursor."""
    view, kind, search = given.get("view", "open"), given.get("kind", ""), given.get("search", "").strip()[:200]
    if view not in VIEWS:
        raise Invalid({"view": [_("There is no such view.")]})
    if kind and kind not in DataRequest.Kind:
        raise Invalid({"kind": [_("There is no such request.")]})
    query = {"view": view, "kind": kind, "search": search}
    found = _found(view, actor).select_related("contact", "handler")
    found = found.filter(kind=kind) if kind else found
    found = found.filter(contact__in=_people(search)) if search else found
    done = view == "done"
    page = keyset.page(
        found,
        NEWEST if done else PRESSING,
        cursor=given.get("cursor"),
        size=PAGE_SIZE,
        values=lambda row: (row.pk,) if done else (row.due, row.pk),
    )
    clock, mine = open_requests.counts(), open_requests.counts(actor.user_id or 0)
    return {
        "rows": [(row, subject_request_words.due_words(row), open_requests.is_overdue(row)) for row in page.rows],
        "query": query,
        "kinds": [("", _("Every kind")), *DataRequest.Kind.choices],
        "tabs": _tabs(query, {"open": clock.open, "overdue": clock.overdue, "mine": mine.open}),
        "clock": clock,
        "filtered": bool(kind or search),
        "elsewhere": erasing.waiting().count(),
        **neighbours(page, query),
    }


def _found(view: str, actor: Actor) -> QuerySet[DataRequest]:
    match view:
        case "done":
            return DataRequest.objects.filter(state=DataRequest.State.DONE)
        case "overdue":
            return open_requests.waiting().filter(open_requests.overdue())
        case "mine":
            return open_requests.waiting().filter(handler_id=actor.user_id)
    return open_requests.waiting()


def _people(search: str) -> Any:
    return Contact.objects.matching(search).values("pk")


def _tabs(query: dict[str, str], counts: dict[str, int]) -> list[dict[str, Any]]:
    labels = {"open": _("Open"), "overdue": _("Overdue"), "mine": _("Mine"), "done": _("Done")}
    return [
        {
            "label": label,
            "url": address(query, view=view),
            "current": view == query["view"],
            "count": counts.get(view),
        }
        for view, label in labels.items()
    ]

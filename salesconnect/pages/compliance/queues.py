"""The compliance queues: people to inform (art. 14), legal bases to review, and balancing notes."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from compliance.models import ComplianceCard, ReviewNote
from compliance.review import informing as telling
from compliance.review import queues
from compliance.review import review as reviewing
from compliance.review.queries import not_recorded_sources
from compliance.verdict import policy
from contacts.models import Contact
from salesconnect.common.selection import Selection
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import SortKey
from salesconnect.lib.errors import Invalid
from salesconnect.lib.web.paging import address, neighbours
from salesconnect.pages.person.card_forms import NoteForm
from salesconnect.pages.person.person_page import Toast, done, find
from salesconnect.pages.tasks.batch_words import number
from unsubscribes.mail import informing_mail

PAGE_SIZE = 50
INFORMING = {"all": "to_inform", "overdue": "to_inform_overdue"}
REVIEW = {"consents": "old_consents", "interests": "old_interests"}
KEYS = {
    "to_inform": ("contact_id",),
    "to_inform_overdue": ("contact_id",),
    "old_consents": ("consent_date", "contact_id"),
    "old_interests": ("basis_since", "contact_id"),
}


@dataclass(frozen=True, slots=True)
class QueueView:
    """The part of a queue that a URL names: which queue, whose people, which page."""

    path: str
    shown: str
    name: str
    mine: bool
    cursor: str | None

    @property
    def query(self) -> dict[str, str]:
        return {"show": self.shown, "owner": "me" if self.mine else ""}

    def url(self, **changes: str) -> str:
        return address(self.query, self.path, **changes)


@require_http_methods(["GET", "POST"])
def informing(request: SignedInRequest) -> HttpResponse:
    """List the people to inform (GDPR art. 14), longest waiting first; POST marks the selected ones as informed."""
    queue, actor = _queue(request, INFORMING), page_actor(request)
    actor.require("view_people")
    if request.method == "POST":
        actor.require("edit_people")
        outcome = telling.mark(Selection.from_query(request.POST).queryset(actor), actor=actor)
        told = ngettext("%(n)s person marked as informed.", "%(n)s people marked as informed.", outcome.changed)
        messages.success(request, told % {"n": number(outcome.changed)})
        return redirect(queue.url())
    context = _page(request, queue, INFORMING, (_("All"), _("Overdue")))
    context["rows"] = [row | _clock(row["person"]) for row in context["rows"]]
    context |= {"title": _("To inform"), "mark": _("Mark as informed")}
    context |= {"sourceless": not_recorded_sources(), "notice": informing_mail.template()}
    return render(request, "compliance/informing.html", context)


@require_http_methods(["GET", "POST"])
def review(request: SignedInRequest) -> HttpResponse:
    """List the legal bases due for review, longest waiting first; POST marks the selected ones as reviewed."""
    queue, actor = _queue(request, REVIEW), page_actor(request)
    actor.require("view_people")
    if request.method == "POST":
        actor.require("edit_people")
        outcome = reviewing.mark(Selection.from_query(request.POST).queryset(actor), actor=actor)
        words = ngettext(
            "%(n)s legal basis marked as reviewed.", "%(n)s legal bases marked as reviewed.", outcome.changed
        )
        messages.success(request, words % {"n": number(outcome.changed)})
        return redirect(queue.url())
    context = _page(request, queue, REVIEW, (_("Consents due for review"), _("Legitimate interests")))
    context |= {"title": _("To be reviewed"), "mark": _("Mark as reviewed"), "policy": policy.current()}
    return render(request, "compliance/review.html", context)


@require_http_methods(["GET", "POST"])
def balance(request: SignedInRequest, contact_id: int) -> HttpResponse:
    """Show the balancing notes of a person; POST adds one, which counts as a review."""
    actor = page_actor(request)
    actor.require("edit_people")
    person = find(contact_id, actor)
    form = NoteForm(request.POST or None)
    if form.is_valid():
        reviewing.balance(contact_id, reviewing.BalancingNote(**form.cleaned_data), actor=actor)
        return done(request, contact_id, Toast(_("The balancing note is kept.")))
    notes = ReviewNote.objects.filter(contact=person)
    context = {
        "person": person,
        "form": form,
        "notes": notes,
        "title": _("Balancing note for %(name)s") % {"name": person},
    }
    return render(request, "compliance/balance.html", context, status=422 if form.is_bound else 200)


def _clock(person: Contact) -> dict[str, Any]:
    due = telling.due(person.created_at)
    return {"due": due, "late": due < timezone.localdate()}


def _queue(request: SignedInRequest, shown: dict[str, str]) -> QueueView:
    show, owner = request.GET.get("show") or next(iter(shown)), request.GET.get("owner", "")
    if show not in shown or owner not in {"", "me"}:
        raise Invalid({"show": [_("There is no such list.")]})
    return QueueView(request.path, show, shown[show], owner == "me", request.GET.get("cursor"))


def _page(request: SignedInRequest, queue: QueueView, shown: dict[str, str], labels: tuple[str, ...]) -> dict[str, Any]:
    owner = request.user.pk if queue.mine else None
    cards: QuerySet[ComplianceCard] = queues.of_owner(queues.QUEUES[queue.name](), owner)
    page = keyset.page(
        cards,
        [SortKey(path) for path in KEYS[queue.name]],
        cursor=queue.cursor,
        size=PAGE_SIZE,
        values=lambda card: tuple(getattr(card, path) for path in KEYS[queue.name]),
    )
    tabs = [
        {
            "label": label,
            "url": queue.url(show=show),
            "current": show == queue.shown,
            "count": queues.count(name, owner),
        }
        for label, (show, name) in zip(labels, shown.items(), strict=True)
    ]
    whose = [
        {"label": _("Everybody’s"), "url": queue.url(owner=""), "current": not queue.mine},
        {"label": _("Mine"), "url": queue.url(owner="me"), "current": queue.mine},
    ]
    return {
        "rows": [{"card": card, "person": card.contact} for card in page.rows],
        **neighbours(page, queue.query, queue.path),
        "tabs": tabs,
        "whose": whose,
        "here": queue.url(),
        "shown": queue.shown,
        "bulk_filter": urlencode(_filter(request, queue)),
    }


def _filter(request: SignedInRequest, queue: QueueView) -> dict[str, str]:
    names = {
        "to_inform": {"to_inform": "true"},
        "to_inform_overdue": {"to_inform": "overdue"},
        "old_consents": {"review": "consent"},
        "old_interests": {"review": "legitimate_interest"},
    }
    return names[queue.name] | ({"owner": str(request.user.pk)} if queue.mine else {})

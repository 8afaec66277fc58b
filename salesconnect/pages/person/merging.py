"""Merging two records of one person: find the other record, compare, merge, undo."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from compliance.card.rules import Authorization
from compliance.card.words import authorization_words, source_words
from contacts.models import Contact
from contacts.people.field_registry import DETAILS
from salesconnect.common.history_words import field_label
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid
from salesconnect.lib.numbers import whole
from salesconnect.pages.person.card_forms import card_values
from salesconnect.pages.person.person_page import find
from unsubscribes.merging.merge import basis_of, dropped_basis, merge, stricter_card
from unsubscribes.merging.unmerge import undoable, unmerge

CANDIDATES = 20
OTHER = "other"


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One field of both records; the user chooses if both have a value and they differ."""

    name: str
    label: str
    mine: str
    theirs: str

    @property
    def choice(self) -> bool:
        return bool(self.mine and self.theirs and self.mine != self.theirs)

    @property
    def kept(self) -> str:
        return self.mine or self.theirs


@require_http_methods(["GET", "POST"])
def page(request: SignedInRequest, contact_id: int) -> HttpResponse:
    actor = page_actor(request)
    actor.require("merge_people")
    survivor = find(contact_id, actor)
    number = whole(request.POST.get("other", "") or request.GET.get("other", ""))
    if number is None:
        return render(request, "person/merge_find.html", _search(request, survivor, actor))
    other = find(number, actor)
    if request.method == "POST":
        return _merge(request, survivor, other, actor)
    return render(request, "person/merge.html", _compared(survivor, other))


@require_POST
def undo(request: SignedInRequest, contact_id: int, merge_id: int) -> HttpResponse:
    """Undo a merge. The button of a toast posts by htmx; then the whole page is loaded again."""
    unmerge(merge_id, actor=page_actor(request))
    messages.success(request, _("The merge is undone; both records are here again."))
    page = reverse("person", args=[contact_id])
    return HttpResponseClientRedirect(page) if request.htmx else redirect(page)


def _merge(request: SignedInRequest, survivor: Contact, other: Contact, actor: Actor) -> HttpResponse:
    versions = [whole(request.POST.get(name, "")) for name in ("version", "other_version")]
    if None in versions:
        raise Invalid({"version": [_("The form does not say which version it changes. Reload the page.")]})
    take = [name for name in DETAILS if request.POST.get(name) == OTHER]
    record = merge(survivor.pk, other.pk, actor=actor, take=take, versions=(versions[0] or 0, versions[1] or 0))
    undo_url = reverse("person-unmerge", args=[survivor.pk, record.pk])
    words = _("%(other)s is merged into this record.") % {"other": other}
    messages.success(request, words, extra_tags=urlencode({"undo_url": undo_url}))
    return redirect("person", survivor.pk)


def _search(request: SignedInRequest, survivor: Contact, actor: Actor) -> dict[str, Any]:
    """Return candidates: people who match the search, which begins with the last name."""
    text = request.GET.get("search", survivor.last_name or survivor.first_name)
    people = Contact.objects.visible_to(actor).select_related("card").exclude(pk=survivor.pk)
    found = people.matching(text).order_by("card__sort_last", "card__sort_first", "pk") if text.strip() else ()
    return {
        "person": survivor,
        "search": text,
        "candidates": found[:CANDIDATES],
        "merges": undoable(survivor.pk),
    }


def _compared(survivor: Contact, other: Contact) -> dict[str, Any]:
    rows = [ComparedField(name, field_label(name), getattr(survivor, name), getattr(other, name)) for name in DETAILS]
    mine, theirs = card_values(survivor.card), card_values(other.card)
    stands, lost = stricter_card(survivor.card, other.card), dropped_basis(survivor.card, other.card)
    return {
        "person": survivor,
        "other": other,
        "rows": [row for row in rows if row.kept],
        "authorizations": (authorization_words(mine), authorization_words(theirs)),
        "authorization": _words_of(Authorization.from_values(basis_of(stands))),
        "since": stands.basis_since if stands.authorization_type else None,
        "given_up": _words_of(lost) if lost else "",
        "sources": (source_words(mine), source_words(theirs)),
        "source": source_words(mine if survivor.card.source_type else theirs),
        "unsubscribed": survivor.card.unsubscribed or other.card.unsubscribed,
    }


def _words_of(basis: Authorization) -> str:
    return authorization_words(
        {
            "authorization_type": basis.type.slug if basis.type else None,
            "authorization_other": basis.other,
            "consent_date": basis.consent_date,
            "consent_purpose": basis.consent_purpose,
        }
    )

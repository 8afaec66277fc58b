"""Editing the compliance card on the page of a person."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from compliance.card import card_changes
from compliance.card.words import authorization_words, source_words
from contacts.models import Contact
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid, Stale
from salesconnect.pages.person.card_forms import CardForm, card_values
from salesconnect.pages.person.history import edits
from salesconnect.pages.person.person_page import OpenPart, VersionedField, done, find, open_form, show, versions


@require_http_methods(["GET", "POST"])
def card(request: SignedInRequest, contact_id: int) -> HttpResponse:
    """Edit the card. If somebody else has changed it since, both versions are shown and nothing is overwritten."""
    actor = page_actor(request)
    actor.require("edit_people")
    person = find(contact_id, actor)
    form = CardForm(request.POST or None, initial=card_values(person.card))
    if request.method == "GET":
        return show(request, person, opened=open_form("card", form, person.card.version))
    version = edits.posted_version(request)
    try:
        if form.is_valid():
            edit = edits.carry_out(contact_id, lambda: _store(person, form, actor, version))
            return done(request, contact_id, edits.toast_of(edit), focus="card")
    except Stale as refusal:
        both = versions(request, contact_id, _rows(person, form))
        return show(request, person, opened=OpenPart("card", version=refusal.current, versions=both), status=412)
    except Invalid as refusal:
        form.add_rule_errors(refusal.fields)
    return show(request, person, opened=OpenPart("card", form, version), status=422)


def _store(person: Contact, form: CardForm, actor: Actor, version: int) -> None:
    people = Contact.objects.filter(pk=person.pk)
    card_changes.edit_card(people, form.to_authorization(), form.to_source(), actor=actor, version=version)


def _rows(person: Contact, form: CardForm) -> list[VersionedField]:
    now, typed = card_values(person.card), form.cleaned_data
    return [
        VersionedField(_("Authorization"), authorization_words(now), authorization_words(typed)),
        VersionedField(_("Source"), source_words(now), source_words(typed)),
    ]

"""The page of a person, editing the details, the history, and undo of the last edit."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from contacts.models import Contact
from salesconnect.common.history_words import field_label
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Conflict, Invalid, Stale
from salesconnect.pages.person.forms import EditDetailsForm, UndoForm, detail_values
from salesconnect.pages.person.history import as_of, edits, lines
from salesconnect.pages.person.person_page import OpenPart, Toast, VersionedField, done, find, open_form, show, versions


@require_GET
def person(request: SignedInRequest, contact_id: int) -> HttpResponse:
    """Show a person now, or `as_of` a past date."""
    someone = find(contact_id, page_actor(request))
    if day := request.GET.get("as_of"):
        return as_of.show(request, someone, day)
    return show(request, someone)


@require_GET
def past(request: SignedInRequest, contact_id: int) -> HttpResponse:
    someone = find(contact_id, page_actor(request))
    asked_here = request.htmx.trigger == "history-older"
    older = lines.of_person(contact_id, request.GET.get("cursor"), focus=asked_here)
    return render(request, "person/person_history.html", {"person": someone, "history": older})


@require_http_methods(["GET", "POST"])
def details(request: SignedInRequest, contact_id: int) -> HttpResponse:
    """Edit details and owner. If somebody else has changed the same since, both versions are shown."""
    actor = page_actor(request)
    actor.require("edit_people")
    someone = find(contact_id, actor)
    form = EditDetailsForm(request.POST or None, initial=detail_values(someone))
    if request.method == "GET":
        return show(request, someone, opened=open_form("details", form, someone.card.version))
    version = edits.posted_version(request)
    try:
        if form.is_valid():
            edit = edits.change_details(someone, form, actor=actor, version=version)
            return done(request, contact_id, edits.toast_of(edit, owner_before=someone.owner_id), focus="details")
    except Stale as refusal:
        # Both versions are shown, with the new version number: sending the form again is then a decision.
        both = versions(request, contact_id, _rows(someone, form))
        return show(request, someone, opened=OpenPart("details", version=refusal.current, versions=both), status=412)
    except (Invalid, Conflict) as refusal:
        edits.show_beside(form, refusal)
    return show(request, someone, opened=OpenPart("details", form, version), status=422)


@require_POST
def undo(request: SignedInRequest, contact_id: int) -> HttpResponse:
    """Undo an edit by a new edit, as long as nobody has changed the person since."""
    actor = page_actor(request)
    actor.require("edit_people")
    find(contact_id, actor)
    form = UndoForm(request.GET)
    if not form.is_valid():
        raise Invalid({"undo": [_("This link to undo is damaged.")]})
    edits.take_back(contact_id, form.cleaned_data, actor=actor)
    return done(request, contact_id, Toast(_("Undone.")))


def _rows(person: Contact, form: EditDetailsForm) -> list[VersionedField]:
    """Return the fields that the editor or somebody else has changed since the form was opened."""
    rows = []
    now = detail_values(person) | {"owner": person.owner}
    for name in (each for each in form.fields if each in now):
        mine = name in form.changed_data
        seen = form.data.get(form.add_initial_prefix(name), "")
        if mine or seen != str(getattr(person, "owner_id" if name == "owner" else name) or ""):
            value = form.cleaned_data[name] if mine else now[name]
            rows.append(VersionedField(field_label(name), str(now[name] or ""), str(value or ""), kept=not mine))
    return rows

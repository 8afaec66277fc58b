"""The Requests pages: the list, one request with all acts on it, and erasures to be done in Salesforce."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts.models import Contact
from exports.erasure import erasure
from exports.files.csv_column_registry import content_disposition
from exports.models import DataRequest
from exports.requests import letter, open_requests, portable, register
from salesconnect.common import subject_request_words
from salesconnect.common.filters import filtered
from salesconnect.common.typed_requests import SignedInRequest, from_elsewhere, page_actor
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Conflict, Invalid, Missing
from salesconnect.lib.numbers import whole
from salesconnect.lib.web.paging import address
from salesconnect.pages.person.person_page import find as find_person
from salesconnect.pages.subject_requests.request_forms import (
    AssignForm,
    ConfirmForm,
    ExtendForm,
    FinishForm,
    IdentityForm,
    NewRequestForm,
    PauseForm,
)
from salesconnect.pages.subject_requests.request_list import page_of_requests
from unsubscribes.crm import provider_registry
from unsubscribes.crm.people import erasing
from unsubscribes.mail import gate

FOUND = 10
FORMS: dict[str, type[forms.Form]] = {
    "extend": ExtendForm,
    "pause": PauseForm,
    "identity": IdentityForm,
    "assign": AssignForm,
    "finish": FinishForm,
}


@require_safe
def requests(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require("view_people")
    return render(request, "subject_requests/requests.html", page_of_requests(request.GET, actor))


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Register a request of the person named in the URL; without one, search for the person first."""
    actor = page_actor(request)
    actor.require("handle_requests")
    number = whole(request.GET.get("contact", ""))
    person = find_person(number, actor) if number is not None else None
    today = timezone.localdate()
    form = NewRequestForm(request.POST or None, initial={"received": today, "kind": request.GET.get("kind")})
    if request.method == "POST" and person and form.is_valid():
        try:
            return redirect("request", register.take_in(contact_id=person.pk, actor=actor, **form.cleaned_data).pk)
        except Invalid as refusal:
            form.add_errors(refusal.fields)
    context = {"form": form, "person": person, "title": _("New request"), **_search(request, actor)}
    return render(request, "subject_requests/request_new.html", context, status=422 if form.errors else 200)


@require_safe
def one(request: SignedInRequest, request_id: int) -> HttpResponse:
    if from_elsewhere(request):
        return _lead_on(request, request_id)
    return _show(request, register.view(request_id, actor=page_actor(request)))


@require_safe
def extension_letter(request: SignedInRequest, request_id: int) -> HttpResponse:
    """Show the letter about an extension, to be printed or sent as mail."""
    if from_elsewhere(request):
        return _lead_on(request, request_id)
    row = register.view(request_id, actor=page_actor(request))
    if row.contact is None:
        raise Missing
    language = request.GET.get("language") or letter.language_of(row.contact) or get_language()
    if language not in dict(settings.LANGUAGES):
        raise Invalid({"language": [_("There is no such value.")]})
    context = {"row": row, "person": row.contact, "letter": letter.of_extension(row, language)}
    context |= {"languages": settings.LANGUAGES, "told_late": subject_request_words.told_late(row)}
    context |= {"held": gate.held_people(Contact.objects.filter(pk=row.contact.pk), 1)}
    return render(request, "subject_requests/request_letter.html", context)


@require_POST
def act(request: SignedInRequest, request_id: int, act: str) -> HttpResponse:
    """Extend, pause, resume, assign, note the identity check, or finish, as the URL says."""
    actor = page_actor(request)
    actor.require("handle_requests")
    row = register.find(request_id, actor=actor)
    if act == "resume":
        return _done(request, register.resume(row.pk, actor=actor))
    if act not in FORMS:
        raise Missing
    form = FORMS[act](request.POST)
    try:
        if form.is_valid():
            done = _carry(row, act, form, actor)
            return _done(request, done, then="request-letter" if act == "extend" else "request")
    except Invalid as refusal:
        for name, texts in refusal.fields.items():
            form.add_error(name, texts)
    return _show(request, row, forms={act: form}, status=422)


@require_http_methods(["GET", "POST"])
def carry_out(request: SignedInRequest, request_id: int) -> HttpResponse:
    """Ask for confirmation, then erase, restrict or unsubscribe the person; an erasure needs the typed name."""
    actor = page_actor(request)
    row = register.may_carry_out(request_id, actor=actor)
    if row.contact is None:
        raise Conflict("done", _("This request is done."))
    form = ConfirmForm(request.POST or None, name=str(row.contact)) if row.kind == row.Kind.ERASURE else None
    if request.method == "POST" and (form is None or form.is_valid()):
        return _done(request, register.carry_out(row.pk, actor=actor))
    context: dict[str, Any] = {
        "row": row,
        "person": row.contact,
        "form": form,
        "title": subject_request_words.act_title(row),
    }
    if form:
        report = erasure.report_of(row.contact.pk, on_request=True)
        context |= {"report": report, "goes": subject_request_words.goes(report)}
    return render(request, "subject_requests/request_act.html", context, status=422 if form and form.errors else 200)


@require_POST
def portability(request: SignedInRequest, request_id: int) -> HttpResponse:
    """Download the person's data as JSON (GDPR art. 20). POST, because it is recorded as an export."""
    actor = page_actor(request)
    row = register.find(request_id, actor=actor)
    if row.contact_id is None:
        raise Missing
    response = HttpResponse(portable.as_json(row.contact_id, actor=actor), content_type="application/json")
    response.headers["Content-Disposition"] = content_disposition(f"person-{row.contact_id}.json")
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
def elsewhere(request: SignedInRequest) -> HttpResponse:
    """List the Salesforce records of people erased here, and whether they were erased there."""
    page_actor(request).require("view_people")
    rows = erasing.tasks().order_by("erased_there_at", "-erased_at", "-pk")[:500]
    return render(request, "subject_requests/elsewhere.html", {"rows": rows, "waiting": erasing.waiting().count()})


@require_POST
def erased_there(request: SignedInRequest, record_id: int) -> HttpResponse:
    record = erasing.settle(record_id, actor=page_actor(request))
    words = {"record": record.sf_id, "crm": provider_registry.spoken_of()}
    messages.success(request, _("%(record)s is marked as erased in %(crm)s.") % words)
    return redirect("erase-elsewhere")


def _carry(row: DataRequest, act: str, form: Any, actor: Actor) -> DataRequest:
    values = form.cleaned_data
    match act:
        case "extend":
            return register.extend(row.pk, form.to_why(), actor=actor)
        case "pause":
            return register.pause(row.pk, form.to_why(), actor=actor)
        case "identity":
            return register.note_identity(row.pk, values["identity_check"], actor=actor)
        case "assign":
            return register.assign(row.pk, values["handler"], actor=actor)
    return register.finish(row.pk, values["outcome"], values["answer"], actor=actor)


def _show(
    request: SignedInRequest, row: DataRequest, *, forms: dict[str, forms.Form] | None = None, status: int = 200
) -> HttpResponse:
    given: dict[str, dict[str, Any]] = {"assign": {"handler": row.handler_id}}
    shown: dict[str, Any] = {name: kind(initial=given.get(name), auto_id=f"{name}_%s") for name, kind in FORMS.items()}
    all_forms = shown | (forms or {})
    all_forms["finish"].leave_out(row)
    context = {
        "row": row,
        "person": row.contact,
        "due": subject_request_words.due_words(row),
        "late": open_requests.is_overdue(row),
        "told_late": subject_request_words.told_late(row),
        "late_words": subject_request_words.late_words(row),
        "may_extend": not row.ended and not row.extended_on and timezone.localdate() <= register.first_due(row),
        "may_pause": not row.ended and timezone.localdate() <= row.due,
        "identity_notes": row.identity_notes.exclude(text=""),
        "act": subject_request_words.act_title(row) if row.kind in register.DONE_BY_AN_ACT else "",
        "forms": all_forms,
        "opened": next(iter(forms), "") if forms else "",
    }
    return render(request, "subject_requests/request.html", context, status=status)


def _lead_on(request: SignedInRequest, request_id: int) -> HttpResponse:
    """Ask users who come from another site to confirm: viewing is recorded, and no other site may trigger that."""
    register.find(request_id, actor=page_actor(request))
    return render(request, "subject_requests/request_lead_on.html", {"title": _("Open this request?")})


def _done(request: SignedInRequest, row: DataRequest, then: str = "request") -> HttpResponse:
    messages.success(
        request, _("Request %(number)d: %(words)s") % {"number": row.pk, "words": subject_request_words.due_words(row)}
    )
    return redirect(then, row.pk)


def _search(request: SignedInRequest, actor: Actor) -> dict[str, Any]:
    """Return the people found by the search, each with the URL of the form for that person."""
    search = request.GET.get("search", "").strip()[:200]
    if not search:
        return {"search": "", "people": []}
    people = filtered(actor, {"search": search}).order_by("card__sort_last", "card__sort_first", "pk")[:FOUND]
    found = [{"person": person, "url": address({"contact": str(person.pk)})} for person in people]
    return {"search": search, "people": found}

"""Rendering of a person's page: always complete, with at most one of its parts open for editing."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urlsplit

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import reselect, reswap, retarget

from compliance.verdict.current_verdict import judged
from compliance.verdict.reason_registry import LOOKS_OPTED_OUT
from compliance.verdict.verdict import Verdict
from contacts.events import history
from contacts.models import Contact, ContactEvent
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Missing
from salesconnect.lib.web.htmx import close_dialog, toast
from salesconnect.pages.person.forms import focus_first
from salesconnect.pages.person.history import lines
from salesconnect.pages.person.person_deadlines import waiting_for
from unsubscribes.crm.monitoring.status import linked
from unsubscribes.mail import queries
from unsubscribes.models import Message
from unsubscribes.opt_outs import of_person as unsubscribes

Part = Literal["", "card", "details"]
REGION = "#person"
UNDELIVERABLE = Message.Reason.UNDELIVERABLE
MAILS = 5
NOT_TYPED = ("version", "csrfmiddlewaretoken")
ON_THE_CARD = (history.AUTHORIZATION, history.SOURCE, history.CREATED)


@dataclass(frozen=True, slots=True)
class VersionedField:
    """A field that differs: its present value, and what the editor typed; `kept` if the editor did not change it."""

    label: str
    theirs: str
    mine: str
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Versions:
    """An edit conflict: the differing fields, the newest event (who was faster), and the form data to send again."""

    rows: list[VersionedField]
    newest: ContactEvent | None
    resend: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class OpenPart:
    """The part of the page that is open for editing: its form, or the two versions of an edit conflict."""

    part: Part = ""
    form: forms.Form | None = None
    version: int = 0
    versions: Versions | None = None


CLOSED = OpenPart()


def open_form(part: Part, form: forms.Form, version: int) -> OpenPart:
    focus_first(form)
    return OpenPart(part, form, version)


@dataclass(frozen=True, slots=True)
class Toast:
    """A message shown after an act, with the URL that undoes it, if there is one."""

    message: str
    level: Literal["success", "info", "warning"] = "success"
    undo_url: str = ""


def find(contact_id: int, actor: Actor) -> Contact:
    """Return a person with card and owner. Raises `Missing` if there is none or the actor may not see it."""
    person = Contact.objects.visible_to(actor).select_related("card", "owner").filter(pk=contact_id).first()
    if person is None:
        raise Missing
    return person


def show(
    request: SignedInRequest, person: Contact, *, opened: OpenPart = CLOSED, focus: Part = "", status: int = 200
) -> HttpResponse:
    """Render the page of a person; `focus` names the part whose *Edit* button gets the focus."""
    answer = judged(person.card, timezone.now())
    context = {
        "person": person,
        "card": person.card,
        "verdict": answer,
        "reasons": [reason.text for reason in answer.reasons],
        "undeliverable": any(reason.code == UNDELIVERABLE for reason in answer.reasons),
        "decide": _decision(person, answer, page_actor(request)),
        "card_changed": _last_change_of_card(person.pk),
        "said": unsubscribes.of_person(person),
        "history": lines.of_person(person.pk),
        "salesforce": linked(person.pk),
        **waiting_for(person.pk),
        "mails": queries.of_person(person.pk)[:MAILS],
        "people_url": _where_from(request),
        "opened": opened,
        "focus": focus,
    }
    return render(request, "person/person.html", context, status=status)


def _decision(person: Contact, answer: Verdict, actor: Actor) -> str:
    """Return the URL to decide on a look-alike; empty if there is nothing to decide, or the actor may not."""
    asked = LOOKS_OPTED_OUT in {reason.code for reason in answer.reasons}
    may = actor.may("edit_people") and person.card.restricted_at is None
    return reverse("person-not-the-same", args=[person.pk]) if asked and may else ""


def versions(request: SignedInRequest, contact_id: int, rows: list[VersionedField]) -> Versions:
    """Return the two versions for a page whose edit met a newer one, with the typed fields to send again."""
    newest = history.of_contact(contact_id).exclude(action__in=history.CHANGES_NOTHING).first()
    typed = [(name, value) for name, values in request.POST.lists() if name not in NOT_TYPED for value in values]
    return Versions(rows, newest, typed)


def done(request: SignedInRequest, contact_id: int, told: Toast, *, focus: Part = "") -> HttpResponse:
    """Answer an act with the updated page: for htmx in place with a toast, else by a redirect with a message."""
    if not request.htmx:
        getattr(messages, told.level)(request, told.message, extra_tags=urlencode({"undo_url": told.undo_url}))
        return redirect("person", contact_id)
    page = show(request, find(contact_id, page_actor(request)), focus=focus)
    # The form that posted may target the dialog or itself; these headers make htmx replace the person's page instead.
    response = reselect(reswap(retarget(page, REGION), "innerHTML"), f"{REGION} > *")
    return close_dialog(toast(response, told.message, level=told.level, undo_url=told.undo_url))


def _last_change_of_card(contact_id: int) -> ContactEvent | None:
    return history.of_contact(contact_id).filter(action__in=ON_THE_CARD).first()


def _where_from(request: SignedInRequest) -> str:
    people = reverse("people")
    referer = urlsplit(request.headers.get("Referer", ""))
    return f"{people}?{referer.query}" if referer.path == people and referer.query else people

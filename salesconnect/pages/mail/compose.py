"""The page on which a mail to one person or a selection is written, previewed for each recipient, and sent."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import push_url, reselect, reswap, retarget

from contacts.models import Contact
from contacts.people.queries import ContactQuerySet
from salesconnect.common.selection import Selection
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Conflict, Invalid
from salesconnect.lib.numbers import whole
from salesconnect.pages.mail import previewing
from salesconnect.pages.mail.forms import ComposeForm, show_errors
from salesconnect.pages.person.person_page import find
from salesconnect.pages.tasks.batch_words import number
from unsubscribes.mail import bulk_mail, informing_mail, mailing
from unsubscribes.mail.sending import server
from unsubscribes.mail.sending.backends import has_server
from unsubscribes.models import MailTemplate, Message


@dataclass(frozen=True, slots=True)
class ComposeRequest:
    """Who is written to, by whom, and which page to return to. One person has no `selection`."""

    request: SignedInRequest
    actor: Actor
    people: ContactQuerySet
    url: str
    back: str
    person: Contact | None = None
    selection: Selection | None = None


@dataclass(frozen=True, slots=True)
class ComposePage:
    """What the page shows: the form, and which recipient's copy is previewed (`shown`, a position; None for none)."""

    form: ComposeForm
    shown: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@require_http_methods(["GET", "POST"])
def to_one(request: SignedInRequest, contact_id: int) -> HttpResponse:
    actor = page_actor(request)
    actor.require("mail_people")
    person = find(contact_id, actor)
    people = Contact.objects.filter(pk=person.pk)
    url = reverse("person-mail", args=[person.pk])
    return _take_step(ComposeRequest(request, actor, people, url, reverse("person", args=[person.pk]), person=person))


@require_http_methods(["GET", "POST"])
def to_many(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require("mail_people")
    if request.method == "GET":
        return redirect("people")
    selection = Selection.from_query(request.POST)
    url = reverse("mail-compose")
    response = _take_step(
        ComposeRequest(request, actor, selection.queryset(actor), url, reverse("people"), selection=selection)
    )
    if not request.htmx:
        return response
    # The selection bar posts into the dialog. Writing a mail is a page of its own, so htmx is told to replace `main`.
    return push_url(reselect(reswap(retarget(response, "#main"), "innerHTML"), "#main > *"), url)


def _take_step(asked: ComposeRequest) -> HttpResponse:
    """Carry out the step that the pressed button names; a refusal shows the form with its errors."""
    step, _colon, detail = asked.request.POST.get("step", "").partition(":")
    if step not in STEPS:
        return _show(asked, ComposePage(ComposeForm(initial={"language": get_language()})))
    form = ComposeForm(asked.request.POST)
    try:
        return STEPS[step](asked, form, detail)
    except Invalid as refusal:
        show_errors(form, refusal.fields)
        return _show(asked, ComposePage(form), status=422)
    except Conflict as conflict:
        if conflict.code != "moved":
            raise
        return _show(asked, ComposePage(form, extra={"moved": conflict.detail["now"]}), status=409)


def _preview(asked: ComposeRequest, form: ComposeForm, detail: str) -> HttpResponse:
    form.to_draft().check()
    return _show(asked, ComposePage(form, shown=whole(detail) or 0))


def _use_template(asked: ComposeRequest, form: ComposeForm, _detail: str) -> HttpResponse:
    template = MailTemplate.objects.filter(pk=whole(asked.request.POST.get("template", "")) or 0).first()
    if template is None:
        raise Invalid({"": [_("Choose a template first.")]})
    initial = {"subject": template.subject, "body": template.body, "body_html": template.body_html}
    return _show(asked, ComposePage(ComposeForm(initial=initial | {"language": form.to_draft().language})))


def _keep_template(asked: ComposeRequest, form: ComposeForm, _detail: str) -> HttpResponse:
    draft = form.to_draft()
    kept = mailing.keep_template(form.cleaned_data["keep_as"], draft, actor=asked.actor)
    messages.success(asked.request, _("The template “%(name)s” is kept.") % {"name": kept.name})
    return _show(asked, ComposePage(form))


def _send(asked: ComposeRequest, form: ComposeForm, _detail: str) -> HttpResponse:
    draft = form.to_draft()
    if asked.selection is None:
        message = mailing.write_to_one(asked.people.get().pk, draft, actor=asked.actor)
        _tell_of_one(asked, message)
        return redirect("mail", message.pk)
    batch = bulk_mail.order_mail(
        asked.people,
        draft,
        actor=asked.actor,
        selection=asked.selection.as_json(),
        missing=asked.selection.missing(asked.actor),
        approved=whole(asked.request.POST.get("approved", "")),
    )
    leaving = _("The mails are on their way. What becomes of each stands here.")
    waiting = _("The mails are in the outbox and wait for a mail server. What becomes of each stands here.")
    messages.success(asked.request, leaving if has_server() else waiting)
    return redirect(f"{reverse('mails')}?batch={batch.pk}")


STEPS: dict[str, Callable[[ComposeRequest, ComposeForm, str], HttpResponse]] = {
    "preview": _preview,
    "template": _use_template,
    "keep": _keep_template,
    "send": _send,
}


def _tell_of_one(asked: ComposeRequest, message: Message) -> None:
    if message.state == Message.State.HELD:
        messages.warning(asked.request, _("The mail is held back: %(why)s") % {"why": message.why_in_words})
    elif has_server():
        messages.success(asked.request, _("The mail is on its way."))
    else:
        messages.success(asked.request, _("The mail is in the outbox and waits for a mail server."))


def _show(asked: ComposeRequest, page: ComposePage, status: int = 200) -> HttpResponse:
    context = previewing.audience(asked.people, informs=informing_mail.is_notice(page.form.shown_draft())) | page.extra
    passing = context["passing"]
    title = ngettext("Write to %(n)s person", "Write to %(n)s people", context["total"]) % {
        "n": number(context["total"])
    }
    context |= {
        "title": _("Write to %(name)s") % {"name": asked.person} if asked.person else title,
        "send": _send_words(passing),
        "mail_server": server.status(),
        "form": page.form,
        "url": asked.url,
        "back": asked.back,
        "selection": asked.selection.as_query() if asked.selection else {},
        "templates": MailTemplate.objects.all(),
        "preview": _copy(asked, page),
    }
    return render(asked.request, "mail/compose.html", context, status=status)


def _send_words(passing: int) -> str:
    if not has_server():
        return _("Save to outbox")
    return ngettext("Send to %(n)s person", "Send to %(n)s people", passing) % {"n": number(passing)}


def _copy(asked: ComposeRequest, page: ComposePage) -> previewing.RecipientCopy | None:
    if page.shown is None:
        return None
    return previewing.copy(asked.people, page.form.to_draft(), asked.actor, page.shown)

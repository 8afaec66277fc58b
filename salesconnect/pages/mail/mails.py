"""The Mail page: all messages with their delivery, and decisions on messages whose delivery is unknown."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import SortKey
from salesconnect.lib.errors import Invalid, Missing
from salesconnect.lib.numbers import whole
from salesconnect.lib.web.paging import address, neighbours
from salesconnect.pages.person.person_page import Toast, done, find
from unsubscribes.mail import failures, mailing, queries
from unsubscribes.mail.sending import server
from unsubscribes.mail.sending.backends import has_server
from unsubscribes.models import Message

PAGE_SIZE = 50
NUMBERS = ("batch", "contact")


@require_safe
def mails(request: SignedInRequest) -> HttpResponse:
    """List messages, newest first, optionally of one state, batch or person."""
    query = {name: request.GET[name] for name in ("state", *NUMBERS) if request.GET.get(name)}
    found = queries.visible(page_actor(request)).filter(**_conditions(query))
    page = keyset.page(
        found,
        [SortKey("id", descending=True)],
        cursor=request.GET.get("cursor"),
        size=PAGE_SIZE,
        values=lambda message: (message.pk,),
    )
    context = {
        "messages_page": page.rows,
        **neighbours(page, query),
        "tabs": _tabs(query),
        "narrowed": any(name in query for name in NUMBERS),
        "batch": query.get("batch"),
        "mail_server": server.status(),
    }
    return render(request, "mail/mails.html", context)


@require_safe
def mail(request: SignedInRequest, message_id: int) -> HttpResponse:
    """Show a message as it was sent; users who may not mail people see it without its unsubscribe link."""
    actor = page_actor(request)
    message = queries.visible(actor).filter(pk=message_id).first()
    if message is None:
        raise Missing
    text, html = queries.shown(message, with_link=actor.may("mail_people"))
    context = {"mail": message, "text": text, "html": html, "mail_server": server.status()}
    return render(request, "mail/mail.html", context)


@require_POST
def resolve(request: SignedInRequest, message_id: int) -> HttpResponse:
    """Send a message again whose delivery is unknown, or mark it as sent."""
    actor = page_actor(request)
    actor.require("mail_people")
    match request.POST.get("resolution"):
        case "resend":
            mailing.resolve(message_id, "resend", actor=actor)
            messages.success(request, _("It is sent again.") if has_server() else _("It waits for a mail server."))
        case "sent":
            mailing.resolve(message_id, "sent", actor=actor)
            messages.success(request, _("It is marked as sent."))
        case _other:
            raise Invalid({"resolution": [_("Choose what is to be done.")]})
    return redirect("mail", message_id)


@require_POST
def allow(request: SignedInRequest, contact_id: int) -> HttpResponse:
    """Allow mail again to a person whose last mails were not delivered."""
    actor = page_actor(request)
    person = find(contact_id, actor)
    failures.allow(contact_id, actor=actor)
    return done(request, contact_id, Toast(_("Mail goes to %(name)s again.") % {"name": person}))


def _conditions(query: dict[str, str]) -> dict[str, str]:
    if query.get("state", Message.State.SENT) not in Message.State:
        raise Invalid({"state": [_("There is no such state.")]})
    for name in NUMBERS:
        if name in query and whole(query[name]) is None:
            raise Invalid({name: [_("Orders and people are named by their numbers.")]})
    return query


def _tabs(query: dict[str, str]) -> list[dict[str, object]]:
    counts = queries.counts()
    tabs: list[dict[str, object]] = [{"label": _("All"), "url": address({}), "current": not query, "count": None}]
    for state in Message.State:
        current = query.get("state") == state
        if state != Message.State.SENDING or current:
            url = address({"state": state})
            tabs.append({"label": state.label, "url": url, "current": current, "count": counts.get(state)})
    return tabs

"""The public page behind an unsubscribe link. Whoever has the link may use it: no account, cookies or scripts.

GET changes nothing, because mail scanners open every link. POST acts at once, because that is how mailbox providers
unsubscribe their users (RFC 8058). The response is sent after the commit, so it never reports a false success.
"""

import logging
import re

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string

from compliance.models import Suppression
from unsubscribes.links import links
from unsubscribes.mail import team
from unsubscribes.models import MailLink

# The form field by which mailbox providers say that it is their one-click unsubscribe (RFC 8058).
ONE_CLICK = ("List-Unsubscribe", "One-Click")
REASON_LIMIT = 500
ALLOWED = "GET, HEAD, POST, OPTIONS"
RETRY_SECONDS = "30"
# Control characters and surrogates: PostgreSQL cannot store some, and the others are invisible in the history.
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
HEADERS = {  # of every response, errors included
    "Cache-Control": "no-store",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in settings.PERMISSIONS_POLICY),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
logger = logging.getLogger(__name__)


def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page or unsubscribe. The token alone authorises: without a session there is nothing to forge (CSRF)."""
    try:
        response = _answer(request, token)
    except (OperationalError, InterfaceError):
        logger.warning("An unsubscribe request failed because the database is unavailable; answered 503", exc_info=True)
        response = _page("away", status=503)
        response.headers["Retry-After"] = RETRY_SECONDS
    response._has_been_logged = True  # type: ignore[attr-defined] # Django would log the path, which contains the token
    return response


def mask(email: str) -> str:
    """Mask an address so that only its owner recognises it: a•••@e•••.se."""
    local, _at, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain[:1]}•••.{domain.rpartition('.')[2]}"


def _answer(request: HttpRequest, token: str) -> HttpResponse:
    match request.method:
        case "GET" | "HEAD":
            link = links.find(token)
            return _page("nothing" if link and links.is_nobodys(link) else "question", link)
        case "POST":
            return _take(links.find(token), _body(request))
        case "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": ALLOWED})
    return HttpResponse(status=405, headers={"Allow": ALLOWED})


def _take(link: MailLink | None, body: QueryDict) -> HttpResponse:
    if link is None:
        # Not 200: a mailbox provider would tell its user that the unsubscribe worked.
        return _page("damaged", status=404)
    if links.is_nobodys(link):
        # The person was erased and nobody is unsubscribed, so this is no success either.
        return _page("nothing", status=410)
    one_click = body.get(ONE_CLICK[0]) == ONE_CLICK[1]
    source = Suppression.Source.ONE_CLICK if one_click else Suppression.Source.CLICKED_LINK
    reason = UNSEEN.sub("", body.get("reason", "")).strip()[:REASON_LIMIT]
    links.opt_out(link, source=source, reason=reason)
    # Mailbox providers do not display the response, so theirs is minimal.
    return HttpResponse("OK\n", content_type="text/plain") if one_click else _page("done", link)


def _body(request: HttpRequest) -> QueryDict:
    """Return the fields of the body; a malformed body must not prevent the unsubscribe."""
    try:
        return request.POST
    except (BadRequest, MultiPartParserError, OSError, SuspiciousOperation):
        return QueryDict()


def _page(part: str, link: MailLink | None = None, status: int = 200) -> HttpResponse:
    """Render the page without request and session; `away` (database unavailable) also without the team's settings."""
    known = None if part == "away" else team.current()
    person = links.holder(link) if link else None
    context = {
        "part": part,
        "company": team.name(known) if known else "",
        "contact_address": known.contact_address if known else "",
        "address": mask(person.email) if person else "",
        "reason_limit": REASON_LIMIT,
    }
    return HttpResponse(render_to_string("public/public.html", context), status=status)

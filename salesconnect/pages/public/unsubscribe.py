"""The page behind an unsubscribe link, for whoever holds the link: no account, no cookie, no script.

Looking changes nothing, for mail scanners open every link; a POST acts at once, for that is how mailbox providers
unsubscribe (RFC 8058). The answer comes after the commit, so it is never a false "done".
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

ONE_CLICK = ("List-Unsubscribe", "One-Click")
REASON_LIMIT = 500
ALLOWED = "GET, HEAD, POST, OPTIONS"
RETRY_SECONDS = "30"
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
HEADERS = {  # of every answer, also of one that something went wrong with
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
    """Show the page, or take the "no". The token alone is the authority: no session, and nothing for a CSRF check."""
    try:
        response = _answer(request, token)
    except (OperationalError, InterfaceError):
        logger.warning("Somebody could not be unsubscribed and is asked to try again", exc_info=True)
        response = _page("away", status=503)
        response.headers["Retry-After"] = RETRY_SECONDS
    response._has_been_logged = True  # type: ignore[attr-defined] # else Django logs the path, which holds the token
    return response


def mask(email: str) -> str:
    """Return as much of an address as tells its owner which one it is: a•••@e•••.se."""
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
        # A mailbox provider takes 200 for done and tells its user so.
        return _page("damaged", status=404)
    if links.is_nobodys(link):
        # Nobody is unsubscribed, so no program is told so: what it held was erased.
        return _page("nothing", status=410)
    one_click = body.get(ONE_CLICK[0]) == ONE_CLICK[1]
    source = Suppression.Source.ONE_CLICK if one_click else Suppression.Source.CLICKED_LINK
    reason = UNSEEN.sub("", body.get("reason", "")).strip()[:REASON_LIMIT]
    links.opt_out(link, source=source, reason=reason)
    # A mailbox provider shows nobody the answer, so it gets the shortest.
    return HttpResponse("OK\n", content_type="text/plain") if one_click else _page("done", link)


def _body(request: HttpRequest) -> QueryDict:
    """Return the fields of the body; one that cannot be read is no reason to overhear a "no"."""
    try:
        return request.POST
    except (BadRequest, MultiPartParserError, OSError, SuspiciousOperation):
        return QueryDict()


def _page(part: str, link: MailLink | None = None, status: int = 200) -> HttpResponse:
    """Render the page without request and session; while the database is away, without the team's settings too."""
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

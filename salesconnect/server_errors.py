"""Responses to uncaught exceptions: 507 or 503 for known temporary trouble, else 500."""

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from salesconnect.lib.database import failures

RETRY_SECONDS = "10"


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an uncaught exception without touching the database or the session."""
    known = failures.classify(sys.exc_info()[1])
    status = known.status if known else 500
    response: HttpResponse
    if request.path.startswith("/api/"):
        detail = str(known.what) if known else _("Something broke here; it has been logged.")
        response = JsonResponse({"detail": detail}, status=status)
    elif known:
        response = HttpResponse(render_to_string("503.html", {"trouble": known}), status=status)
    else:
        response = HttpResponse(render_to_string("500.html"), status=status)
    if known:
        response.headers["Retry-After"] = RETRY_SECONDS
    return response

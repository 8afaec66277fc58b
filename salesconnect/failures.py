"""The answer when something broke: 503 while the database is away, 500 for anything else."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

RETRY_SECONDS = "10"


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an uncaught exception without touching the database or the session."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    status = 503 if away else 500
    response: HttpResponse
    if request.path.startswith("/api/"):
        broken = _("Something broke here; it has been logged.")
        detail = _("The database is away; try again shortly.") if away else broken
        response = JsonResponse({"detail": detail}, status=status)
    else:
        response = HttpResponse(render_to_string(f"{status}.html"), status=status)
    if away:
        response.headers["Retry-After"] = RETRY_SECONDS
    return response

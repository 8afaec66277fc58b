"""Turns exceptions of services into error responses of the API."""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.utils.translation import gettext as _
from rest_framework.response import Response
from rest_framework.views import exception_handler

from salesconnect.lib.database import failures
from salesconnect.lib.errors import Conflict, Forbidden, Invalid, Missing, Restricted, SignInAgain, Stale

RETRY_SECONDS = "10"

logger = logging.getLogger(__name__)


def handle(problem: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response to an exception; None for a bug, which Django answers with 500."""
    if isinstance(problem, Invalid):
        return Response(problem.fields, status=400)
    status, detail, more = _known(problem)
    if not status:
        return exception_handler(problem, context)
    response = Response({"detail": detail, **more}, status=status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        response["Retry-After"] = RETRY_SECONDS
    return response


def _known(problem: Exception) -> tuple[int, str, dict[str, Any]]:
    answer: tuple[int, str, dict[str, Any]] = 0, "", {}
    match problem:
        case Forbidden():
            answer = 403, _("You have no right to do this."), {"right": problem.right}
        case SignInAgain():
            words = _("You signed in more than ten minutes ago; sign in again.")
            answer = 403, words, {"code": "sign_in_again"}
        case Missing():
            answer = 404, str(problem) or _("Not found."), {}
        case Conflict():
            answer = 409, problem.message, {"code": problem.code, **problem.detail}
        case Restricted():
            words = _("Processing of this person is restricted: the data can be read, and nothing else.")
            answer = 423, words, {"code": "restricted"}
        case Stale():
            answer = 412, _("Somebody changed this person after the version that you name."), {"code": "stale"}
        case RequestDataTooBig():
            answer = 413, _("The body is too large."), {}
        case SuspiciousOperation():
            answer = 400, _("The request cannot be read."), {}
        case _:
            if known := failures.classify(problem):
                logger.warning("Answered %d: %s", known.status, failures.in_one_line(problem))
                answer = known.status, str(known.what), {}
    return answer

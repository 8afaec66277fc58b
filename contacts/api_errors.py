"""Errors of the API: what services raise becomes a status and a body that says what is wrong."""

from typing import Any

from django.db import InterfaceError, OperationalError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from salesconnect.lib.errors import Conflict, Forbidden, Invalid, Missing


def handle(problem: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an exception, or None for one that is nobody's but ours."""
    match problem:
        case Invalid():
            return Response(problem.fields, status=400)
        case Forbidden():
            return Response({"detail": "You have no right to do this.", "right": problem.right}, status=403)
        case Missing():
            return Response({"detail": "Not found."}, status=404)
        case Conflict():
            return Response({"detail": problem.message, "code": problem.code, **problem.detail}, status=409)
        case OperationalError() | InterfaceError():
            detail = {"detail": "The database is away; try again shortly."}
            return Response(detail, status=503, headers={"Retry-After": "10"})
    return exception_handler(problem, context)

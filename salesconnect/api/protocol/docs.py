"""The API's schema and documentation page, and the response for unknown URLs."""

from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView


class TokenScheme(OpenApiAuthenticationExtension):
    """`Authorization: Token …` in the schema."""

    target_class = "salesconnect.api.protocol.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        description = "The word Token, a space, and a token of your profile page."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": description}


class SessionScheme(OpenApiAuthenticationExtension):
    """The session of the site in the schema."""

    target_class = "salesconnect.api.protocol.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "session"}


def say_refusals(result: dict[str, Any], **_generator: Any) -> dict[str, Any]:
    """Add the common error responses to every operation of the schema."""
    words = (
        "400 errors by field, 401 not signed in, 403 right missing, 404 not found, 409 conflicting state, 412 stale."
    )
    refusal = {"description": words, "content": {"application/json": {"schema": {"type": "object"}}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["4XX"] = refusal
    return result


class Docs(SpectacularSwaggerSplitView):
    """The documentation page. This view serves scripts and styles as files, because the CSP allows nothing inline."""

    template_name = "api_docs.html"


class Nowhere(APIView):
    """Any other URL below the API: 401 for strangers, else 404 as JSON; a GET without the final slash is redirected."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method != "GET" or request.path.endswith("/"):
            raise NotFound(_("There is nothing here. Every address ends with a slash."))

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponseBase:
        return redirect(request.get_full_path(force_append_slash=True))

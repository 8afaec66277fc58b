"""The API's own description: how it names its callers, its schema and docs, and the answer for what is not there."""

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
        """Return the header as OpenAPI names it."""
        description = "The word Token, a space, and a token of your profile page."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": description}


class SessionScheme(OpenApiAuthenticationExtension):
    """The session of the site in the schema."""

    target_class = "salesconnect.api.protocol.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the cookie as OpenAPI names it."""
        return {"type": "apiKey", "in": "cookie", "name": "session"}


def say_refusals(result: dict[str, Any], **_generator: Any) -> dict[str, Any]:
    """Add to every operation of the schema how it refuses."""
    words = "401 no token, 403 no right, 404 not there, 409 state, 412 stale, 400 and others what is wrong by field."
    refusal = {"description": words, "content": {"application/json": {"schema": {"type": "object"}}}}
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["4XX"] = refusal
    return result


class Docs(SpectacularSwaggerSplitView):
    """The schema as a page to read and try; script and style come from files, so the CSP holds."""

    template_name = "api_docs.html"


class Nowhere(APIView):
    """Any other address: 401 without a token, 404 as JSON with one; a GET without its last slash is led on."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the caller; then there is nothing here, whatever the method."""
        super().initial(request, *args, **kwargs)
        if request.method != "GET" or request.path.endswith("/"):
            raise NotFound(_("There is nothing here. Every address ends with a slash."))

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponseBase:
        """Lead on to the address with its slash."""
        return redirect(request.get_full_path(force_append_slash=True))

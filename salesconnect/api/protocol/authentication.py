"""How the API knows its caller: a token in the header, or the session of a signed-in page."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from contacts.accounts import tokens
from contacts.models import User


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Token …`"""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        """Return user and token; None when the header is absent, 401 when the token is unknown."""
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "token":
            return None
        found = tokens.find(token.strip())
        if found is None:
            raise exceptions.AuthenticationFailed(_("This token is unknown or was revoked."))
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return "Token"


class SessionAuthentication(authentication.SessionAuthentication):
    """The session of the site itself, with its CSRF check; an anonymous caller gets 401 as with a token."""

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return "Token"

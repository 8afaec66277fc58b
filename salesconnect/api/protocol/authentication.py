"""Authentication of the API: a token in the header, or the session of a signed-in user."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from contacts.accounts import tokens
from contacts.models import User


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Token …`"""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        """Return user and token; None without the header. An unknown token is a 401."""
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "token":
            return None
        found = tokens.find(token.strip())
        if found is None:
            raise exceptions.AuthenticationFailed(_("This token is unknown or was revoked."))
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class SessionAuthentication(authentication.SessionAuthentication):
    """The session of the site, with CSRF check. An anonymous caller gets 401, not DRF's 403."""

    def authenticate_header(self, request: Request) -> str:
        return "Token"

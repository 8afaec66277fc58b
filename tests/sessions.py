"""Browsers whose sign-in is old."""

from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY

RECENT_SECONDS = 10 * 60


def age(client: Any) -> Any:
    """Let the sign-in of a test client be older than ten minutes; returns the client."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        record | {"at": record["at"] - RECENT_SECONDS - 1} for record in session[AUTHENTICATION_METHODS_SESSION_KEY]
    ]
    session.save()
    return client

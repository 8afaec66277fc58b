"""Browsers whose sign-in is old."""

from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

RECENT_SECONDS = 10 * 60


def age(client: Any) -> Any:
    """Let the sign-in of a test client be older than ten minutes; returns the client."""
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = _aged(session[AUTHENTICATION_METHODS_SESSION_KEY])
    session.save()
    return client


def age_all() -> None:
    """Let the sign-in of every session be older than ten minutes."""
    for stored in Session.objects.all():
        session = SessionStore(stored.session_key)
        session[AUTHENTICATION_METHODS_SESSION_KEY] = _aged(session[AUTHENTICATION_METHODS_SESSION_KEY])
        session.save()


def _aged(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record | {"at": record["at"] - RECENT_SECONDS - 1} for record in records]

"""Who is calling: the one place that decides which address of a request is believed."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Return the caller's address: the connection's, or what the outermost trusted proxy says of its own caller.

    Each proxy appends to `X-Forwarded-For` who called it. Of that list, only as many entries from its end are believed
    as there are trusted proxies (`SALESCONNECT_PROXIES`); everything before them is what the caller claims.
    """
    direct = str(request.META.get("REMOTE_ADDR") or "")
    count = settings.PROXIES
    said = [part for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if not count or len(said) < count:
        return direct
    return _plain(said[-count]) or direct


def _plain(text: str) -> str:
    """Return an address without brackets and port, empty for what is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""

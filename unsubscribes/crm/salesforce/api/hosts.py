"""Checks that secrets and tokens are only sent to Salesforce, over https.

The login URL is entered by a user and the instance URL comes in an answer; both are checked before every use.
"""

import re
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

SALESFORCE = ("salesforce.com", "force.com", "salesforce.mil")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HTTPS_PORT = 443
NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)


def is_safe(url: str) -> bool:
    """Tell whether a secret may be sent to this URL."""
    parts, port = _split(url)
    if parts is None or parts.username is not None or parts.password is not None or "\\" in url:
        return False
    host = parts.hostname or ""
    if host in LOOPBACK:
        return parts.scheme in ("http", "https") and loopback_allowed()
    if parts.scheme != "https" or not NAME.fullmatch(host):
        return False
    if _among(host, settings.SALESFORCE_HOSTS):
        return True
    return port in (None, HTTPS_PORT) and _among(host, SALESFORCE)


def loopback_allowed() -> bool:
    """Tell whether loopback addresses are allowed, for an emulated org of the demo and the tests.

    They are with embedded servers, and if the environment names a loopback address.
    """
    named = urlsplit(settings.SALESFORCE_LOGIN_URL).hostname if settings.SALESFORCE_LOGIN_URL else None
    return (
        settings.EMBEDDED_DATABASE or named in LOOPBACK or any(host in LOOPBACK for host in settings.SALESFORCE_HOSTS)
    )


def same(one: str, other: str) -> bool:
    """Tell whether two URLs lead to the same place."""
    return _place(one) == _place(other)


def _place(url: str) -> tuple[str, str, int | None, str]:
    parts, port = _split(url)
    if parts is None:
        return ("", url, None, "")
    return (parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"))


def _split(url: str) -> tuple[SplitResult | None, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None, None
    return parts, port


def _among(host: str, names: tuple[str, ...] | list[str]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in names)

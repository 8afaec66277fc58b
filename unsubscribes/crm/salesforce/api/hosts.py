"""Where secrets and tokens may go: to Salesforce, over https, and to nobody else.

A login URL is typed by a person, and the address of the org comes in an answer; both are checked alike, each time.
"""

import re
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

SALESFORCE = ("salesforce.com", "force.com", "salesforce.mil")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HTTPS_PORT = 443
NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII)


def is_safe(url: str) -> bool:
    """Tell whether a secret may be sent there."""
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
    """Tell whether an org may run on this machine: an emulated one, beside a product that tries itself out.

    That is so where the servers are embedded, and where the environment names such an address.
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

"""HTTP requests to addresses that a user entered, protected against server-side request forgery (SSRF).

Only public hosts are called, redirects are not followed, and size and time are bounded. A name is resolved once and the
connection goes to the address that was checked, so a name server cannot answer differently the second time (DNS
rebinding). Proxies of the environment are not used, because they would resolve the name again. Hosts of the internal
network are called only when `SALESCONNECT_OUTGOING_HOSTS` names them.
"""

import base64
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from salesconnect.lib.web.domains import ascii_domain

CONNECT_SECONDS = 5
SECONDS = 20
MAX_ANSWER_BYTES = 100_000
MAX_ADDRESSES = 3
PORTS = {"https": 443, "http": 80}
NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


class Undelivered(Exception):  # noqa: N818 - reads as what became of it
    """The request was not sent, or got no usable answer; the message says why."""


class HostRefused(Undelivered):
    """The host is not called: its network is not public, or the address is malformed."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What the host answered; a redirect is an answer like any other."""

    status: int
    content: bytes


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS, largest: int = MAX_ANSWER_BYTES
) -> HttpAnswer:
    """Send a body and return the answer. Raises `Undelivered`: refused, away, too slow or too large."""
    parts = _parts(url)
    try:
        plain = _connected(parts)
        with closing(_with_tls(plain, parts) if parts.scheme == "https" else plain) as link, _deadline(link, seconds):
            answer = _exchange(link, parts, body, headers, largest)
    except (OSError, HTTPException) as problem:
        words = {"host": parts.hostname, "problem": str(problem) or type(problem).__name__}
        raise Undelivered(_("%(host)s gave no answer: %(problem)s") % words) from problem
    if len(answer.content) > largest:
        raise Undelivered(_("The answer of %(host)s is too large.") % {"host": parts.hostname})
    return answer


def check(url: str) -> None:
    """Raise `HostRefused` for a host that is never called. A name that resolves to nothing now may do so later."""
    parts = _parts(url)
    try:
        _public_addresses(parts)
    except OSError:
        return


def is_public(address: Address) -> bool:
    """Tell whether an address is public; one that embeds another address (6to4, Teredo, NAT64), whether both are."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.is_site_local or not all(map(is_public, filter(None, [address.sixtofour, *(address.teredo or ())]))):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _parts(url: str) -> SplitResult:
    """Return the address in its parts, its host as DNS writes it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        name = host if ":" in host else ascii_domain(host)
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError, UnicodeError):
        name, port = "", 0
    if not name:
        raise HostRefused(_("This is no address of a host."))
    user = f"{parts.username}:{parts.password or ''}@" if parts.username else ""
    return parts._replace(netloc=f"{user}[{name}]:{port}" if ":" in name else f"{user}{name}:{port}")


def _public_addresses(parts: SplitResult) -> list[str]:
    """Return the addresses of a host, all of them public. Raises `HostRefused`, and `OSError` when there are none."""
    host = str(parts.hostname)
    found = socket.getaddrinfo(host, parts.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_family, sockaddr in found))
    named = host in {name.strip("[]").casefold() for name in settings.OUTGOING_HOSTS}
    if not named and not all(is_public(ip_address(address.partition("%")[0])) for address in addresses):
        raise HostRefused(_("%(host)s is not in the public internet, so it is not called.") % {"host": host})
    return addresses[:MAX_ADDRESSES]


def _connected(parts: SplitResult) -> socket.socket:
    """Return a connection to the first address that accepts one; no name is resolved here."""
    trouble: OSError = OSError()
    for address in _public_addresses(parts):
        try:
            return socket.create_connection((address, parts.port), timeout=CONNECT_SECONDS)
        except OSError as problem:
            trouble = problem
    raise trouble


def _with_tls(plain: socket.socket, parts: SplitResult) -> ssl.SSLSocket:
    """Return the connection with TLS, checked against the host name; the handshake comes later, under the deadline."""
    trusted = os.environ.get("REQUESTS_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
    context = ssl.create_default_context(cafile=trusted)
    return context.wrap_socket(plain, server_hostname=parts.hostname, do_handshake_on_connect=False)


@contextmanager
def _deadline(link: socket.socket, seconds: float) -> Iterator[None]:
    """Shut the connection down at the deadline: a socket timeout would not stop a host that sends a byte at a time."""
    over = threading.Event()

    def cut() -> None:
        over.set()
        socket.socket.shutdown(link, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.start()
    try:
        yield
    except (OSError, HTTPException) as problem:
        if over.is_set():
            raise TimeoutError(_("it took too long")) from problem
        raise
    finally:
        timer.cancel()
    if over.is_set():
        raise TimeoutError(_("it took too long"))


def _exchange(
    link: socket.socket, parts: SplitResult, body: bytes, headers: Mapping[str, str], largest: int
) -> HttpAnswer:
    kind = HTTPSConnection if isinstance(link, ssl.SSLSocket) else HTTPConnection
    http = kind(str(parts.hostname), parts.port)
    if isinstance(link, ssl.SSLSocket):
        link.do_handshake()
    http.sock = link
    extra = {"Connection": "close"}
    if parts.username:
        account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        extra["Authorization"] = f"Basic {base64.b64encode(account.encode()).decode()}"
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    http.request("POST", path, body, {**headers, **extra})
    answer = http.getresponse()
    return HttpAnswer(answer.status, answer.read(largest + 1))

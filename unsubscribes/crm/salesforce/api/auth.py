"""Access tokens: requested by one worker at a time, and shared through the database, encrypted."""

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import jwt
import requests
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from contacts.people.rules import salesforce_id
from salesconnect.lib.encryption import decrypt_or_empty, encrypt
from unsubscribes.crm import clock
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.salesforce.api import hosts
from unsubscribes.crm.salesforce.api.error_codes import request_class

TIMEOUT = (5, 30)
CLAIM = dt.timedelta(seconds=40)
ASSERTION_SECONDS = 180
REFUSED_BY_TIME = ("invalid_grant", "invalid_assertion", "invalid_request")
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token for requests to `instance_url`; `generation` counts the tokens of the connection."""

    value: str
    instance_url: str
    generation: int


def current() -> AccessToken:
    """Return the stored token, or request one."""
    row = SyncConnection.objects.get()
    value = decrypt_or_empty(row.access_token)
    return AccessToken(value, row.instance_url, row.token_generation) if value else renewed(row.token_generation)


def renewed(generation: int) -> AccessToken:
    """Return a token newer than that of `generation`. One worker requests it; the others wait for the result.

    Raises `ProviderError`: `AUTH` when Salesforce refuses the sign-in.
    """
    deadline = time.monotonic() + CLAIM.total_seconds()
    free = Q(refreshing_until=None) | Q(refreshing_until__lt=Now())
    while time.monotonic() < deadline:
        if SyncConnection.objects.filter(free, token_generation=generation).update(refreshing_until=Now() + CLAIM):
            return _renew(generation)
        row = SyncConnection.objects.get()
        if row.token_generation != generation and (value := decrypt_or_empty(row.access_token)):
            return AccessToken(value, row.instance_url, row.token_generation)
        time.sleep(0.1)
    raise ProviderError(ErrorKind.TRANSIENT, "TOKEN_TIMEOUT")


def _renew(generation: int) -> AccessToken:
    mine = SyncConnection.objects.filter(token_generation=generation)
    try:
        answer = request_token(mine.get())
        token = AccessToken(answer["access_token"], answer["instance_url"].rstrip("/"), generation + 1)
        org, user = _identity(answer)
        _check(token, org)
    except (KeyError, ValueError) as error:
        mine.update(refreshing_until=None)
        raise ProviderError(ErrorKind.TRANSIENT, "BAD_BODY") from error
    except BaseException:
        mine.update(refreshing_until=None)
        raise
    mine.update(
        org_id=org,
        user_id=user,
        access_token=encrypt(token.value),
        instance_url=token.instance_url,
        token_generation=F("token_generation") + 1,
        refreshing_until=None,
    )
    return token


def _check(token: AccessToken, org: str) -> None:
    """Refuse a token that would be sent unencrypted or to a foreign host, or that is of another org than before."""
    if not hosts.is_safe(token.instance_url):
        raise ProviderError(ErrorKind.AUTH, "UNSAFE_INSTANCE_URL")
    if SyncConnection.objects.exclude(org_id__in=("", org)).exists():
        raise ProviderError(ErrorKind.AUTH, "OTHER_ORG")


def _identity(answer: Mapping[str, str]) -> tuple[str, str]:
    """Return the ids of org and user from the identity URL in `id`: https://…/id/00D…/005…"""
    org, user = answer.get("id", "").rstrip("/").split("/")[-2:]
    return salesforce_id(org), salesforce_id(user)


def request_token(connection: SyncConnection) -> dict[str, str]:
    """Request a token, without retries. Raises `ProviderError`."""
    if not hosts.is_safe(connection.login_url):
        raise ProviderError(ErrorKind.AUTH, "UNSAFE_LOGIN_URL")
    try:
        answer = requests.post(
            f"{connection.login_url}/services/oauth2/token",
            data=_grant(connection),
            headers={"Accept": "application/json"},
            timeout=TIMEOUT,
            allow_redirects=False,
        )
        if answer.is_redirect:
            there = urlsplit(answer.headers["Location"]).hostname or ""
            raise ProviderError(ErrorKind.AUTH, "LOGIN_URL_MOVED", f"HTTP {answer.status_code} {there}".strip()[:200])
        body = answer.json()
    except (requests.RequestException, ValueError):
        raise ProviderError(ErrorKind.TRANSIENT, "NO_ANSWER") from None
    if answer.status_code == requests.codes.ok and isinstance(body, dict) and "access_token" in body:
        return body
    refusal = _refusal(answer.status_code, body)
    skew = clock.ahead(answer.headers.get("Date"))
    if refusal.code in REFUSED_BY_TIME and connection.flow == SyncConnection.Flow.JWT_BEARER and clock.is_off(skew):
        words = clock.words(skew, "Salesforce")
        raise ProviderError(ErrorKind.AUTH, clock.CODE, f"{words} ({refusal.code}: {refusal.message})")
    raise refusal


def _refusal(status: int, body: object) -> ProviderError:
    """Parse an error of the token endpoint: an OAuth error object, or the array of the REST API."""
    if isinstance(body, list) and body and isinstance(body[0], dict):
        code = str(body[0].get("errorCode", ""))
        return ProviderError(request_class(status, code), code, str(body[0].get("message", "")))
    said = body if isinstance(body, dict) else {}
    kind = request_class(status, "")
    code = str(said.get("error", f"HTTP_{status}"))
    return ProviderError(
        kind if kind is ErrorKind.TRANSIENT else ErrorKind.AUTH, code, str(said.get("error_description", ""))
    )


def _grant(connection: SyncConnection) -> dict[str, str]:
    secret = decrypt_or_empty(connection.secret)
    if connection.flow == SyncConnection.Flow.CLIENT_CREDENTIALS:
        return {"grant_type": "client_credentials", "client_id": connection.client_id, "client_secret": secret}
    claims = {
        "iss": connection.client_id,
        "sub": connection.username,
        "aud": connection.login_url,
        "exp": int(timezone.now().timestamp()) + ASSERTION_SECONDS,
        "jti": uuid4().hex,
    }
    try:
        return {"grant_type": JWT_BEARER, "assertion": jwt.encode(claims, secret, algorithm="RS256")}
    except (ValueError, TypeError, jwt.PyJWTError):
        raise ProviderError(ErrorKind.AUTH, "BAD_PRIVATE_KEY") from None

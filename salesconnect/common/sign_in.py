"""Sign-in with django-allauth: no sign-up, throttling, and asking for the password again."""

import time
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY, reauthenticate_by_password
from allauth.account.utils import get_next_redirect_url
from allauth.core.internal.httpkit import deserialize_request, serialize_request
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import resolve
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from salesconnect.lib.encryption import decrypt, encrypt
from salesconnect.lib.web.client_address import client_address

RECENT_SECONDS = 10 * 60
RESUME = f"{__name__}.resume"


class AccountAdapter(DefaultAccountAdapter):
    """Adapts allauth: no sign-up, links to the configured site, and throttling by client address."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: administrators create accounts."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or "unknown"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link for the mail, on SITE_URL. The Host header is the caller's, and must not get into mails."""
        return settings.SITE_URL + urlsplit(super().get_reset_password_from_key_url(key)).path

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count wrong passwords by account and client address, so that nobody can lock another user out."""
        known = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{known}:{self.get_client_ip(request)}"


def signed_in_recently(request: HttpRequest) -> bool:
    """Tell whether the user has signed in or confirmed the password in this session within ten minutes."""
    shown = get_authentication_records(request, request.user)
    return any(time.time() - each["at"] < RECENT_SECONDS for each in shown)


def confirm_password(request: HttpRequest, password: str) -> None:
    """Confirm the user's password, which makes the sign-in recent. Throttled like the sign-in.

    Raises `ValidationError` for a wrong password, and for any after too many wrong ones.
    """
    adapter = get_adapter()
    if not adapter.reauthenticate(request.user, password):
        raise adapter.validation_error("incorrect_password")
    reauthenticate_by_password(request)


def sign_in_again(request: HttpRequest) -> HttpResponse:
    """Redirect to the page that asks for the password again, and keep a POST so that `resume` can carry it out.

    The POST may contain secrets of other services, so it is encrypted in the session. Files are not kept. An earlier
    kept POST is dropped.
    """
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined] # set by its middleware
    by_script, here = bool(htmx), request.get_full_path()
    request.session.pop(STATE_SESSION_KEY, None)
    # A GET is simply asked again afterwards; only a POST has something to keep.
    if request.method != "POST":
        here = (by_script and htmx.current_url_abs_path) or here
    else:
        # Without the htmx headers the resumed POST answers with a full page; cookies need not be stored twice.
        for name in [name for name in request.META if name.startswith("HTTP_HX_") or name == "HTTP_COOKIE"]:
            del request.META[name]
        state = {"request": encrypt(serialize_request(request)), "back": here, "at": time.time()}
        request.session[STATE_SESSION_KEY] = {"callback": RESUME, "state": state}
    method, *_others = get_adapter().get_reauthentication_methods(request.user)
    url = f"{method['url']}?{urlencode({REDIRECT_FIELD_NAME: here})}"
    return HttpResponseClientRedirect(url) if by_script else redirect(url)


def resume(request: HttpRequest, state: dict[str, Any]) -> HttpResponse:
    """Carry out the POST that was kept while the password was asked for.

    Not if the password was given for another page, or long afterwards: then the user did not mean this POST.
    """
    asked_for = get_next_redirect_url(request, REDIRECT_FIELD_NAME)
    kept = decrypt(state["request"])
    given_up = asked_for != state["back"] or time.time() - state.get("at", 0) > RECENT_SECONDS
    if kept is None or given_up:
        return HttpResponseRedirect(asked_for or state["back"])  # `redirect` could take it for a URL name
    request.__dict__.pop("headers", None)
    sent = deserialize_request(kept, request)
    view, args, kwargs = resolve(sent.path_info)
    answer: HttpResponse = view(sent, *args, **kwargs)
    return answer

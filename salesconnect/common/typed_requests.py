"""The type of page requests, and the actor behind one."""

from dataclasses import replace

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from contacts.jobs.batches import user_actor
from contacts.models import User
from salesconnect.common.sign_in import signed_in_recently
from salesconnect.lib.actor import Actor


class SignedInRequest(HttpRequest):
    """A request of a signed-in user, with what our middleware adds; `htmx` is falsy if htmx did not send it."""

    user: User
    htmx: HtmxDetails


def from_elsewhere(request: HttpRequest) -> bool:
    """Tell whether another site made the browser send this request. What is recorded must be the user's own act.

    Browsers send `Sec-Fetch-Site` over https only; without it the request counts as the user's own.
    """
    return request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}


def page_actor(request: SignedInRequest) -> Actor:
    """Return the user as an actor; `is_recent` says whether the sign-in or last password check is recent."""
    return replace(user_actor(request.user, "page"), is_recent=signed_in_recently(request))

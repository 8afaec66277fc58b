"""Requests as the pages see them: signed in, maybe from htmx, and who acts."""

from dataclasses import replace

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from contacts.jobs.batches import user_actor
from contacts.models import User
from salesconnect.common.sign_in import signed_in_recently
from salesconnect.lib.actor import Actor


class SignedInRequest(HttpRequest):
    """A request of a signed-in user; `htmx` is true when htmx sent it."""

    user: User
    htmx: HtmxDetails


def from_elsewhere(request: HttpRequest) -> bool:
    """Tell whether another site made the browser send this: what goes on record has to be the user's own doing.

    Every browser says so to sites on https; where it says nothing, as on plain http, nothing is known.
    """
    return request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}


def page_actor(request: SignedInRequest) -> Actor:
    """Return the user as the actor of an act on a page, with how lately it was shown who sits there."""
    return replace(user_actor(request.user, "page"), is_recent=signed_in_recently(request))

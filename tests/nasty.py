"""Values that break things, and how they are sent: each test of bad input takes its addresses from here."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.files.base import ContentFile
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver
from rest_framework.test import APIClient

from compliance.imports import import_jobs
from contacts.accounts import tokens
from contacts.jobs import batches
from contacts.models import Contact, User
from salesconnect.lib.actor import Actor

HUGE = "99999999999999999999"
DATES = ("9999-12-31", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "0000-00-00")
NASTY = (*DATES, "a\0b", "-1", HUGE, "9" * 5_000, "\ufffe\U0010ffff")
PATHS = {
    "int": ("0", "999999", str(2**63), HUGE, "9" * 5_000),
    "slug": ("x", "_" * 300, HUGE),
    "str": ("x", "a%00b", "%ED%A0%80", "%FF", "x" * 3_000),
}
HOLE = re.compile(r"<(?:(\w+):)?(\w+)>")
API = "api/v1/"
# allauth's own addresses by expression, with an example of each group.
EXPRESSIONS = {
    "account_confirm_email": ("accounts/confirm-email/<str:key>/"),
    "account_reset_password_from_key": ("accounts/password/reset/key/<slug:uidb36>-<str:key>/"),
}


def routes(patterns=None, before="") -> Iterator[str]:
    """Yield every address of the site with its holes, those of the API too."""
    for pattern in patterns or get_resolver().url_patterns:
        if not isinstance(pattern, URLPattern):
            yield from routes(pattern.url_patterns, before + str(pattern.pattern))
        elif hasattr(pattern.pattern, "_route"):
            yield before + str(pattern.pattern)
        elif pattern.name in EXPRESSIONS:
            yield EXPRESSIONS[pattern.name]


ROUTES = sorted(set(routes()) | {"u/<str:token>/"})
PAGES = [route for route in ROUTES if not route.startswith(API)]
KNOWN = {"kind": "source", "provider": "postmark", "sf_id": "003000000000000AAA", "act": "resume", "token": "x"}


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever is written inside, and whatever breaks."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def browser(user: User) -> Client:
    """Return a browser in which a user is signed in, and which gets an error as an answer."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def program(user: User) -> APIClient:
    """Return a program with a user's token, which gets an error as an answer."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(user, 'tests')}")
    return client


def things(person: Contact, actor: Actor) -> dict[str, int]:
    """Return the numbers of things that are there, by the names of the holes they fit."""
    batch = batches.order(Contact.objects.all(), "unsubscribe", actor=actor)
    job = import_jobs.start(ContentFile(b"Email\nb@example.com\n"), "b.csv", actor=actor)
    return {"contact_id": person.pk, "batch_id": batch.pk, "job_id": job.pk, "pk": person.pk}


def filled(route: str, ids: dict[str, int], **odd: str) -> str:
    """Return an address with its holes filled, with `odd` values where they are given."""
    known = {"user_id": User.objects.first().pk, **ids, **KNOWN}
    return "/" + HOLE.sub(lambda hole: str({**known, **odd}.get(hole[2], 1)), route)


def answered(client, method: str, path: str, said: object, **more: object) -> HttpResponse:
    """Send something, which is undone again; return the answer, which must be no error of ours."""
    with undone():
        answer = client.generic(method, path, **more)
    status = answer.status_code
    assert status < 500, f"{method} {path[:200]} with {str(said)[:100]!a} answers {status}"
    return answer

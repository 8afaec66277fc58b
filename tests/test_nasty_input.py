"""Bad input is refused wherever it comes in: every address, parameter and field is tried with values that break things.

The addresses come from the URL configuration, the parameters and fields of a page from what its view asks the request
for, those of the API from its schema: a new page or endpoint is tried without a line here.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.files.base import ContentFile
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, get_resolver
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from compliance.imports import services as imports
from contacts.accounts import tokens
from contacts.jobs import batches
from contacts.models import Contact, User
from salesconnect.common.filters import ContactFilter
from unsubscribes.reports.reports import PROVIDERS

HUGE = "99999999999999999999"
DATES = ("9999-12-31", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "0000-00-00")
NASTY = (*DATES, "a\0b", "-1", HUGE, "9" * 5_000, "\ufffe\U0010ffff")
PATHS = {
    "int": ("0", "999999", str(2**63), HUGE, "9" * 5_000),
    "slug": ("x", "_" * 300, HUGE),
    "str": ("x", "a%00b", "%ED%A0%80", "%FF", "x" * 3_000),
}
JSON_VALUES = (*NASTY, "\ud800", -1, int(HUGE), 1.5, None, [], {}, [None], [int(HUGE)], {"a": {}})
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


class Recorded(QueryDict):
    """A query that remembers which names it was asked for."""

    asked: set[str]

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.asked.add(name)
        return super().get(name, default)

    def getlist(self, name, default=None):
        self.asked.add(name)
        return super().getlist(name, default)


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever is written inside, and whatever breaks."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def browser(alice) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(alice)
    return client


@pytest.fixture
def program(alice) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(alice, 'tests')}")
    return client


@pytest.fixture
def ids(person, administrator) -> dict[str, int]:
    """Return the numbers of things that are there, by the names of the holes they fit."""
    contact = person(email="anna@example.com")
    batch = batches.order(Contact.objects.all(), "unsubscribe", actor=administrator)
    job = imports.start(ContentFile(b"Email\nb@example.com\n"), "b.csv", actor=administrator)
    return {"contact_id": contact.pk, "batch_id": batch.pk, "job_id": job.pk, "pk": contact.pk}


def filled(route: str, ids: dict[str, int], **odd: str) -> str:
    known = {"user_id": User.objects.first().pk, **ids, **KNOWN}
    return "/" + HOLE.sub(lambda hole: str({**known, **odd}.get(hole[2], 1)), route)


def answered(client, method: str, path: str, said: object, **more: object) -> None:
    with undone():
        status = client.generic(method, path, **more).status_code
    assert status < 500, f"{method} {path[:200]} with {str(said)[:100]!a} answers {status}"


@pytest.mark.parametrize("route", [route for route in ROUTES if "<" in route])
def test_a_nasty_address_is_not_found_or_refused(route, browser, program, ids):
    for kind, name in HOLE.findall(route):
        for value in PATHS.get(kind or "str", PATHS["str"]):
            client = program if route.startswith(API) else browser
            for method in ("GET", "POST", "DELETE", "PATCH"):
                answered(client, method, filled(route, ids, **{name: value}), value)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("route", PAGES)
def test_nasty_parameters_of_a_page(route, method, browser, ids, monkeypatch):
    path = filled(route, ids)
    for name in sorted(_asked(browser, method, path, monkeypatch)):
        for value in NASTY:
            said = QueryDict(mutable=True)
            said[name] = value
            if method == "GET":
                answered(browser, "GET", f"{path}?{said.urlencode()}", said)
            else:
                form = {"data": said.urlencode(), "content_type": "application/x-www-form-urlencoded"}
                answered(browser, "POST", path, said, **form)


def _asked(client: Client, method: str, path: str, monkeypatch) -> set[str]:
    """Return the names that a view asks its request for."""
    asked: set[str] = set()
    kind = type("Asked", (Recorded,), {"asked": asked})
    with monkeypatch.context() as patch, undone():
        if method == "GET":
            patch.setattr(WSGIRequest, "GET", property(lambda request: kind(request.META["QUERY_STRING"])))
        else:
            patch.setattr(WSGIRequest, "POST", property(lambda _request: kind("")))
        client.generic(method, path)
    return asked - {"csrfmiddlewaretoken"}


SCHEMA = SchemaGenerator().get_schema(request=None, public=True)
OPERATIONS = [
    (method, path)
    for path, methods in sorted(SCHEMA["paths"].items())
    for method in methods
    if method in {"get", "post", "put", "patch", "delete"}
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nasty_parameters_and_fields_of_the_api(method, path, program, ids):
    operation = SCHEMA["paths"][path][method]
    address = re.sub(r"\{\w+\}", lambda _hole: str(ids["pk"]), path)
    for parameter in operation.get("parameters", ()):
        for value in NASTY:
            said = QueryDict(mutable=True)
            said[parameter["name"]] = value
            if parameter["in"] == "query":
                answered(program, method.upper(), f"{address}?{said.urlencode()}", said)
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        for fields in _bodies(body["schema"]):
            if kind == "application/json":
                answered(program, method.upper(), address, fields, data=json.dumps(fields), content_type=kind)
            else:
                with undone():
                    said = {name: value for name, value in fields.items() if isinstance(value, str)}
                    status = program.generic(method.upper(), address, *_multipart(said)).status_code
                assert status < 500, f"{method} {path} with {fields!a:.100} answers {status}"


def _bodies(schema: dict, depth: int = 0) -> Iterator[object]:
    """Yield bodies in which one field, at any depth, has a nasty value."""
    if "$ref" in schema:
        schema = SCHEMA["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if depth > 3:
        return
    for name, field in schema.get("properties", {}).items():
        inner = [part for part in (*field.get("allOf", ()), *field.get("oneOf", ()), field) if part]
        yield from ({name: value} for value in JSON_VALUES)
        for part in inner:
            yield from ({name: nested} for nested in _bodies(part, depth + 1))


def _multipart(fields: dict[str, str]) -> tuple[bytes, str]:
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    )
    return (parts + "--x--\r\n").encode(errors="surrogatepass"), "multipart/form-data; boundary=x"


@pytest.mark.parametrize("name", sorted(ContactFilter.base_filters))
def test_a_nasty_filter(name, browser, program, db):
    for value in NASTY:
        said = QueryDict(mutable=True)
        said[name] = value
        form = {"filter": said.urlencode(), "source_type": "manual_upload"}
        bulk = {"selection": {"filter": {name: value}}, "authorization_type": None, "dry_run": True}
        orders = [
            (browser, "/people/bulk/source/preview/", form, None),
            (program, "/api/v1/bulk/authorization/", bulk, "json"),
        ]
        answered(browser, "GET", f"/people/count/?{said.urlencode()}", said)
        for client, path, body, kind in orders:
            with undone():
                answer = client.post(path, body, kind) if kind else client.post(path, body)
            assert answer.status_code < 500, f"{path} with {said} answers {answer.status_code}"


REPORTS = (
    "[]",
    "{}",
    "null",
    "1",
    '""',
    "[[]]",
    "[null]",
    '[{"event": []}]',
    "[" * 100_000,
    '{"a":' * 100_000,
    "",
    "\0",
)
SIGNED = {
    "mailgun": "MAILGUN_WEBHOOK_SIGNING_KEY",
    "resend": "RESEND_SIGNING_SECRET",
    "mandrill": "MANDRILL_WEBHOOK_KEY",
}


@pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning")
@pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailInsecureWebhookWarning")
@pytest.mark.parametrize("secret", ["a:b", ""])
@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_a_report_that_cannot_be_read(provider, secret, settings, db):
    settings.ANYMAIL = {SIGNED.get(provider, "X"): "whsec_YQ==", "WEBHOOK_SECRET": secret}
    browser = Client(raise_request_exception=False, headers={"Authorization": "Basic YTpi"})
    for body in REPORTS:
        for kind in (
            "application/json",
            "application/x-www-form-urlencoded",
            "text/plain",
            "multipart/form-data; boundary=x",
        ):
            answer = browser.post(f"/webhooks/{provider}/", body, content_type=kind)
            assert answer.status_code < 500, f"{body[:20]} as {kind} answers {answer.status_code}"


@pytest.mark.parametrize("cookie", ["session", "csrf", "django_language", "messages"])
def test_nul_in_a_cookie(cookie, db):
    client = Client(raise_request_exception=False, headers={"Cookie": f'{cookie}="aaaaaaaa\\000bbbb"'})
    assert client.get("/people/").status_code < 500

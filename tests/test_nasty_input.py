"""Bad input is refused wherever it comes in: every address, parameter and field is tried with values that break things.

The addresses come from the URL configuration, the parameters and fields of a page from what its view asks the request
for: a new page is tried without a line here. The API has its own (test_nasty_api.py).
"""

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import QueryDict
from django.test import Client
from rest_framework.test import APIClient

from salesconnect.common.filters import ContactFilter
from tests import nasty
from tests.nasty import API, HOLE, NASTY, PAGES, PATHS, ROUTES, answered, filled, undone
from unsubscribes.reports.reports import MAIL_PROVIDERS


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


@pytest.fixture
def browser(alice) -> Client:
    return nasty.browser(alice)


@pytest.fixture
def program(alice) -> APIClient:
    return nasty.program(alice)


@pytest.fixture
def ids(person, administrator) -> dict[str, int]:
    return nasty.things(person(email="anna@example.com"), administrator)


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
@pytest.mark.parametrize("provider", sorted(MAIL_PROVIDERS))
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

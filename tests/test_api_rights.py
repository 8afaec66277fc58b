"""Who may do what through the API: every endpoint, every role. An endpoint without a row fails."""

from collections.abc import Iterator

import pytest
from django.core.files.base import ContentFile
from django.urls import URLPattern
from django.utils import timezone
from rest_framework.test import APIClient

from compliance.imports import import_jobs
from contacts.accounts import tokens
from contacts.jobs import batches
from contacts.models import Contact, ContactEvent
from exports.files import csv_export
from exports.models import RetentionRule
from exports.requests import register
from salesconnect.api import urls
from salesconnect.api.protocol.docs import Nowhere
from unsubscribes.mail import mailing as mails
from unsubscribes.mail.compose import Draft
from unsubscribes.models import SyncError

READ = (401, 200, 200, 200)
"""What anonymous, auditor, member and administrator are answered: everybody who is known may."""
WRITE = (401, 403, 400, 400)
"""Auditors are refused before the body, which is wrong, is looked at; the others are told that it is."""
ENDPOINTS = {
    "GET schema/": READ,
    "GET contacts/": READ,
    "POST contacts/": WRITE,
    "GET contacts/count/": READ,
    "GET contacts/<int:pk>/": READ,
    "PUT contacts/<int:pk>/": WRITE,
    "PATCH contacts/<int:pk>/": WRITE,
    "DELETE contacts/<int:pk>/": (401, 403, 204, 404),  # the administrator comes after the member
    "GET contacts/<int:pk>/history/": READ,
    "GET contacts/<int:pk>/compliance/": READ,
    "PUT contacts/<int:pk>/compliance/": WRITE,
    "PATCH contacts/<int:pk>/compliance/": WRITE,
    "GET contacts/<int:pk>/verdict/": READ,
    "POST contacts/<int:pk>/not-the-same/": WRITE,
    "GET contacts/<int:pk>/restriction/": READ,
    "POST contacts/<int:pk>/restriction/": WRITE,
    "GET contacts/<int:pk>/balancing-notes/": READ,
    "POST contacts/<int:pk>/balancing-notes/": WRITE,
    "DELETE contacts/<int:pk>/restriction/": WRITE,
    "GET contacts/<int:pk>/export/": READ,
    "POST contacts/<int:pk>/export/": (401, 400, 400, 400),
    "POST contacts/<int:pk>/evidence-pack/": (401, 400, 400, 400),
    "POST contacts/<int:pk>/evidence/<int:record>/file/": (401, 404, 404, 404),
    "POST contacts/<int:pk>/erase/": WRITE,
    "GET contacts/<int:pk>/evidence-pack/": READ,
    "GET contacts/<int:pk>/unsubscribes/": READ,
    "POST contacts/<int:pk>/unsubscribes/": WRITE,
    "POST contacts/<int:pk>/re-consent/": (401, 403, 403, 409),  # no token at all
    "GET contacts/<int:pk>/evidence/<int:record>/file/": (401, 404, 404, 404),
    "GET contacts/<int:pk>/mails/": READ,
    "POST contacts/<int:pk>/mails/": WRITE,
    "DELETE contacts/<int:pk>/mail-failures/": (401, 403, 204, 204),
    "POST contacts/<int:pk>/merge/": WRITE,
    "POST contacts/<int:pk>/merge/undo/": WRITE,
    "POST bulk/authorization/": WRITE,
    "POST bulk/source/": WRITE,
    "POST bulk/owner/": WRITE,
    "POST bulk/unsubscribe/": WRITE,
    "POST bulk/delete/": WRITE,
    "POST bulk/informed/": WRITE,
    "POST bulk/reviewed/": WRITE,
    "POST bulk/mails/": WRITE,
    "GET batches/": READ,
    "GET batches/<int:pk>/": READ,
    "GET batches/<int:pk>/refused/": READ,
    "POST batches/<int:pk>/undo/": WRITE,
    "POST batches/<int:pk>/cancel/": WRITE,
    "GET imports/": READ,
    "POST imports/": (401, 403, 415, 415),
    "GET imports/<int:pk>/": READ,
    "GET imports/<int:pk>/rejected/": READ,
    "GET exports/": READ,
    "POST exports/": (401, 400, 400, 400),
    "GET exports/<int:pk>/": READ,
    "GET exports/<int:pk>/file/": READ,
    "GET requests/": READ,
    "POST requests/": WRITE,
    "GET requests/<int:pk>/": READ,
    "POST requests/<int:pk>/extend/": WRITE,
    "POST requests/<int:pk>/pause/": WRITE,
    "POST requests/<int:pk>/resume/": WRITE,
    "POST requests/<int:pk>/identity/": WRITE,
    "POST requests/<int:pk>/assign/": WRITE,
    "POST requests/<int:pk>/finish/": WRITE,
    "POST requests/<int:pk>/carry-out/": WRITE,
    "GET retention/rules/": READ,
    "POST retention/rules/": (401, 403, 403, 400),
    "GET retention/rules/<int:pk>/": READ,
    "PUT retention/rules/<int:pk>/": (401, 403, 403, 400),
    "PATCH retention/rules/<int:pk>/": (401, 403, 403, 400),
    "DELETE retention/rules/<int:pk>/": (401, 403, 403, 204),
    "POST retention/run/": (401, 403, 403, 400),
    "GET mails/": READ,
    "GET mails/<int:pk>/": READ,
    "GET contacts/<int:pk>/salesforce/": READ,
    "GET sync/status/": READ,
    "GET sync/runs/": READ,
    "GET sync/errors/": READ,
    "POST sync/errors/<int:pk>/retry/": (401, 403, 403, 400),
    "POST sync/run/": (401, 403, 403, 400),
    "GET overview/": READ,
    "GET events/": READ,
    "GET events/<int:pk>/proof/": READ,
    "GET unsubscribes/": READ,
    "GET suppressions/": (401, 400, 400, 400),
}


def endpoints() -> Iterator[str]:
    """Yield method and address of all that the API's addresses lead to."""
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        if pattern.callback.cls is Nowhere:
            continue
        address = str(pattern.pattern)
        actions = getattr(pattern.callback, "actions", None) or {"get": "get"}
        yield from (f"{method.upper()} {address}" for method in actions if method != "head")


@pytest.fixture
def numbers(person, member) -> dict[str, int]:
    """Return the number of something of each kind."""
    anna = person(email="anna@example.com")
    everybody = Contact.objects.all()
    file = ContentFile(b"Email\r\nlars@example.com\r\n")
    return {
        "contacts": anna.pk,
        "batches": batches.order(everybody, "unsubscribe", actor=member).pk,
        "imports": import_jobs.start(file, "people.csv", actor=member).pk,
        "sync": SyncError.objects.create(sf_id="003000000000001AAA", sobject="Contact", direction="push", code="X").pk,
        "events": ContactEvent.objects.earliest("id").id,
        "exports": csv_export.order_export(everybody, actor=member, reason="").pk,
        "requests": register.take_in("access", anna.pk, timezone.localdate(), actor=member).pk,
        "retention": RetentionRule.objects.create(name="Old", age_months=36).pk,
        "mails": mails.write_to_one(anna.pk, Draft("Hello", "News"), actor=member).pk,
    }


@pytest.fixture
def callers(alice, bob, charlie) -> list[APIClient]:
    """Return clients of nobody, an auditor, a member and an administrator."""
    clients = [APIClient()]
    for user in (charlie, bob, alice):
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(user, 'tests')}")
        clients.append(client)
    return clients


def test_every_endpoint_has_a_row_and_every_row_an_endpoint():
    assert sorted(endpoints()) == sorted(ENDPOINTS)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_each_role_is_answered_as_the_table_says(numbers, callers, endpoint):
    method, _, path = endpoint.partition(" ")
    number = str(numbers.get(path.partition("/")[0]))
    address = "/api/v1/" + path.replace("<int:pk>", number).replace("<int:record>", "1")
    wrong = ('{"garbage": true}', "application/json") if method in {"POST", "PUT", "PATCH"} else ()
    answers = tuple(caller.generic(method, address, *wrong).status_code for caller in callers)
    assert answers == ENDPOINTS[endpoint]


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("path", ["nowhere/", "contacts/anna/", "contacts/-1/", "contacts/%0A/", "contacts", ""])
def test_what_is_not_there_is_401_without_a_token_and_404_with_one(db, api, method, path):
    assert getattr(APIClient(), method)(f"/api/v1/{path}").status_code == 401
    status = 302 if (method, path) == ("get", "contacts") else 404
    assert getattr(api, method)(f"/api/v1/{path}").status_code == status


NO_TOKENS = ["Token", "Token ", "Token x", "Token \u00e5", "Bearer x", "Token " + "x" * 5_000, ""]


@pytest.mark.parametrize("header", NO_TOKENS)
def test_a_header_that_holds_no_token_opens_nothing(db, header):
    answer = APIClient().get("/api/v1/contacts/", headers={"Authorization": header.encode().decode("latin-1")})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")


def test_a_session_reads_and_writes_only_with_its_csrf_token(bob):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(bob)
    assert client.get("/api/v1/contacts/").status_code == 200
    assert client.post("/api/v1/contacts/", {"last_name": "Berg"}, "json").status_code == 403
    client.get("/settings/profile/")
    token = client.cookies["csrf"].value
    answer = client.post("/api/v1/contacts/", {"last_name": "Berg"}, "json", headers={"X-CSRFToken": token})
    assert answer.status_code == 201


def test_a_closed_account_opens_nothing(api, bob):
    bob.is_active = False
    bob.save()
    assert api.get("/api/v1/contacts/").status_code == 401

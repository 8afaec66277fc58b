"""What a browser can be made to GET by any page on the web leaves nothing in the history in the user's name."""

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact, ContactEvent
from exports.requests import register
from tests.evidence import PDF, evidence
from tests.test_api_rights import ENDPOINTS, numbers
from tests.test_page_rights import NOBODY, PAGES, address
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.models import ConsentEvidence

__all__ = ["address", "numbers"]

ELSEWHERE = {"Sec-Fetch-Site": "cross-site"}


def browser_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def record(person, member, administrator) -> ConsentEvidence:
    """Return the document of somebody who has consented anew."""
    lars = person(first_name="Lars", last_name="Lind", email="lars@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=lars.pk), actor=member, source="manual")
    reconsent(lars.pk, evidence(document=ContentFile(PDF, "form.pdf")), actor=administrator)
    return ConsentEvidence.objects.get()


@pytest.mark.parametrize("name", [name for name, (get, _post) in PAGES.items() if get != NOBODY])
def test_no_page_records_anything_when_another_site_opens_it(address, alice, name):
    client, before = browser_of(alice), ContactEvent.objects.count()
    client.get(address(name), headers=ELSEWHERE)
    assert ContactEvent.objects.count() == before


@pytest.mark.parametrize("endpoint", [endpoint for endpoint in ENDPOINTS if endpoint.startswith("GET ")])
def test_no_endpoint_records_anything_for_a_session_that_another_site_uses(numbers, record, alice, endpoint):
    client = APIClient()
    client.force_login(alice)
    path = endpoint.removeprefix("GET ")
    number = record.contact_id if "<int:record>" in path else numbers.get(path.partition("/")[0])
    url = "/api/v1/" + path.replace("<int:pk>", str(number)).replace("<int:record>", str(record.pk))
    before = ContactEvent.objects.count()
    for method in (client.get, client.head):
        method(url, headers=ELSEWHERE)
    assert ContactEvent.objects.count() == before


@pytest.mark.parametrize("path", ["export/", "evidence-pack/", "evidence/{record}/file/"])
def test_a_download_on_record_is_posted_by_a_session_and_got_with_a_token(record, alice, bob, api, path):
    url = f"/api/v1/contacts/{record.contact_id}/{path.format(record=record.pk)}"
    session = APIClient(enforce_csrf_checks=True)
    session.force_login(alice)
    refused = session.get(url)
    assert (refused.status_code, "session has to POST" in refused.json()["detail"]) == (405, True)
    assert "POST" in refused["Allow"]
    assert session.post(url).status_code == 403
    session.get("/settings/profile/")
    posted = session.post(url, headers={"X-CSRFToken": session.cookies["csrf"].value})
    assert (posted.status_code, bool(b"".join(posted.streaming_content))) == (200, True)
    assert history.of_contact(record.contact_id).first().action == "exported"
    assert history.of_contact(record.contact_id).first().actor_name == "alice"
    assert api.get(url).status_code == 200
    assert history.of_contact(record.contact_id).first().actor_name == "bob"


def test_the_reason_of_a_posted_download_stands_in_the_history(record, alice):
    session = APIClient()
    session.force_login(alice)
    url = f"/api/v1/contacts/{record.contact_id}/export/"
    for sent, format_ in (({"reason": "Audit"}, "json"), ({"reason": "Audit"}, "multipart")):
        assert session.post(url, sent, format=format_).status_code == 200
        assert history.of_contact(record.contact_id).first().changes == {"reason": [None, "Audit"]}
    assert session.post(f"{url}?reason=Court").status_code == 200
    assert history.of_contact(record.contact_id).first().changes == {"reason": [None, "Court"]}
    assert session.post(url, {"reason": "x" * 501}, format="json").status_code == 400
    assert session.post(url, {"why": "x"}, format="json").status_code == 400


def test_a_request_that_another_site_leads_to_opens_after_a_click(person, signed_in, member):
    row = register.take_in("access", person().pk, timezone.localdate(), actor=member)
    page = f"/requests/{row.pk}/"
    for site in ("cross-site", "same-site"):
        answer = signed_in.get(page, headers={"Sec-Fetch-Site": site})
        assert (answer.status_code, f'href="{page}"' in answer.text, "Identity" in answer.text) == (200, True, False)
    assert history.of_contact(row.contact_id).first().action == "requested"
    for site in ("same-origin", "none"):
        assert "Identity" in signed_in.get(page, headers={"Sec-Fetch-Site": site}).text
    assert history.of_contact(row.contact_id).first().action == "viewed"
    assert signed_in.get("/requests/999/", headers=ELSEWHERE).status_code == 404

import datetime as dt
import json
import re

import pytest
from django.test import Client

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.models import ComplianceCard
from contacts.jobs import batches
from contacts.models import Batch, Contact

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")
KINDS = ["authorization", "source", "unsubscribe", "export", "delete"]
HTMX = {"HX-Request": "true", "HX-Target": "dialog-root"}


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def three(person):
    return [
        person(last_name="Berg", email="a@example.com", authorization=CONSENT),
        person(last_name="Dahl", email="b@example.com", authorization=Authorization(AuthorizationType.CONTRACT)),
        person(last_name="Lind", email="c@example.com"),
    ]


def ids(people) -> str:
    return ",".join(str(person.pk) for person in people)


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("authorization", "Set authorization for 3 people"),
        ("source", "Set source for 3 people"),
        ("unsubscribe", "Unsubscribe 3 people"),
        ("export", "Export 3 people"),
        ("delete", "Delete 3 people"),
    ],
)
def test_the_modal_says_the_act_and_the_number_and_applies_by_that_name(signed_in, three, kind, title):
    response = signed_in.post(f"/people/bulk/{kind}/", {"ids": ids(three)}, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 200
    assert f'tabindex="-1">{title}</h2>' in html
    assert re.search(r'id="bulk-apply" aria-label="Apply: ', html)
    assert "<html" not in html
    assert Batch.objects.count() == 0


def test_without_script_the_modal_is_a_page_of_its_own(signed_in, three):
    response = signed_in.post("/people/bulk/authorization/", {"ids": [three[0].pk, three[2].pk]})
    assert '<h1 class="page-title">Set authorization for 2 people</h1>' in response.content.decode()
    answer = signed_in.post(
        "/people/bulk/authorization/", {"ids": ids(three[:1]), "approved": "1", "authorization_type": "contract"}
    )
    batch = Batch.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/tasks/{batch.pk}/")
    assert (batch.kind, batch.changed, batch.actor_name, batch.door) == ("authorization", 1, "bob", "page")


def test_the_effect_is_counted_while_the_fields_change(signed_in, three):
    values = {"ids": f"{ids(three)},9999999", "authorization_type": "contract"}
    html = signed_in.post("/people/bulk/authorization/preview/", values, headers=HTMX).content.decode()
    assert text(html) == "2 change · 1 unchanged · 1 refused 1 person loses a recorded consent date Set for 2"
    assert 'id="bulk-apply" aria-label="Apply: Set for 2" hx-swap-oob="true"' in html
    half = {"ids": ids(three), "authorization_type": "consent"}
    html = signed_in.post("/people/bulk/authorization/preview/", half, headers=HTMX).content.decode()
    assert text(html) == "Give date and purpose to see what would change. Set for 3"
    assert set(ComplianceCard.objects.values_list("authorization_type", flat=True)) == {1, 3, None}


def test_all_who_match_a_filter_are_changed_but_for_the_exceptions(signed_in, three):
    values = {"filter": "", "exclude": str(three[2].pk), "approved": "2", "source_type": "crm_sync"}
    response = signed_in.post("/people/bulk/source/", values, headers=HTMX)
    assert response.status_code == 204
    batch = Batch.objects.get()
    assert batch.selection == {"filter": {}, "excluded": 1}
    assert list(ComplianceCard.objects.order_by("pk").values_list("source_type", flat=True)) == [1, 1, None]
    told = json.loads(response.headers["HX-Trigger"])
    assert told == {
        "dialog-close": {},
        "toast": {
            "message": "Source set for 2 people.",
            "level": "success",
            "undo_url": f"/tasks/{batch.pk}/undo/",
            "link_url": f"/tasks/{batch.pk}/",
            "link_text": "Show details",
        },
        "people-changed": {},
    }


def test_a_consent_without_date_and_purpose_is_refused_beside_its_fields(signed_in, three):
    values = {"ids": ids(three), "approved": "3", "authorization_type": "consent"}
    response = signed_in.post("/people/bulk/authorization/", values, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 422
    assert re.findall(r'<(?:input|select)[^>]* name="(\w+)"[^>]*aria-invalid="true"', html) == [
        "consent_date",
        "consent_purpose",
    ]
    assert re.findall(r'name="(\w+)"[^>]*autofocus', html) == ["consent_date"]
    assert Batch.objects.count() == 0


def test_when_the_number_has_moved_nothing_is_done_and_the_modal_asks_again(signed_in, three):
    values = {"filter": "", "approved": "2", "source_type": "crm_sync"}
    response = signed_in.post("/people/bulk/source/", values, headers=HTMX)
    html = response.content.decode()
    assert response.status_code == 409
    assert "<strong>2 → 3</strong>" in html
    assert 'name="approved" value="3"' in html
    assert '<option value="crm_sync" selected>' in html
    assert Batch.objects.count() == 0
    assert signed_in.post("/people/bulk/source/", {**values, "approved": "3"}, headers=HTMX).status_code == 204


def test_unsubscribing_counts_who_is_so_already(signed_in, three):
    values = {"ids": ids(three[:1]), "approved": "1", "reason": "by phone"}
    assert signed_in.post("/people/bulk/unsubscribe/", values, headers=HTMX).status_code == 204
    html = signed_in.post("/people/bulk/unsubscribe/", {"ids": ids(three)}, headers=HTMX).content.decode()
    assert "<strong>2</strong> change · <strong>1</strong> unchanged" in html
    assert Batch.objects.get().params == {"reason": "by phone"}


def test_an_export_is_ready_for_download_and_says_why(signed_in, three):
    values = {"ids": ids(three), "approved": "3", "reason": "Fair"}
    response = signed_in.post("/people/bulk/export/", values, headers=HTMX)
    batch = Batch.objects.get()
    toast = json.loads(response.headers["HX-Trigger"])["toast"]
    assert (toast["message"], toast["link_url"]) == ("The file with 3 people is ready.", f"/tasks/{batch.pk}/file/")
    assert batch.params == {"reason": "Fair"}
    file = signed_in.get(toast["link_url"])
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(file.streaming_content).decode("utf-8-sig").count("\r\n") == 4


def test_deletion_tells_what_goes_and_what_stays(signed_in, three):
    html = text(signed_in.post("/people/bulk/delete/", {"ids": ids(three)}, headers=HTMX).content.decode())
    assert "3 people: names, addresses and all other details" in html
    assert "Deletion cannot be undone." in html
    assert signed_in.post("/people/bulk/delete/", {"ids": ids(three), "approved": "3"}, headers=HTMX).status_code == 204
    assert Contact.objects.count() == 0


def test_many_are_deleted_only_when_their_number_is_typed(signed_in, three, monkeypatch):
    for module in ("salesconnect.pages.bulk.forms", "salesconnect.pages.bulk.bulk"):
        monkeypatch.setattr(f"{module}.CONFIRM_ABOVE", 2)
    values = {"ids": ids(three), "approved": "3"}
    refused = signed_in.post("/people/bulk/delete/", values, headers=HTMX)
    assert (refused.status_code, Contact.objects.count()) == (422, 3)
    assert "Type 3 to delete them." in refused.content.decode()
    response = signed_in.post("/people/bulk/delete/", {**values, "confirmation": " 3 "}, headers=HTMX)
    assert (response.status_code, Contact.objects.count()) == (204, 0)
    assert "selection-clear" in json.loads(response.headers["HX-Trigger"])


def test_more_than_the_limit_waits_for_the_worker_and_the_page_is_told(signed_in, three, monkeypatch):
    monkeypatch.setattr(batches, "INLINE_LIMIT", 2)
    values = {"ids": ids(three), "approved": "3", "source_type": "crm_sync"}
    told = json.loads(signed_in.post("/people/bulk/source/", values, headers=HTMX).headers["HX-Trigger"])
    assert told["toast"]["message"] == "3 people: working on it. You can go on meanwhile."
    assert "tasks-changed" in told
    assert Batch.objects.get().state == "queued"


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_selected_is_said_plainly(signed_in, kind):
    response = signed_in.post(f"/people/bulk/{kind}/", {"ids": ""})
    assert response.status_code == 400
    assert "Select at least one person first." in response.content.decode()


@pytest.mark.parametrize(("kind", "status"), [(kind, 200 if kind == "export" else 403) for kind in KINDS])
def test_an_auditor_may_export_and_nothing_else(three, charlie, kind, status):
    client = Client()
    client.force_login(charlie)
    assert client.post(f"/people/bulk/{kind}/", {"ids": ids(three)}).status_code == status
    assert client.post(f"/people/bulk/{kind}/preview/", {"ids": ids(three)}).status_code == status


def test_an_unknown_act_does_not_exist(signed_in, three):
    assert signed_in.post("/people/bulk/nonsense/", {"ids": ids(three)}).status_code == 404
    assert signed_in.get("/people/bulk/source/").status_code == 405


OTHER_CONSENT = {"authorization_type": "consent", "consent_date": "2026-02-01", "consent_purpose": "Another"}


def test_consents_are_replaced_only_after_a_tick(signed_in, three):
    order = {"ids": ids(three), "approved": "3", **OTHER_CONSENT}
    words = "1 person has a consent whose date and purpose are replaced"
    shown = signed_in.post("/people/bulk/authorization/preview/", {"ids": ids(three), **OTHER_CONSENT})
    assert words in text(shown.content.decode())
    asked = signed_in.post("/people/bulk/authorization/", order, headers=HTMX)
    assert (asked.status_code, Batch.objects.count()) == (422, 0)
    assert words in text(asked.content.decode())
    assert (
        signed_in.post("/people/bulk/authorization/", order | {"replace_consents": "on"}, headers=HTMX).status_code
        == 204
    )
    assert ComplianceCard.objects.filter(consent_purpose="Another").count() == 3


def test_the_same_consent_again_replaces_none(signed_in, three):
    same = {"authorization_type": "consent", "consent_date": "2026-03-01", "consent_purpose": "Newsletter"}
    answer = signed_in.post("/people/bulk/authorization/", {"ids": ids(three), "approved": "3", **same}, headers=HTMX)
    assert answer.status_code == 204

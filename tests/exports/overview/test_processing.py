import json

import pytest
from django.utils import translation

from compliance.rules import Authorization, AuthorizationType, Source, SourceType
from exports.overview import processing
from exports.overview.models import ProcessingTexts
from salesconnect.lib.actor import Forbidden
from unsubscribes import team
from unsubscribes.models import SyncConnection


def facts(actor) -> dict[str, str]:
    return {section.letter: " | ".join(section.facts) for section in processing.record(actor=actor)}


def test_the_record_is_filled_in_from_settings_and_figures(person, administrator, auditor, settings):
    contract = Authorization(AuthorizationType.CONTRACT)
    person(email="a@example.com", authorization=contract, source=Source(SourceType.IMPORT))
    team.change({"company_name": "Exempel AB", "contact_address": "hello@exempel.example"}, actor=administrator)
    SyncConnection.objects.create(
        pk=1, state="active", login_url="https://exempel.my.salesforce.com", client_id="x", secret="x"
    )
    settings.EMAIL_URL = "smtp+tls://user:password@mail.exempel.example:587"
    found = facts(auditor)
    assert found["a"].startswith("Exempel AB | Contact: hello@exempel.example | System: ")
    assert "Performance of a Contract (art. 6(1)(b)): 1 person" in found["b"]
    assert "Sources: Import 1" in found["c"]
    assert "Salesforce (exempel.my.salesforce.com): who unsubscribed" in found["d"]
    assert "Mail server: mail.exempel.example" in found["d"]
    assert "password" not in found["d"]
    assert "Files of bulk exports: 7 days" in found["f"]


def test_every_version_of_the_texts_is_kept(administrator, member):
    assert processing.change({"transfers": "None."}, actor=administrator).changed == 1
    assert processing.change({"transfers": " None. "}, actor=administrator).changed == 0
    assert processing.change({"address": "Storgatan 1\nStockholm"}, actor=administrator).changed == 1
    assert list(ProcessingTexts.objects.values_list("transfers", "address", "actor_name")) == [
        ("None.", "Storgatan 1\nStockholm", "alice"),
        ("None.", "", "alice"),
    ]
    with pytest.raises(Forbidden):
        processing.change({"transfers": "Some."}, actor=member)


def test_the_page_says_what_is_missing_and_what_the_team_says(client, alice, signed_in, person):
    person(email="a@example.com")
    client.force_login(alice)
    assert "Nobody has said anything about this yet." in client.get("/compliance/record/").content.decode()
    form = dict.fromkeys(processing.TEXTS, "") | {"transfers": "None, all data stays in the EU."}
    assert client.post("/settings/record/", form).status_code == 302
    page = signed_in.get("/compliance/record/").content.decode()
    assert "None, all data stays in the EU." in page
    assert "Nobody has said anything about this yet." not in page
    assert "those of alice" in page
    assert client.post("/settings/record/", form | {"address": "x" * 2_001}).status_code == 422


def test_the_files_say_the_same(signed_in, administrator):
    processing.change({"transfers": "=None"}, actor=administrator)
    body = json.loads(signed_in.get("/compliance/record/json/").content)
    assert [section["article"] for section in body["sections"]] == [f"30(1)({letter})" for letter in "abcdefg"]
    assert body["sections"][4]["own"] == ["=None"]
    lines = signed_in.get("/compliance/record/csv/").content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Article,Section,Said by,Text"
    assert "30(1)(e),Transfers to third countries,team,'=None" in lines
    with translation.override("sv"):
        words = {section.title for section in processing.record(actor=administrator)}
    assert "Mottagare" in words

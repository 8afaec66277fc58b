import json

import pytest
from allauth.mfa.models import Authenticator
from django.utils import translation

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from exports.overview import processing
from exports.overview.models import ProcessingTexts
from exports.retention import retention_rules
from salesconnect.lib.actor import Forbidden
from unsubscribes.mail import team
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
    transfers = "Missing: Whether data go to third countries"
    first = client.get("/compliance/record/").text
    assert (transfers in first, "8 things that the article demands are missing" in first) == (True, True)
    form = dict.fromkeys(processing.TEXTS, "") | {"transfers": "None, all data stays in the EU."}
    assert client.post("/settings/record/", form).status_code == 302
    page = signed_in.get("/compliance/record/").content.decode()
    assert "None, all data stays in the EU." in page
    assert (transfers in page, "7 things that the article demands are missing" in page) == (False, True)
    assert "those of alice" in page
    assert client.post("/settings/record/", form | {"address": "x" * 2_001}).status_code == 422


def test_the_files_say_the_same(signed_in, administrator):
    processing.change({"transfers": "=None"}, actor=administrator)
    body = json.loads(signed_in.get("/compliance/record/json/").content)
    assert [section["article"] for section in body["sections"]] == [f"30(1)({letter})" for letter in "abcdefg"]
    assert body["sections"][4]["own"] == ["=None"]
    assert (body["sections"][4]["missing"], body["missing"]) == ([], 7)
    lines = signed_in.get("/compliance/record/csv/").content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Article,Section,Said by,Text"
    assert "30(1)(e),Transfers to third countries,team,'=None" in lines
    with translation.override("sv"):
        words = {section.title for section in processing.record(actor=administrator)}
    assert "Mottagare" in words


def letter(actor, wanted: str):
    return next(section for section in processing.record(actor=actor) if section.letter == wanted)


def test_two_step_sign_in_is_counted_and_not_claimed(auditor, alice, bob):
    assert "Two-step sign-in: 0 of 3 users" in letter(auditor, "g").facts
    Authenticator.objects.create(user=bob, type="totp", data={"secret": "x"})
    Authenticator.objects.create(user=bob, type="recovery_codes", data={"seed": "x", "used_mask": 0})
    assert "Two-step sign-in: 1 of 3 users" in letter(auditor, "g").facts
    bob.is_active = False
    bob.save()
    assert "Two-step sign-in: 0 of 2 users" in letter(auditor, "g").facts


def test_a_rule_of_retention_comes_with_its_periods_and_none_is_a_gap(auditor, administrator):
    assert letter(auditor, "f").missing == ["For how long people are kept: no rule erases anybody"]
    values = {"name": "Old", "age_months": 36, "inactive_months": 24, "step": "list", "warn_days": 10}
    rule = retention_rules.save(values, actor=administrator)
    assert "Old: 36 months since created, inactive for 24 months; List them" in letter(auditor, "f").facts
    assert letter(auditor, "f").missing != []
    retention_rules.save({"step": "erase", "inactive_months": None}, actor=administrator, rule_id=rule.pk)
    assert "Old: 36 months since created; List, warn and erase after 10 days" in letter(auditor, "f").facts
    assert letter(auditor, "f").missing == []
    retention_rules.save({"active": False}, actor=administrator, rule_id=rule.pk)
    assert letter(auditor, "f").missing != []
    processing.change({"limits": "Three years after the last order"}, actor=administrator)
    assert letter(auditor, "f").missing == []


def test_what_nobody_has_said_of_the_controller_is_named_and_no_name_is_made_up(auditor, administrator):
    assert [fact for fact in letter(auditor, "a").facts if not fact.startswith("System:")] == []
    assert letter(auditor, "a").missing == [
        "Name of the controller (settings, mail)",
        "Address of the controller",
        "Address for questions (settings, mail)",
        "Joint controller, representative and data protection officer, or that there are none",
    ]
    team.change({"company_name": "Exempel AB", "contact_address": "hello@exempel.example"}, actor=administrator)
    words = {"address": "Storgatan 1", "representatives": "None"}
    processing.change(words, actor=administrator)
    assert (letter(auditor, "a").facts[0], letter(auditor, "a").missing) == ("Exempel AB", [])


def test_a_record_in_which_everything_is_said_has_no_gap(auditor, administrator, signed_in):
    team.change({"company_name": "Exempel AB", "contact_address": "hello@exempel.example"}, actor=administrator)
    processing.change(dict.fromkeys(processing.TEXTS, "Said"), actor=administrator)
    assert processing.gaps(processing.record(actor=auditor)) == 0
    assert "Missing" not in signed_in.get("/compliance/record/").text

"""The compliance card and the unsubscribe on the page of one person."""

import datetime as dt

import pytest

from compliance.card import card_changes, editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact
from salesconnect.common import history_words

CONTRACT = Authorization(AuthorizationType.CONTRACT)
CONSENT = {
    "authorization_type": "consent",
    "consent_date": "2026-03-01",
    "consent_purpose": "Newsletter",
    "source_type": "not_recorded",
    "version": "1",
}
HTMX = {"HX-Request": "true", "HX-Target": "person"}


def card(anna: Contact) -> tuple[object, ...]:
    stored = ComplianceCard.objects.get(pk=anna.pk)
    return stored.authorization_type, stored.consent_date, stored.consent_purpose, stored.source_type, stored.version


@pytest.mark.parametrize("role", ["alice", "bob"])
def test_administrators_and_members_set_consent(request, client, person, role):
    client.force_login(request.getfixturevalue(role))
    anna = person()
    answer = client.post(f"/people/{anna.pk}/compliance/", CONSENT, follow=True)
    assert card(anna) == (AuthorizationType.CONSENT, dt.date(2026, 3, 1), "Newsletter", None, 2)
    assert "Authorization is now Consent, given 1 March 2026 for Newsletter" in answer.text
    assert f"Last changed by {role}" in answer.text


def test_an_auditor_is_refused_before_the_form_is_read(client, charlie, person):
    client.force_login(charlie)
    anna = person()
    assert client.post(f"/people/{anna.pk}/compliance/", {"version": "x"}).status_code == 403
    assert client.post("/people/987654321/compliance/", CONSENT).status_code == 403
    assert card(anna) == (None, None, "", None, 1)


def test_a_person_who_is_not_there_is_not_found(signed_in):
    assert signed_in.post("/people/987654321/compliance/", CONSENT).status_code == 404


def test_the_card_opens_with_what_it_holds(signed_in, person):
    anna = person(email="a@example.com", authorization=CONTRACT, source=Source(SourceType.OTHER, "Trade fair"))
    text = signed_in.get(f"/people/{anna.pk}/compliance/").text
    assert '<option value="contract" selected>' in text
    assert 'value="Trade fair"' in text


def test_consent_without_date_and_purpose_is_refused_beside_its_fields(signed_in, person):
    anna = person()
    answer = signed_in.post(f"/people/{anna.pk}/compliance/", CONSENT | {"consent_date": "", "consent_purpose": " "})
    assert answer.status_code == 422
    assert answer.context["opened"].form.errors.keys() == {"consent_date", "consent_purpose"}
    assert card(anna) == (None, None, "", None, 1)


def test_a_rule_that_only_the_service_knows_lands_beside_its_field_too(signed_in, person):
    anna = person()
    answer = signed_in.post(f"/people/{anna.pk}/compliance/", CONSENT | {"consent_date": "9999-12-31"})
    assert (answer.status_code, list(answer.context["opened"].form.errors)) == (422, ["consent_date"])


def test_a_newer_edit_is_shown_beside_the_typed_one_and_wins_until_the_editor_chooses(signed_in, person, administrator):
    anna = person()
    people = Contact.objects.filter(pk=anna.pk)
    card_changes.edit_card(people, CONTRACT, Source(SourceType.IMPORT), actor=administrator, version=1)
    answer = signed_in.post(f"/people/{anna.pk}/compliance/", CONSENT)
    both = answer.context["opened"]
    assert answer.status_code == 412
    assert [(row.label, row.theirs, row.mine) for row in both.versions.rows] == [
        ("Authorization", "Performance of a Contract", "Consent, given 1 March 2026 for Newsletter"),
        ("Source", "Import", "Not recorded"),
    ]
    assert card(anna) == (AuthorizationType.CONTRACT, None, "", SourceType.IMPORT, 3)
    applied = signed_in.post(f"/people/{anna.pk}/compliance/", {**dict(both.versions.resend), "version": both.version})
    assert applied.status_code == 302
    assert card(anna) == (AuthorizationType.CONSENT, dt.date(2026, 3, 1), "Newsletter", None, 5)


def test_the_chosen_version_is_itself_refused_when_somebody_is_faster_again(signed_in, person, administrator):
    anna = person()
    editing.edit(anna.pk, {"title": "CEO"}, actor=administrator)
    assert signed_in.post(f"/people/{anna.pk}/compliance/", CONSENT).context["opened"].version == 2
    editing.edit(anna.pk, {"title": "CTO"}, actor=administrator)
    assert signed_in.post(f"/people/{anna.pk}/compliance/", CONSENT | {"version": "2"}).status_code == 412


def test_both_halves_are_taken_back_by_one_undo(signed_in, person):
    anna = person(email="a@example.com", authorization=CONTRACT)
    since = history.newest_id(anna.pk)
    signed_in.post(f"/people/{anna.pk}/compliance/", CONSENT | {"source_type": "import"})
    signed_in.post(f"/people/{anna.pk}/undo/?since={since}&version=3")
    assert card(anna)[:4] == (AuthorizationType.CONTRACT, None, "", None)
    assert [history_words.describe(event) for event in history.of_contact(anna.pk)][:2] == [
        "bob set Source to Not recorded",
        "bob set Authorization to Performance of a Contract",
    ]


def test_consent_that_was_left_comes_back_with_date_and_purpose(signed_in, person):
    given = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")
    anna = person(email="a@example.com", authorization=given)
    since = history.newest_id(anna.pk)
    contract = {"authorization_type": "contract", "source_type": "not_recorded", "version": "1"}
    answer = signed_in.post(f"/people/{anna.pk}/compliance/", contract, headers=HTMX)
    assert f"since={since}" in answer["HX-Trigger"]
    signed_in.post(f"/people/{anna.pk}/undo/?since={since}&version=2")
    assert card(anna)[:3] == (AuthorizationType.CONSENT, dt.date(2026, 3, 1), "Newsletter")


def test_unsubscribing_asks_first_and_then_takes_effect(signed_in, person):
    anna = person(email="a@example.com")
    assert "Unsubscribe" in signed_in.get(f"/people/{anna.pk}/unsubscribe/").text
    assert not ComplianceCard.objects.get(pk=anna.pk).unsubscribed
    answer = signed_in.post(f"/people/{anna.pk}/unsubscribe/", {"reason": "By phone"}, follow=True)
    assert "a@example.com gets no more mail." in answer.text
    held = suppression.of_address("a@example.com")
    assert (held.source, held.reason) == ("manual", "By phone")
    assert (
        history_words.describe(history.of_contact(anna.pk).first()) == "bob unsubscribed this person (Manual): By phone"
    )


def test_unsubscribing_under_htmx_closes_the_dialog_and_renews_the_page(signed_in, person):
    anna = person(email="a@example.com")
    target = {"HX-Request": "true", "HX-Target": "dialog-root"}
    assert "<html" not in signed_in.get(f"/people/{anna.pk}/unsubscribe/", headers=target).text
    answer = signed_in.post(f"/people/{anna.pk}/unsubscribe/", {"reason": ""}, headers=target)
    assert "dialog-close" in answer["HX-Trigger"]
    assert answer["HX-Retarget"] == "#person"


def test_a_reason_that_is_too_long_is_refused(signed_in, person):
    anna = person()
    assert signed_in.post(f"/people/{anna.pk}/unsubscribe/", {"reason": "x" * 501}).status_code == 422


def test_unsubscribing_twice_says_so_and_records_once(signed_in, person, member):
    anna = person(email="a@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    answer = signed_in.post(f"/people/{anna.pk}/unsubscribe/", {"reason": ""}, follow=True)
    assert "was unsubscribed already" in answer.text
    assert history.of_contact(anna.pk).filter(action="unsubscribed").count() == 1


def test_an_auditor_may_not_unsubscribe(client, charlie, person):
    client.force_login(charlie)
    assert client.post(f"/people/{person().pk}/unsubscribe/", {"reason": ""}).status_code == 403

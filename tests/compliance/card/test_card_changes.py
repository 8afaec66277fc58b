import datetime as dt
from dataclasses import asdict

import pytest
from django.db import IntegrityError, connection

from compliance.acts.authorization import authorization_params
from compliance.card import card_changes, counting
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from compliance.suppression import suppression
from contacts.events import history
from contacts.jobs import batches, bulk_undo
from contacts.models import Contact
from salesconnect.lib.errors import Conflict, Forbidden, Invalid, Stale

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")
CONTRACT = Authorization(AuthorizationType.CONTRACT)


def test_consent_is_set_with_date_and_purpose_and_recorded(person, member):
    anna = person()
    outcome = card_changes.authorise(Contact.objects.filter(pk=anna.pk), CONSENT, actor=member)
    anna.card.refresh_from_db()
    assert (outcome.changed, outcome.unchanged) == (1, 0)
    assert (anna.card.authorization_type, anna.card.consent_purpose, anna.card.version) == (1, "Newsletter", 2)
    event = history.of_contact(anna.pk).first()
    assert (event.action, event.actor_name, event.door) == ("authorization", "bob", "page")
    assert event.changes == {
        "authorization_type": [None, "consent"],
        "consent_date": [None, "2026-03-01"],
        "consent_purpose": ["", "Newsletter"],
    }


def test_setting_the_same_again_changes_and_records_nothing(person, member):
    anna = person(email="a@example.com", authorization=CONSENT)
    outcome = card_changes.authorise(Contact.objects.filter(pk=anna.pk), CONSENT, actor=member)
    assert (outcome.changed, outcome.unchanged) == (0, 1)
    assert history.of_contact(anna.pk).count() == 1


def test_leaving_consent_clears_date_and_purpose_and_keeps_them_in_the_history(person, member):
    anna = person(email="a@example.com", authorization=CONSENT)
    card_changes.authorise(Contact.objects.filter(pk=anna.pk), CONTRACT, actor=member)
    anna.card.refresh_from_db()
    assert (anna.card.consent_date, anna.card.consent_purpose) == (None, "")
    assert history.of_contact(anna.pk).first().changes["consent_date"] == ["2026-03-01", None]


@pytest.mark.parametrize(
    ("authorization", "field"),
    [
        (Authorization(AuthorizationType.CONSENT, consent_purpose="Newsletter"), "consent_date"),
        (
            Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose=" "),
            "consent_purpose",
        ),
        (
            Authorization(AuthorizationType.CONSENT, consent_date=dt.date(9999, 1, 1), consent_purpose="x"),
            "consent_date",
        ),
        (Authorization(AuthorizationType.CONTRACT, consent_date=dt.date(2026, 3, 1)), "consent_date"),
        (Authorization(AuthorizationType.CONTRACT, other="x"), "authorization_other"),
        (Authorization(AuthorizationType.OTHER, other="x" * 501), "authorization_other"),
    ],
)
def test_a_broken_rule_is_refused_with_its_field(person, member, authorization, field):
    anna = person()
    with pytest.raises(Invalid) as refusal:
        card_changes.authorise(Contact.objects.filter(pk=anna.pk), authorization, actor=member)
    assert list(refusal.value.fields) == [field]


@pytest.mark.parametrize(
    "values",
    [
        {"authorization_type": 1},
        {"authorization_type": 1, "consent_date": "2026-03-01", "consent_purpose": " "},
        {"consent_date": "2026-03-01"},
        {"consent_purpose": "x"},
        {"authorization_type": 2, "consent_date": "2026-03-01"},
        {"authorization_other": "x"},
        {"source_type": 1, "source_other": "x"},
        {"authorization_type": 8},
        {"source_type": 0},
    ],
)
def test_the_database_itself_refuses_a_card_that_breaks_the_rules(person, values):
    anna = person()
    with pytest.raises(IntegrityError):
        ComplianceCard.objects.filter(pk=anna.pk).update(**values)


def test_an_auditor_may_not_change_a_card(person, auditor):
    anna = person()
    with pytest.raises(Forbidden):
        card_changes.set_source(Contact.objects.filter(pk=anna.pk), Source(SourceType.OTHER, "fair"), actor=auditor)


def test_an_edit_that_meets_a_newer_edit_is_refused(person, member):
    anna = person()
    people = Contact.objects.filter(pk=anna.pk)
    card_changes.edit_card(people, CONTRACT, Source(SourceType.IMPORT), actor=member, version=1)
    with pytest.raises(Stale):
        card_changes.edit_card(people, CONSENT, Source(), actor=member, version=1)


def test_bulk_and_undo_restore_what_nobody_changed_since(person, member):
    anna, lars = person(email="a@example.com", authorization=CONSENT), person(email="b@example.com")
    batch = batches.order(Contact.objects.all(), "authorization", actor=member, params=authorization_params(CONTRACT))
    assert (batch.state, batch.total, batch.done, batch.changed) == ("done", 2, 2, 2)
    card_changes.authorise(Contact.objects.filter(pk=lars.pk), CONSENT, actor=member)
    undo = bulk_undo.undo(batch, actor=member)
    assert (undo.state, undo.changed, undo.refused) == ("done", 1, {"changed_since": 1})
    anna.card.refresh_from_db()
    assert (anna.card.authorization_type, anna.card.consent_date) == (1, dt.date(2026, 3, 1))
    assert history.of_contact(anna.pk).first().changes["consent_purpose"] == ["", "Newsletter"]
    with pytest.raises(Conflict):
        bulk_undo.undo(batch, actor=member)


def test_the_preview_counts_and_changes_nothing(person, member):
    person(email="a@example.com", authorization=CONSENT)
    person(email="b@example.com", authorization=CONTRACT)
    values = {"authorization_type": 3, "authorization_other": "", "consent_date": None, "consent_purpose": ""}
    counts = counting.preview(Contact.objects.all(), card_changes.AUTHORIZATION_COLUMNS, values)
    assert asdict(counts) | {"unchanged": counts.unchanged} == {
        "total": 2,
        "change": 1,
        "unchanged": 1,
        "refused": {"restricted": 0},
        "consents_ended": 1,
        "consents_replaced": 0,
        "unsubscribed": 0,
    }


def test_unsubscribing_suppresses_the_address_and_marks_the_person(person, member):
    anna = person(email="Anna@Example.com")
    outcome = suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual", reason="by phone")
    again = suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    assert (outcome.changed, again.changed, again.unchanged) == (1, 0, 1)
    anna.card.refresh_from_db()
    assert anna.card.unsubscribed
    held = suppression.of_address("anna@example.com")
    assert (held.source, held.reason) == ("manual", "by phone")


def test_a_person_with_a_suppressed_address_comes_in_unsubscribed(person, member):
    person(email="a@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    Contact.objects.all().delete()
    assert person(email="A@EXAMPLE.com").card.unsubscribed


def test_an_address_can_be_taken_only_once(person):
    anna = person(email="anna@example.com")
    with pytest.raises(Conflict) as refusal:
        person(email="ANNA@example.com", last_name="Other")
    assert refusal.value.detail == {"existing_id": anna.pk}


@pytest.mark.parametrize(
    "statement", ["UPDATE contacts_contactevent SET door = 'x'", "DELETE FROM contacts_contactevent"]
)
def test_the_history_refuses_to_be_changed(person, statement):
    person()
    with connection.cursor() as cursor, pytest.raises(Exception, match="append-only"):
        cursor.execute(statement)

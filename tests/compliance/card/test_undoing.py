"""Taking back one edit, at the level of the service."""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from compliance.acts.authorization import authorization_params
from compliance.card import card_changes, editing, undoing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from compliance.suppression import suppression
from compliance.verdict import asof
from contacts.events import history
from contacts.jobs import batches, bulk_undo
from contacts.models import Contact
from salesconnect.lib.errors import Conflict, Forbidden, Stale
from unsubscribes.merging.merge import merge

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")
CONTRACT = Authorization(AuthorizationType.CONTRACT)
INTEREST = Authorization(AuthorizationType.LEGITIMATE_INTEREST)
LONG_AGO = dt.date(2022, 1, 10)


def version_of(anna: Contact) -> int:
    anna.card.refresh_from_db()
    return anna.card.version


def test_the_first_value_before_several_edits_comes_back(person, member):
    anna = person(email="a@example.com", title="CEO")
    since = history.newest_id(anna.pk)
    editing.edit(anna.pk, {"title": "CTO"}, actor=member)
    editing.edit(anna.pk, {"title": "CFO", "phone": "1"}, actor=member)
    undoing.undo_edit(anna.pk, since=since, version=version_of(anna), actor=member)
    anna.refresh_from_db()
    assert (anna.title, anna.phone) == ("CEO", "")
    assert history.of_contact(anna.pk).count() == 4


def test_a_consent_that_ended_comes_back_whole(person, member):
    anna = person(email="a@example.com", authorization=CONSENT)
    since = history.newest_id(anna.pk)
    people = Contact.objects.filter(pk=anna.pk)
    card_changes.edit_card(people, CONTRACT, Source(SourceType.OTHER, "Fair"), actor=member)
    outcome = undoing.undo_edit(anna.pk, since=since, version=version_of(anna), actor=member)
    anna.card.refresh_from_db()
    assert (outcome.changed, outcome.unchanged) == (1, 0)
    assert (anna.card.consent_date, anna.card.consent_purpose) == (dt.date(2026, 3, 1), "Newsletter")
    assert (anna.card.source_type, anna.card.source_other) == (None, "")


@pytest.fixture
def interest_of_long_ago(person, member):
    """Return somebody whose legitimate interest was recorded years ago, as the history tells too."""
    anna, older = person(email="a@example.com", authorization=CONTRACT), person(last_name="B", authorization=INTEREST)
    ComplianceCard.objects.filter(pk=older.pk).update(basis_since=LONG_AGO, reviewed_on=LONG_AGO)
    merge(anna.pk, older.pk, actor=member)
    return Contact.objects.filter(pk=anna.pk)


def clocks_of(people) -> list:
    """Return the clocks as the card has them, and as they are told of this moment."""
    [card] = ComplianceCard.objects.filter(contact__in=people)
    [told] = asof.states([(card.pk, timezone.now())])
    return [(card.basis_since, card.reviewed_on), (told.basis_since, told.reviewed_on)]


def test_taking_an_edit_back_reviews_nothing(interest_of_long_ago, member):
    people = interest_of_long_ago
    for _turn in range(2):
        since = history.newest_id(people.get().pk)
        card_changes.edit_card(people, CONTRACT, Source(), actor=member)
        assert clocks_of(people) == [(timezone.localdate(), None)] * 2
        undoing.undo_edit(people.get().pk, since=since, version=people.get().card.version, actor=member)
        assert clocks_of(people) == [(LONG_AGO, LONG_AGO)] * 2


def test_taking_a_bulk_change_back_reviews_nothing(interest_of_long_ago, person, member):
    nobody = person(last_name="Without a basis")
    for _turn in range(2):
        everybody, params = Contact.objects.all(), authorization_params(CONTRACT)
        batch = batches.order(everybody, "authorization", actor=member, params=params)
        undo = bulk_undo.undo(batch, actor=member)
        assert (undo.state, undo.changed) == ("done", 2)
        assert clocks_of(interest_of_long_ago) == [(LONG_AGO, LONG_AGO)] * 2
        assert clocks_of(Contact.objects.filter(pk=nobody.pk)) == [(None, None)] * 2


def test_a_bulk_change_of_version_0_1_is_taken_back_with_the_clocks_of_the_history(interest_of_long_ago, member):
    params = authorization_params(CONTRACT)
    batch = batches.order(Contact.objects.all(), "authorization", actor=member, params=params)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE contacts_contactevent SET changes = changes - '{basis_since,reviewed_on}'::text[]"
            " WHERE batch_id = %s",
            [batch.pk],
        )
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert bulk_undo.undo(batch, actor=member).changed == 1
    assert clocks_of(interest_of_long_ago) == [(LONG_AGO, LONG_AGO)] * 2


def test_an_undo_folds_nobodys_history(person, member, monkeypatch):
    for number in range(3):
        person(last_name=f"B{number}", authorization=INTEREST)
    params = authorization_params(CONTRACT)
    batch = batches.order(Contact.objects.all(), "authorization", actor=member, params=params)
    monkeypatch.delattr(asof, "states")
    assert bulk_undo.undo(batch, actor=member).changed == 3
    assert set(ComplianceCard.objects.values_list("basis_since", flat=True)) == {timezone.localdate()}


def test_an_unsubscribe_is_never_taken_back(person, member):
    person(email="gone@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    Contact.objects.all().delete()
    anna = person(email="a@example.com")
    since = history.newest_id(anna.pk)
    editing.edit(anna.pk, {"email": "gone@example.com"}, actor=member)
    undoing.undo_edit(anna.pk, since=since, version=version_of(anna), actor=member)
    anna.refresh_from_db()
    anna.card.refresh_from_db()
    assert (anna.email, anna.card.unsubscribed) == ("a@example.com", True)
    assert suppression.of_address("a@example.com").reason == "address_changed"


def test_the_owner_before_comes_back_when_it_is_named(person, member, alice, bob):
    anna = person(email="a@example.com", owner=alice)
    since = history.newest_id(anna.pk)
    editing.assign(anna.pk, bob, actor=member)
    undoing.undo_edit(anna.pk, since=since, version=version_of(anna), owner=alice, actor=member)
    anna.refresh_from_db()
    assert anna.owner == alice


def test_a_newer_edit_is_not_undone_over(person, member):
    anna = person(email="a@example.com")
    since = history.newest_id(anna.pk)
    editing.edit(anna.pk, {"title": "CTO"}, actor=member)
    with pytest.raises(Stale):
        undoing.undo_edit(anna.pk, since=since, version=1, actor=member)


def test_there_must_be_something_to_undo_and_a_right_to_do_it(person, member, auditor):
    anna = person(email="a@example.com")
    since = history.newest_id(anna.pk)
    with pytest.raises(Conflict, match="nothing to undo"):
        undoing.undo_edit(anna.pk, since=since, version=1, actor=member)
    with pytest.raises(Forbidden):
        undoing.undo_edit(anna.pk, since=since, version=1, actor=auditor)


def test_what_was_edited_of_a_record_that_came_in_since_is_not_taken_back(person, member):
    anna, twin = person(email="a@example.com", title="CEO"), person(email="b@example.com", title="Mrs")
    since = history.newest_id(anna.pk)
    editing.edit(anna.pk, {"phone": "1"}, actor=member)
    version = version_of(anna)
    editing.edit(twin.pk, {"title": ""}, actor=member)
    merge(anna.pk, twin.pk, actor=member)
    undoing.undo_edit(anna.pk, since=since, version=version, actor=member)
    anna.refresh_from_db()
    assert (anna.title, anna.phone) == ("CEO", "")

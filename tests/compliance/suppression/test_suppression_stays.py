"""Every way that might clear an opt-out, and that none does."""

import pytest
from django.db import ProgrammingError, connection, transaction
from django.urls import NoReverseMatch, reverse

from compliance.acts.authorization import authorization_params
from compliance.card import card_changes, creation, editing, staging, undoing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.staging import NewPerson
from compliance.models import ComplianceCard, Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.jobs import batches, bulk_undo
from contacts.jobs.acts import ACTS
from contacts.models import Contact
from exports.erasure import erasure
from tests.evidence import evidence
from unsubscribes.evidence.reconsent import reconsent

CONTRACT = Authorization(AuthorizationType.CONTRACT)


@pytest.fixture
def anna(person, member):
    someone = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=someone.pk), actor=member, source="clicked_link")
    return someone


def assert_the_no_stands(someone, address="anna@example.com"):
    assert ComplianceCard.objects.get(pk=someone.pk).unsubscribed
    assert suppression.of_address(address) is not None


def test_the_database_refuses_to_clear_the_mark(anna):
    with pytest.raises(ProgrammingError, match="Only a re-consent"), transaction.atomic():
        ComplianceCard.objects.filter(pk=anna.pk).update(unsubscribed=False)
    assert_the_no_stands(anna)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM compliance_suppression",
        "UPDATE compliance_suppression SET address_hash = gen_random_uuid()",
    ],
)
def test_the_database_refuses_to_release_an_address(anna, statement):
    with (
        pytest.raises(ProgrammingError, match="Only a re-consent"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert_the_no_stands(anna)


def test_the_permission_of_a_reconsent_is_for_one_person(anna, person, member, administrator):
    lars = person(email="lars@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=lars.pk), actor=member, source="manual")
    reconsent(anna.pk, evidence(), actor=administrator)
    for again in (anna, lars):
        suppression.unsubscribe(Contact.objects.filter(pk=again.pk), actor=member, source="manual")
        with pytest.raises(ProgrammingError, match="Only a re-consent"), transaction.atomic():
            ComplianceCard.objects.filter(pk=again.pk).update(unsubscribed=False)
        with pytest.raises(ProgrammingError, match="Only a re-consent"), transaction.atomic():
            Suppression.objects.filter(address_hash=again.address_hash).delete()


def test_a_new_hash_key_moves_a_suppression_and_keeps_it(anna, person, member, settings):
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    settings.SUPPRESSION_KEYS = ["a newer key", *settings.SUPPRESSION_KEYS]
    assert_the_no_stands(person(first_name="Anna", email="anna@example.com"))


def test_the_api_cannot_write_the_mark(api, anna):
    for method in (api.patch, api.put):
        answer = method(f"/api/v1/contacts/{anna.pk}/", {"unsubscribed": False, "last_name": "Berg"}, format="json")
        assert answer.status_code == 400
    assert_the_no_stands(anna)


def test_an_authorization_of_any_kind_changes_nothing_of_it(anna, member):
    card_changes.edit_card(Contact.objects.filter(pk=anna.pk), CONTRACT, Source(), actor=member)
    assert_the_no_stands(anna)


def test_an_import_that_names_the_person_changes_nothing_of_it(anna, member):
    staging.stage([NewPerson({"first_name": "Anna", "email": "ANNA@example.com"})])
    creation.create_staged(actor=member, owner_id=None)
    assert_the_no_stands(anna)


def test_a_change_of_address_takes_the_no_along(anna, member):
    editing.edit(anna.pk, {"email": "berg@example.com"}, actor=member)
    assert_the_no_stands(anna, "berg@example.com")
    editing.edit(anna.pk, {"email": "anna@example.com"}, actor=member)
    assert_the_no_stands(anna)


def test_undoing_an_edit_takes_back_no_unsubscribe(anna, member):
    since = history.newest_id(anna.pk)
    editing.edit(anna.pk, {"email": "berg@example.com"}, actor=member)
    version = ComplianceCard.objects.get(pk=anna.pk).version
    undoing.undo_edit(anna.pk, since=since, version=version, actor=member)
    assert_the_no_stands(anna)
    assert_the_no_stands(anna, "berg@example.com")


def test_undoing_a_bulk_change_takes_back_no_unsubscribe(person, member):
    lars = person(email="lars@example.com")
    params = authorization_params(CONTRACT)
    batch = batches.order(Contact.objects.all(), "authorization", actor=member, params=params)
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    bulk_undo.undo(batch, actor=member)
    assert_the_no_stands(lars, "lars@example.com")


def test_a_bulk_unsubscribe_has_no_undo(person, member):
    lars = person(email="lars@example.com")
    batch = batches.order(Contact.objects.all(), "unsubscribe", actor=member, params={"reason": ""})
    with pytest.raises(Exception, match="A change of this kind cannot be undone"):
        bulk_undo.undo(batch, actor=member)
    assert_the_no_stands(lars, "lars@example.com")


def test_a_deleted_person_who_comes_back_is_still_unsubscribed(anna, person, member):
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert_the_no_stands(person(first_name="Anna", email="Anna@EXAMPLE.com"))


def test_there_is_no_admin_site_and_no_bulk_way_back():
    with pytest.raises(NoReverseMatch):
        reverse("admin:index")
    assert {"reconsent", "resubscribe"} & ACTS.keys() == set()

"""Whose a record of the CRM is when people are merged here."""

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from contacts.models import Contact
from exports.erasure import erasure
from tests.unsubscribes.crm.conftest import ACTOR, is_out
from unsubscribes.crm.models import SyncRecord
from unsubscribes.merging.merge import merge


def test_records_follow_their_people_over_several_merges(org, sync, person):
    contract = Authorization(AuthorizationType.CONTRACT)
    anna, bo, cecilia = (
        person(email=f"{name}@example.com", last_name=name, authorization=contract)
        for name in ("anna", "bo", "cecilia")
    )
    [hers, his] = org.create("Contact", *({"LastName": "X", "Email": who.email} for who in (anna, bo)))
    sync()
    # Both before the sync looks again: by then nobody is left whom Anna was merged into.
    merge(bo.pk, anna.pk, actor=ACTOR)
    merge(cecilia.pk, bo.pk, actor=ACTOR)
    sync()
    assert set(SyncRecord.objects.filter(sf_id__in=[hers, his]).values_list("contact_id", flat=True)) == {cecilia.pk}
    org.opt_out(hers)
    sync()
    assert is_out(cecilia)


def test_the_record_of_whoever_was_merged_into_a_person_is_to_be_erased_too(org, sync, person, member):
    anna, bo = person(email="anna@example.com"), person(email="bo@example.com", last_name="Bo")
    [hers] = org.create("Contact", {"LastName": "X", "Email": anna.email})
    sync()
    merge(bo.pk, anna.pk, actor=ACTOR)
    erasure.delete(Contact.objects.filter(pk=bo.pk), actor=member)
    record = SyncRecord.objects.get(sf_id=hers)
    assert (record.contact_id, record.erased_at is None) == (None, False)

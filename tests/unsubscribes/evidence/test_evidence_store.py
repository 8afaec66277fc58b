import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from compliance.suppression import suppression
from contacts.events import history
from contacts.jobs.batches import user_actor
from contacts.models import Contact
from exports.erasure import erasure
from salesconnect.lib.errors import Forbidden, Missing
from tests.evidence import PDF, evidence
from unsubscribes.evidence import evidence_store
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.models import ConsentEvidence


@pytest.fixture
def record(person, administrator):
    anna = person(first_name="Anna", email="anna@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=administrator, source="manual")
    reconsent(anna.pk, evidence(document=ContentFile(PDF, "form.pdf")), actor=administrator)
    return ConsentEvidence.objects.get()


def test_handing_a_document_out_is_on_record(record, auditor):
    assert evidence_store.for_download(record.contact_id, record.pk, actor=auditor) == record
    event = history.of_contact(record.contact_id).first()
    assert (event.action, event.actor_name, event.changes) == ("exported", "charlie", {"reason": [None, "form.pdf"]})


def test_a_document_is_found_only_with_its_person(record, person, member):
    other = person(email="lars@example.com")
    with pytest.raises(Missing):
        evidence_store.for_download(other.pk, record.pk, actor=member)


def test_a_document_that_is_not_there_is_handed_out_to_nobody_and_nobody_is_said_to_have_it(record, member):
    default_storage.delete(record.file.name)
    with pytest.raises(Missing):
        evidence_store.for_download(record.contact_id, record.pk, actor=member)
    assert not history.of_contact(record.contact_id).filter(action="exported").exists()


def test_who_has_no_right_gets_no_document(record, bob):
    bob.role = ""
    with pytest.raises(Forbidden):
        evidence_store.for_download(record.contact_id, record.pk, actor=user_actor(bob, "page"))


def test_the_evidence_goes_with_the_person(record, member, django_capture_on_commit_callbacks):
    name = record.file.name
    with django_capture_on_commit_callbacks(execute=True):
        erasure.delete(Contact.objects.filter(pk=record.contact_id), actor=member)
    assert not ConsentEvidence.objects.exists()
    assert not default_storage.exists(name)
    told = history.of_contact(record.contact_id).get(action="resubscribed").changes
    assert {name: told[name][1] for name in told} == {
        "source": "re_consent",
        "consent_date": record.consent_date.isoformat(),
    }

import datetime as dt
import hashlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from compliance.card import editing
from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact
from salesconnect.lib.errors import Conflict, Forbidden, Invalid, Missing, Stale
from tests.evidence import PDF, evidence, yesterday
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.models import ConsentEvidence


@pytest.fixture
def anna(person, member):
    someone = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=someone.pk), actor=member, source="clicked_link")
    return someone


def test_a_new_consent_removes_the_unsubscribe(anna, administrator):
    assert reconsent(anna.pk, evidence(), actor=administrator).changed == 1
    anna.card.refresh_from_db()
    assert (anna.card.unsubscribed, suppression.of_address("anna@example.com")) == (False, None)


def test_the_card_becomes_consent_with_the_date_and_the_purpose(anna, administrator):
    reconsent(anna.pk, evidence(purpose="Events"), actor=administrator)
    anna.card.refresh_from_db()
    assert (anna.card.authorization_type, anna.card.consent_purpose) == (1, "Events")
    assert anna.card.consent_date == timezone.localdate()


def test_the_history_keeps_who_and_what_was_shown(anna, administrator):
    reconsent(anna.pk, evidence(), actor=administrator)
    event = history.of_contact(anna.pk).get(action="resubscribed")
    record = ConsentEvidence.objects.get()
    assert (event.actor_name, record.actor_name, record.contact_id) == ("alice", "alice", anna.pk)
    assert {name: value for name, (_before, value) in event.changes.items()} == {
        "source": "re_consent",
        "evidence": record.pk,
        "consent_date": timezone.localdate().isoformat(),
        "channel": "phone",
        "wording": "Yes, please send me the newsletter.",
        "consent_purpose": "Newsletter",
        "reference": "Call 4711 of the service desk",
    }


def test_a_document_is_kept_under_a_name_that_says_nothing(anna, administrator):
    reconsent(anna.pk, evidence(reference="", document=ContentFile(PDF, "Anna Berg.pdf")), actor=administrator)
    record = ConsentEvidence.objects.get()
    assert (record.file_name, record.file_kind, record.size) == ("Anna Berg.pdf", "pdf", len(PDF))
    assert record.sha256 == hashlib.sha256(PDF).hexdigest()
    assert "Anna" not in record.file.name
    with default_storage.open(record.file.name) as file:
        assert file.read() == PDF
    default_storage.delete(record.file.name)


def test_a_document_that_is_not_one_changes_nothing(anna, administrator):
    with pytest.raises(Invalid) as refusal:
        reconsent(anna.pk, evidence(document=ContentFile(b"words", "proof.pdf")), actor=administrator)
    assert list(refusal.value.fields) == ["evidence_file"]
    assert_still_unsubscribed(anna)


@pytest.mark.parametrize("role", ["member", "auditor"])
def test_only_an_administrator_may(anna, role, request):
    with pytest.raises(Forbidden):
        reconsent(anna.pk, evidence(), actor=request.getfixturevalue(role))
    assert_still_unsubscribed(anna)


def test_a_consent_from_before_the_opt_out_does_not_count(anna, administrator):
    with pytest.raises(Invalid) as refusal:
        reconsent(anna.pk, evidence(consent_date=yesterday()), actor=administrator)
    assert list(refusal.value.fields) == ["consent_date"]
    assert_still_unsubscribed(anna)


def test_a_no_that_was_said_again_counts_from_then(person, member, administrator):
    lars = person(email="lars@example.com")
    people = Contact.objects.filter(pk=lars.pk)
    suppression.unsubscribe(people, actor=member, source="manual")
    Suppression.objects.update(said_at=timezone.now() + dt.timedelta(days=2))
    with pytest.raises(Conflict) as refusal:
        reconsent(lars.pk, evidence(), actor=administrator)
    assert refusal.value.code == "unsubscribed_again"


def test_a_form_that_was_opened_before_the_no_was_repeated_is_stale(anna, member, administrator):
    anna.card.refresh_from_db()
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source="clicked_link")
    with pytest.raises(Stale):
        reconsent(anna.pk, evidence(), actor=administrator, version=anna.card.version)
    assert_still_unsubscribed(anna)


@pytest.mark.parametrize("source", ["salesforce_sync", "bounce", "import"])
def test_what_a_machine_or_a_file_repeats_is_nobodys_word(anna, member, administrator, source):
    anna.card.refresh_from_db()
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source=source)
    assert reconsent(anna.pk, evidence(), actor=administrator, version=anna.card.version).changed == 1


def test_somebody_who_is_not_unsubscribed_has_nothing_to_remove(person, administrator):
    lars = person(email="lars@example.com")
    with pytest.raises(Conflict) as refusal:
        reconsent(lars.pk, evidence(), actor=administrator)
    assert refusal.value.code == "not_unsubscribed"


def test_nobody_cannot_consent(administrator):
    with pytest.raises(Missing):
        reconsent(404, evidence(), actor=administrator)


def test_a_suppression_under_an_older_key_goes_too(anna, administrator, settings):
    settings.SUPPRESSION_KEYS = ["a newer key", *settings.SUPPRESSION_KEYS]
    reconsent(anna.pk, evidence(), actor=administrator)
    assert suppression.of_address("anna@example.com") is None


def test_an_address_that_the_person_had_before_stays_suppressed(anna, member, administrator):
    editing.edit(anna.pk, {"email": "berg@example.com"}, actor=member)
    reconsent(anna.pk, evidence(), actor=administrator)
    assert suppression.of_address("berg@example.com") is None
    assert suppression.of_address("anna@example.com").source == "clicked_link"


def test_a_person_without_an_address_can_consent_too(person, member, administrator):
    lars = person(last_name="Lind")
    suppression.unsubscribe(Contact.objects.filter(pk=lars.pk), actor=member, source="manual")
    reconsent(lars.pk, evidence(), actor=administrator)
    lars.card.refresh_from_db()
    assert not lars.card.unsubscribed


def assert_still_unsubscribed(someone):
    someone.card.refresh_from_db()
    assert someone.card.unsubscribed
    assert suppression.of_address(someone.email_key).source == "clicked_link"
    assert not ConsentEvidence.objects.exists()

import pytest

from compliance.card import editing
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact
from salesconnect.lib.errors import Conflict, Invalid, Stale


def test_an_edit_stores_and_records_what_differs(person, member):
    anna = person()
    outcome = editing.edit(anna.pk, {"title": "Head of Sales", "first_name": "Anna"}, actor=member, version=1)
    assert outcome.changed == 1
    assert history.of_contact(anna.pk).first().changes == {"title": ["", "Head of Sales"]}


def test_a_rename_moves_the_person_in_the_order(person, member):
    anna = person()
    editing.edit(anna.pk, {"last_name": "Öberg"}, actor=member)
    anna.refresh_from_db()
    assert (anna.sort_last, anna.card.sort_last, anna.card.version) == ("}berg", "}berg", 2)


def test_an_old_version_is_refused(person, member):
    anna = person()
    editing.edit(anna.pk, {"title": "CEO"}, actor=member, version=1)
    with pytest.raises(Stale):
        editing.edit(anna.pk, {"title": "CTO"}, actor=member, version=1)


def test_a_taken_address_is_refused_with_the_other_person(person, member):
    anna, lars = person(email="a@example.com"), person(email="b@example.com")
    with pytest.raises(Conflict) as refusal:
        editing.edit(lars.pk, {"email": "A@Example.com"}, actor=member)
    assert refusal.value.detail == {"existing_id": anna.pk}


def test_a_person_keeps_a_name_or_an_address(person, member):
    anna = person(email="a@example.com")
    with pytest.raises(Invalid):
        editing.edit(anna.pk, {"email": ""}, actor=member)


def test_a_new_address_of_an_unsubscribed_person_is_suppressed_too(person, member):
    anna = person(email="a@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="clicked_link")
    editing.edit(anna.pk, {"email": "b@example.com"}, actor=member)
    assert suppression.of_address("b@example.com").reason == "address_changed"
    assert suppression.of_address("a@example.com").source == "clicked_link"


def test_moving_to_a_suppressed_address_unsubscribes_the_person(person, member):
    person(email="a@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    Contact.objects.all().delete()
    lars = person(email="b@example.com")
    editing.edit(lars.pk, {"email": "a@example.com"}, actor=member)
    lars.card.refresh_from_db()
    assert lars.card.unsubscribed

from django.db import connection

from compliance import editing, suppression
from contacts import batches, history
from contacts.models import Contact
from exports import erasure


def test_a_deleted_person_leaves_no_readable_value(person, member):
    anna = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    editing.edit(anna.pk, {"company": "Exempel AB"}, actor=member)
    outcome = erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert (outcome.changed, Contact.objects.count()) == (1, 0)
    events = list(history.of_contact(anna.pk).values_list("action", "changes"))
    assert events == [("deleted", {}), ("edited", {}), ("created", {})]


def test_the_suppression_of_the_address_stays(person, member):
    person(email="anna@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual", reason="by phone")
    erasure.delete(Contact.objects.all(), actor=member)
    assert suppression.of_address("anna@example.com").reason == "by phone"
    assert person(email="anna@example.com").card.unsubscribed


def test_deleting_somebody_who_never_said_no_suppresses_nothing(person, member):
    person(email="anna@example.com")
    erasure.delete(Contact.objects.all(), actor=member)
    assert suppression.of_address("anna@example.com") is None


def test_bulk_deletion_is_an_order_like_the_others(person, member):
    person(email="a@example.com")
    person(email="b@example.com")
    batch = batches.order(Contact.objects.all(), "delete", actor=member, missing=1)
    assert (batch.state, batch.total, batch.changed, batch.refused) == ("done", 3, 2, {"not_found": 1})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM compliance_compliancecard")
        assert cursor.fetchone() == (0,)

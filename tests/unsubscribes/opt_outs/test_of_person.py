"""What a person said about mail, in the order in which it was said."""

from compliance.models import ComplianceCard, Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from tests.evidence import evidence
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge
from unsubscribes.opt_outs import of_person


def said(contact_id: int) -> list[tuple[str, str, str, str]]:
    anna = Contact.objects.select_related("card").get(pk=contact_id)
    return [(entry.kind, entry.source, entry.reason, entry.actor) for entry in of_person.of_person(anna)]


def test_who_never_said_anything_has_no_history(person):
    assert said(person().pk) == []


def test_an_opt_out_is_told_with_source_reason_and_who_recorded_it(person, member):
    anna = person(email="a@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual", reason="By phone")
    assert said(anna.pk) == [("unsubscribed", "manual", "By phone", "bob")]


def test_an_opt_out_from_before_the_person_came_is_told_by_the_suppression(person, member):
    person(email="a@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="bounce")
    Contact.objects.all().delete()
    anna = person(email="A@example.com")
    assert said(anna.pk) == [("unsubscribed", "bounce", "", "")]
    assert of_person.of_person(Contact.objects.select_related("card").get())[0].at == Suppression.objects.get().since


def test_an_opt_out_that_no_event_explains_is_still_told(person):
    anna = person(first_name="Anna", email="")
    ComplianceCard.objects.filter(pk=anna.pk).update(unsubscribed=True)
    assert said(anna.pk) == [("unsubscribed", "", "", "")]


def test_who_comes_back_with_a_no_that_was_said_meanwhile_is_told_to_have_said_it(person, member, administrator, api):
    anna, double = person(email="a@example.com"), person(email="b@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=double.pk), actor=member, source="manual", reason="By phone")
    reconsent(double.pk, evidence(), actor=administrator)
    record = merge(anna.pk, double.pk, actor=member)
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual", reason="By mail")
    unmerge(record.pk, actor=member)
    assert [entry[0] for entry in said(double.pk)] == ["unsubscribed", "resubscribed", "unsubscribed"]
    answer = api.post(f"/api/v1/contacts/{double.pk}/unsubscribes/", {"reason": "Again"}, format="json")
    assert (answer.status_code, answer.json()["kind"]) == (200, "unsubscribed")


def test_who_comes_back_with_the_own_no_has_said_it_once(person, member):
    anna, double = person(email="a@example.com"), person(email="b@example.com")
    suppression.unsubscribe(Contact.objects.filter(pk=double.pk), actor=member, source="manual", reason="By phone")
    unmerge(merge(anna.pk, double.pk, actor=member).pk, actor=member)
    assert said(double.pk) == [("unsubscribed", "manual", "By phone", "bob")]

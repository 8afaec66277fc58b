from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.models import Suppression
from compliance.suppression import suppression
from compliance.verdict import policy
from contacts.models import Contact
from unsubscribes.mail import gate

CONTRACT = Authorization(AuthorizationType.CONTRACT)


def decided():
    return [decision.reason for decision in gate.decide(Contact.objects.all())]


def test_the_gate_lets_those_pass_who_may_be_mailed(anna):
    assert decided() == [gate.PASSES]


def test_whoever_said_no_is_held_back_first_of_all(person, member):
    person(last_name="No address, no ground")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    assert decided() == ["unsubscribed"]


def test_a_suppressed_address_is_held_back_whatever_the_card_says(anna):
    Suppression.objects.create(address_hash=anna.address_hash, hash_key=anna.address_hash_key, source="manual")
    assert (decided(), gate.forecast(Contact.objects.all())) == (["unsubscribed"], {"unsubscribed": 1})


def test_an_address_suppressed_under_an_older_key_is_held_back(anna, settings):
    Suppression.objects.create(address_hash=anna.address_hash, hash_key=anna.address_hash_key, source="manual")
    settings.SUPPRESSION_KEYS = ["newer", *settings.SUPPRESSION_KEYS]
    Contact.objects.update(address_hash="00000000-0000-0000-0000-000000000000")
    assert decided() == ["unsubscribed"]


def test_nobody_is_mailed_without_an_address(person):
    person(last_name="Berg", authorization=CONTRACT)
    assert decided() == ["no_address"]


def test_the_team_decides_whether_a_ground_must_be_recorded(person, administrator):
    person(email="a@example.com")
    assert decided() == ["no_authorization"]
    policy.change({"no_authorization": "warn"}, actor=administrator)
    assert decided() == [gate.PASSES]


def test_the_forecast_says_the_same_as_the_decision(person, many, member):
    first, *_rest = many(3)
    person(email="nobody@example.com")
    person(last_name="Nowhere")
    suppression.unsubscribe(Contact.objects.filter(pk=first.pk), actor=member, source="manual")
    people = Contact.objects.all()
    assert sorted(gate.forecast(people).elements()) == sorted(decided())
    assert [decision.reason for decision in gate.held_people(people, 2)] == ["unsubscribed", "no_authorization"]


def test_the_gate_asks_as_much_for_three_people_as_for_one(many, django_assert_num_queries):
    people = many(3)
    for number in (1, 3):
        chosen = Contact.objects.filter(pk__in=[person.pk for person in people[:number]])
        with django_assert_num_queries(4):
            gate.decide(chosen)

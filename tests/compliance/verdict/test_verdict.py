"""The rule table: the function, the conditions, the column and the gate say the same of everybody."""

import datetime as dt
from itertools import product

import pytest
import time_machine
from django.db import ProgrammingError, transaction
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.models import ComplianceCard, Policy, Suppression
from compliance.review import restriction
from compliance.verdict import policy, verdict
from compliance.verdict.reason_registry import RULES, OptOut, months_before
from contacts.models import Contact
from salesconnect.lib.errors import Forbidden, Invalid
from unsubscribes.mail import gate

NOW = dt.datetime(2026, 11, 27, 10, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 27)
SAID = OptOut(dt.datetime(2026, 5, 1, 8, 0, tzinfo=dt.UTC), Suppression.Source.CLICKED_LINK)
OLD, LAST_YOUNG = dt.date(2024, 11, 26), dt.date(2024, 11, 27)
SINCE = (None, dt.date(2025, 11, 26), dt.date(2025, 11, 27))
EFFECTS = [rule.code for rule in RULES if not rule.always]


def cards() -> list[ComplianceCard]:
    """Return a card for each combination of what a rule looks at."""
    bases = [(kind, None) for kind in (None, *AuthorizationType) if kind != AuthorizationType.CONSENT]
    bases += [(AuthorizationType.CONSENT, day) for day in (OLD, LAST_YOUNG)]
    return [
        ComplianceCard(
            unsubscribed=no,
            looks_opted_out=looks,
            restricted_at=restricted,
            authorization_type=kind,
            consent_date=given,
            consent_purpose="Newsletter" if given else "",
            basis_since=since,
        )
        for no, looks, restricted, (kind, given), since in product(
            (False, True), (False, True), (None, NOW), bases, SINCE
        )
    ]


@pytest.fixture
def everybody(db) -> list[ComplianceCard]:
    """Store a person for each card."""
    stored = cards()
    people = Contact.objects.bulk_create(
        Contact(last_name=str(number), email=f"{number}@example.com", email_key=f"{number}@example.com",
                address_hash=f"00000000-0000-0000-0000-{number:012d}")
        for number in range(len(stored))
    )  # fmt: skip
    for card, contact in zip(stored, people, strict=True):
        card.contact = contact
    return ComplianceCard.objects.bulk_create(stored)


def test_function_conditions_and_column_agree_over_all_combinations(everybody):
    for effects in product(Policy.Effect, repeat=len(EFFECTS)):
        check_agreement(everybody, Policy(**dict(zip(EFFECTS, effects, strict=True))))


def check_agreement(everybody: list[ComplianceCard], rules: Policy) -> None:
    expected = {card.pk: verdict.verdict(card, rules, NOW).code for card in everybody}
    people = Contact.objects.order_by("pk")
    column = people.annotate(answer=verdict.expression(rules, now=NOW)).values_list("pk", "answer")
    assert dict(column) == expected
    found = {
        pk: code
        for code, _label in verdict.CHOICES
        for pk in people.filter(verdict.condition(code, rules, now=NOW)).values_list("pk", flat=True)
    }
    assert found == expected
    on_cards = ComplianceCard.objects.filter(verdict.condition("may", rules, card="", now=NOW))
    assert {card.pk for card in on_cards} == {pk for pk, code in expected.items() if code == "may"}


@pytest.mark.parametrize("effect", Policy.Effect)
def test_the_gate_holds_back_whom_the_verdict_forbids_and_whom_the_policy_holds(everybody, administrator, effect):
    with time_machine.travel(NOW, tick=False):
        policy.change(dict.fromkeys(EFFECTS, effect), actor=administrator)
        held = {decision.contact.pk: decision.reason for decision in gate.decide(Contact.objects.all())}
    rules = policy.current()
    for card in everybody:
        first = next(
            (rule.held for rule in RULES if rule.holds(card, rules, TODAY) and rule.effect(rules) in verdict.HOLDING),
            gate.PASSES,
        )
        assert held[card.pk] == first


def test_every_reason_that_holds_is_told_in_words():
    card = ComplianceCard(
        unsubscribed=True,
        restricted_at=NOW,
        authorization_type=AuthorizationType.CONSENT,
        consent_date=dt.date(2023, 1, 10),
        consent_purpose="Newsletter",
    )
    told = verdict.verdict(card, Policy(), NOW, SAID)
    assert [(reason.text, reason.effect) for reason in told.reasons] == [
        ("Unsubscribed on 1 May 2026 by link.", "may_not"),
        ("Processing restricted since 27 November 2026.", "may_not"),
        ("Consent of 10 January 2023 is older than 24 months.", "ask_first"),
        ("Consent of 10 January 2023 for Newsletter.", "may"),
    ]
    none = verdict.verdict(ComplianceCard(), Policy(), NOW)
    assert [reason.text for reason in none.reasons] == ["No authorization recorded."]


def test_a_suppressed_address_forbids_whatever_the_card_says():
    card = ComplianceCard(authorization_type=AuthorizationType.CONTRACT)
    assert verdict.verdict(card, Policy(), NOW).code == "may"
    assert verdict.verdict(card, Policy(), NOW, SAID).code == "may_not"


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (dt.date(2026, 11, 27), 24, dt.date(2024, 11, 27)),
        (dt.date(2026, 3, 31), 1, dt.date(2026, 2, 28)),
        (dt.date(2024, 2, 29), 12, dt.date(2023, 2, 28)),
        (dt.date(2026, 1, 1), 1, dt.date(2025, 12, 1)),
    ],
)
def test_months_are_those_of_the_calendar(day, months, before):
    assert months_before(day, months) == before


def test_a_past_moment_is_judged_by_the_policy_then_in_force(db, administrator, member):
    before = timezone.now()
    assert policy.change({"no_authorization": "block", "consent_months": 12}, actor=administrator).changed == 1
    assert policy.change({"no_authorization": "block"}, actor=administrator).unchanged == 1
    after = timezone.now()
    policy.change({"no_authorization": "allow"}, actor=administrator)
    assert [policy.at(moment).no_authorization for moment in (before, after)] == ["hold", "block"]
    assert policy.current().no_authorization == "allow"
    assert [version.actor_name for version in policy.versions()] == ["alice", "alice"]
    assert policy.current().consent_months == 12


def test_the_policy_is_the_administrators_and_its_versions_stay(db, administrator, member):
    with pytest.raises(Forbidden):
        policy.change({"consent_old": "block"}, actor=member)
    for wrong in ({"consent_old": "explode"}, {"consent_months": 0}, {"interest_months": 121}):
        with pytest.raises(Invalid):
            policy.change(wrong, actor=administrator)
    policy.change({"consent_old": "block"}, actor=administrator)
    for bend in (lambda: Policy.objects.update(consent_old="allow"), lambda: Policy.objects.all().delete()):
        with pytest.raises(ProgrammingError), transaction.atomic():
            bend()


def test_a_restriction_is_a_reason_from_the_moment_it_is_set(person, member):
    anna = person(email="anna@example.com", authorization=Authorization(AuthorizationType.CONTRACT))
    people = Contact.objects.filter(pk=anna.pk)
    assert restriction.restrict(people, "Accuracy is contested", actor=member).changed == 1
    card = ComplianceCard.objects.get()
    assert verdict.verdict(card, Policy(), timezone.now()).code == "may_not"
    assert restriction.restrict(people, "Again", actor=member).unchanged == 1
    assert restriction.lift(people, "It is right", actor=member).changed == 1
    assert verdict.verdict(ComplianceCard.objects.get(), Policy(), timezone.now()).code == "may"

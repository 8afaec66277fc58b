"""The table of reasons is whole: what a new one lacks somewhere is missing here by its code."""

import datetime as dt
from dataclasses import fields

import pytest
from babel.messages.pofile import read_po
from django.utils import timezone, translation

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.models import ComplianceCard, Policy
from compliance.review import restriction
from compliance.suppression import suppression
from compliance.verdict import asof, policy
from compliance.verdict.reason_registry import DECIDED, MONTHS, RULES, Effect, Facts, OptOut, VerdictRule
from compliance.verdict.verdict import EFFECTS, HOLDING
from contacts.models import Contact
from salesconnect.pages.person.card_forms import PolicyForm
from tests.test_translations import ROOT, SWEDISH
from unsubscribes.models import Message

NOW = dt.datetime(2026, 11, 27, 10, 0, tzinfo=dt.UTC)
FACTS = [field.name for field in fields(Facts)]
CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2023, 1, 10), consent_purpose="Newsletter")
FULL = asof.PersonState(
    unsubscribed=True,
    authorization_type=2,
    consent_date=NOW.date(),
    consent_purpose="Newsletter",
    basis_since=NOW.date(),
    restricted_at=NOW,
    looks_opted_out=True,
)


def by_code(rule: VerdictRule) -> str:
    return rule.code


@pytest.mark.parametrize("rule", RULES, ids=by_code)
class TestEveryReason:
    def test_looks_at_facts_alone(self, rule):
        assert {test.field for test in rule.tests} - set(FACTS) == set()

    def test_always_does_the_same_or_is_the_teams_to_decide(self, rule):
        assert (rule.always is None) == (rule.decided is not None)
        assert rule.always is None or rule.always in HOLDING, "who writes is warned in words that a team's reason has"

    def test_has_words(self, rule):
        assert rule.words(FULL, Policy(), None).endswith(".")
        assert rule.words(FULL, Policy(), OptOut(NOW, "manual")).endswith(".")

    def test_holds_mail_back_for_a_reason_that_mails_name(self, rule):
        assert rule.held in Message.Reason.values

    def test_counts_the_months_of_its_own(self, rule):
        own = {rule.decided.months.name} if rule.decided and rule.decided.months else set()
        assert {test.value for test in rule.tests if test.relation == "before"} == own


@pytest.mark.parametrize("code", DECIDED)
class TestEveryReasonThatATeamDecides:
    def test_is_a_column_of_the_policy_with_its_default(self, code):
        assert getattr(Policy(), code) == DECIDED[code].default
        assert code in policy.FIELDS

    def test_stands_on_the_page_with_label_and_help(self, code):
        field = PolicyForm().fields[code]
        assert (str(field.label), str(field.help_text)) == (str(DECIDED[code].label), str(DECIDED[code].help))
        assert [value for value, _label in field.choices] == Effect.values

    def test_is_told_of_many(self, code):
        [rule] = [rule for rule in RULES if rule.code == code]
        assert rule.of_many(Policy())

    def test_says_all_of_it_in_swedish(self, code):
        catalog = read_po((ROOT / SWEDISH).open("rb"), locale="sv")
        known = {message.id for message in catalog if message.string}
        decided = DECIDED[code]
        words = [decided.label, decided.help, decided.of_many, *([decided.months.label] if decided.months else [])]
        with translation.override(None):
            assert {str(text) for text in words} - known == set()


def test_all_months_are_columns_of_the_policy_within_their_bounds():
    [check] = [constraint for constraint in Policy._meta.constraints if constraint.name == "policy_months_are_some"]
    bounded = {name.removesuffix("__range") for name, _bounds in check.condition.children}
    assert bounded == {months.name for months in MONTHS} == {name for name in policy.FIELDS if name not in DECIDED}


def test_what_every_effect_makes_of_the_verdict_is_said():
    assert set(EFFECTS) == set(Effect)


@pytest.mark.parametrize("fact", FACTS)
def test_every_fact_is_told_by_the_history_as_the_card_holds_it(fact, person, member):
    acts = {
        "unsubscribed": lambda people: suppression.unsubscribe(people, actor=member, source="manual"),
        "restricted_at": lambda people: restriction.restrict(people, "Contested", actor=member),
        "looks_opted_out": lambda _people: suppression.unsubscribe(alike(), actor=member, source="manual"),
    }
    of_basis = {"authorization_type", "consent_date", "consent_purpose", "basis_since"}
    assert set(FACTS) == {*acts, *of_basis}, "how does the new fact come about?"

    def alike():
        return Contact.objects.filter(pk=person(email="anna+news@example.com").pk)

    anna = person(email="anna@example.com", authorization=CONSENT if fact in of_basis else None)
    acts.get(fact, lambda _people: None)(Contact.objects.filter(pk=anna.pk))
    card = ComplianceCard.objects.get(pk=anna.pk)
    [state] = asof.states([(anna.pk, timezone.now())])
    assert getattr(card, fact) != getattr(Facts(), fact)
    assert getattr(state, fact) == getattr(card, fact)

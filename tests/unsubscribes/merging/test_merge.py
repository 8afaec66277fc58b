import datetime as dt

import pytest
from django.utils import timezone

from compliance.card import editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard
from compliance.suppression import suppression
from compliance.verdict import asof, current_verdict
from contacts.events import history
from contacts.models import Contact, ContactEvent, Merge
from exports.erasure import erasure
from exports.models import RetentionCase, RetentionRule
from salesconnect.lib.errors import Conflict, Forbidden, Invalid, Missing, Stale
from tests.evidence import evidence
from tests.exports.integrity.agreeing import differences
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.mail import failures
from unsubscribes.mail import mailing as mail
from unsubscribes.mail.compose import Draft
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import forget_old, undoable, unmerge
from unsubscribes.models import MailFailure, Message

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="News")
CONTRACT = Authorization(AuthorizationType.CONTRACT)


@pytest.fixture
def anna(person):
    return person(
        first_name="Anna", last_name="Berg", email="anna@example.com", company="Exempel AB", authorization=CONTRACT
    )


@pytest.fixture
def double(person, alice):
    return person(
        first_name="Anna",
        last_name="Berg-Lind",
        email="berg@example.com",
        phone="070 1",
        salesforce_id="0035g00000AbCdEAAV",
        authorization=CONSENT,
        source=Source(SourceType.IMPORT),
        owner=alice,
    )


def opt_out(someone, actor, source="clicked_link"):
    suppression.unsubscribe(Contact.objects.filter(pk=someone.pk), actor=actor, source=source)


def card_of(number) -> ComplianceCard:
    return ComplianceCard.objects.get(pk=number)


def test_the_survivor_keeps_what_it_has_and_gets_what_it_lacks(anna, double, member, alice):
    merge(anna.pk, double.pk, actor=member)
    now = Contact.objects.get(pk=anna.pk)
    assert (now.last_name, now.email, now.company) == ("Berg", "anna@example.com", "Exempel AB")
    assert (now.phone, now.salesforce_id, now.owner) == ("070 1", "0035g00000AbCdEAAV", alice)
    assert card_of(anna.pk).source_type == SourceType.IMPORT
    assert not Contact.objects.filter(pk=double.pk).exists()


def test_a_detail_that_is_named_is_taken_from_the_other(anna, double, member):
    merge(anna.pk, double.pk, actor=member, take=["last_name", "email", "company"])
    now = Contact.objects.get(pk=anna.pk)
    assert (now.last_name, now.email, now.company) == ("Berg-Lind", "berg@example.com", "Exempel AB")


def test_the_stricter_authorization_stands(anna, double, member):
    merge(anna.pk, double.pk, actor=member)
    card = card_of(anna.pk)
    assert (card.authorization_type, card.consent_date) == (AuthorizationType.CONSENT, dt.date(2026, 3, 1))


def test_without_an_authorization_of_one_the_result_has_none(anna, person, member):
    nameless = person(email="x@example.com")
    merge(anna.pk, nameless.pk, actor=member)
    assert card_of(anna.pk).authorization_type is None


@pytest.mark.parametrize("who", ["survivor", "other"])
def test_a_no_of_either_is_the_no_of_the_result_and_of_both_addresses(anna, double, member, who):
    opt_out(anna if who == "survivor" else double, member)
    merge(anna.pk, double.pk, actor=member)
    assert card_of(anna.pk).unsubscribed
    for address in ("anna@example.com", "berg@example.com"):
        assert suppression.of_address(address).source == "clicked_link"


def test_a_new_consent_of_the_result_leaves_the_other_address_suppressed(anna, double, member, administrator):
    opt_out(double, member)
    merge(anna.pk, double.pk, actor=member)
    reconsent(anna.pk, evidence(), actor=administrator)
    assert suppression.of_address("anna@example.com") is None
    assert suppression.of_address("berg@example.com") is not None


def test_the_histories_of_both_are_the_history_of_the_result(anna, double, member):
    opt_out(double, member)
    before = ContactEvent.objects.filter(contact_id=double.pk).count()
    merge(anna.pk, double.pk, actor=member)
    told = history.of_contact(anna.pk)
    assert told.filter(contact_id=double.pk).count() == before + 1
    assert (told[0].contact_id, told[0].action, told[0].changes) == (anna.pk, "merged", {"merged": [None, double.pk]})
    assert told[1].changes == {"into": [None, anna.pk]}


def test_mail_moves_with_the_person(anna, double, member):
    message = mail.write_to_one(double.pk, Draft("Hello", "Text"), actor=member)
    record = merge(anna.pk, double.pk, actor=member)
    assert Message.objects.get(pk=message.pk).contact_id == anna.pk
    unmerge(record.pk, actor=member)
    assert Message.objects.get(pk=message.pk).contact_id == double.pk


def test_undoing_brings_both_back_as_they_were(anna, double, member, alice):
    record = merge(anna.pk, double.pk, actor=member, take=["email"])
    unmerge(record.pk, actor=member)
    one, two = Contact.objects.get(pk=anna.pk), Contact.objects.get(pk=double.pk)
    assert (one.email, one.phone, one.salesforce_id) == ("anna@example.com", "", "")
    assert (two.email, two.phone, two.owner, two.created_at) == ("berg@example.com", "070 1", alice, double.created_at)
    assert two.address_hash == double.address_hash
    assert card_of(anna.pk).authorization_type == AuthorizationType.CONTRACT
    assert (card_of(anna.pk).source_type, card_of(double.pk).source_type) == (None, SourceType.IMPORT)
    assert (card_of(double.pk).consent_date, card_of(double.pk).sort_last) == (dt.date(2026, 3, 1), "berg lind")
    assert Contact.objects.get(pk=double.pk).sort_last == "berg lind"
    assert history.of_contact(anna.pk).filter(contact_id=double.pk).count() == 0


def test_undoing_leaves_what_somebody_changed_since(anna, double, member):
    record = merge(anna.pk, double.pk, actor=member)
    editing.edit(anna.pk, {"phone": "08 2"}, actor=member)
    unmerge(record.pk, actor=member)
    assert (Contact.objects.get(pk=anna.pk).phone, Contact.objects.get(pk=double.pk).phone) == ("08 2", "070 1")


def test_undoing_lifts_no_opt_out(anna, double, member):
    opt_out(double, member)
    unmerge(merge(anna.pk, double.pk, actor=member).pk, actor=member)
    assert (card_of(anna.pk).unsubscribed, card_of(double.pk).unsubscribed) == (True, True)


def test_a_no_said_after_the_merge_is_the_no_of_both(anna, double, member):
    record = merge(anna.pk, double.pk, actor=member)
    opt_out(anna, member)
    unmerge(record.pk, actor=member)
    assert card_of(double.pk).unsubscribed
    assert suppression.of_address("berg@example.com") is not None


def test_a_consent_given_after_the_merge_is_for_the_survivor_alone(anna, double, member, administrator):
    opt_out(double, member)
    record = merge(anna.pk, double.pk, actor=member)
    reconsent(anna.pk, evidence(), actor=administrator)
    unmerge(record.pk, actor=member)
    assert (card_of(anna.pk).unsubscribed, card_of(double.pk).unsubscribed) == (False, True)
    assert card_of(anna.pk).authorization_type == AuthorizationType.CONSENT


def test_undo_ends_after_thirty_days_and_then_nothing_is_remembered(anna, double, member):
    record = merge(anna.pk, double.pk, actor=member)
    Merge.objects.update(at=timezone.now() - dt.timedelta(days=31))
    assert undoable(anna.pk) == []
    assert forget_old() == 1
    with pytest.raises(Conflict) as refusal:
        unmerge(record.pk, actor=member)
    assert refusal.value.code == "too_old"
    record.refresh_from_db()
    assert (record.absorbed, record.changes, record.moved) == ({}, {}, {})


def test_a_merge_is_undone_once(anna, double, member):
    record = merge(anna.pk, double.pk, actor=member)
    assert undoable(anna.pk) == [record]
    unmerge(record.pk, actor=member)
    with pytest.raises(Conflict) as refusal:
        unmerge(record.pk, actor=member)
    assert refusal.value.code == "undone_before"
    assert undoable(anna.pk) == []


def test_an_address_that_somebody_took_meanwhile_stops_the_undo(anna, double, person, member):
    record = merge(anna.pk, double.pk, actor=member)
    person(email="berg@example.com")
    with pytest.raises(Conflict) as refusal:
        unmerge(record.pk, actor=member)
    assert refusal.value.code == "address_taken"


def test_chains_of_merges_can_be_undone_from_the_end(anna, double, person, member):
    third = person(email="third@example.com")
    first = merge(double.pk, anna.pk, actor=member)
    second = merge(third.pk, double.pk, actor=member)
    assert {event.contact_id for event in history.of_contact(third.pk)} == {anna.pk, double.pk, third.pk}
    with pytest.raises(Missing):
        unmerge(first.pk, actor=member)
    unmerge(second.pk, actor=member)
    unmerge(first.pk, actor=member)
    assert Contact.objects.count() == 3


def test_deleting_the_survivor_scrubs_the_history_of_both(anna, double, member):
    opt_out(double, member)
    merge(anna.pk, double.pk, actor=member)
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert not Merge.objects.exists()
    kept = ContactEvent.objects.filter(contact_id__in=[anna.pk, double.pk]).values_list("changes", flat=True)
    assert "Berg" not in str(list(kept))
    assert suppression.of_address("berg@example.com") is not None


@pytest.mark.parametrize("number", [0, 1])
def test_what_cannot_be_merged_is_refused(anna, member, number):
    with pytest.raises(Invalid) as refusal:
        merge(anna.pk, anna.pk * number, actor=member)
    assert list(refusal.value.fields) == ["other"]


def test_nobody_is_merged_into_nobody(anna, member):
    with pytest.raises(Missing):
        merge(404_404, anna.pk, actor=member)


def test_a_detail_that_does_not_exist_is_refused(anna, double, member):
    with pytest.raises(Invalid):
        merge(anna.pk, double.pk, actor=member, take=["unsubscribed"])


def test_a_page_opened_before_somebody_changed_one_of_them_is_stale(anna, double, member):
    opt_out(double, member)
    with pytest.raises(Stale):
        merge(anna.pk, double.pk, actor=member, versions=(1, 1))


def test_an_auditor_may_neither_merge_nor_undo(anna, double, member, auditor):
    with pytest.raises(Forbidden):
        merge(anna.pk, double.pk, actor=auditor)
    record = merge(anna.pk, double.pk, actor=member)
    with pytest.raises(Forbidden):
        unmerge(record.pk, actor=auditor)


LONG_AGO, LATELY = dt.date(2022, 1, 10), dt.date(2026, 10, 1)
INTEREST = Authorization(AuthorizationType.LEGITIMATE_INTEREST)


def set_clock(someone, since, reviewed=None):
    ComplianceCard.objects.filter(pk=someone.pk).update(basis_since=since, reviewed_on=reviewed)


@pytest.mark.parametrize(
    ("mine", "theirs", "since"),
    [
        ((CONTRACT, LATELY), (INTEREST, LONG_AGO), LONG_AGO),
        ((INTEREST, LONG_AGO), (CONTRACT, LATELY), LONG_AGO),
        ((INTEREST, LATELY), (INTEREST, LONG_AGO), LONG_AGO),
        ((INTEREST, LONG_AGO), (INTEREST, LATELY), LONG_AGO),
        ((INTEREST, LATELY), (CONTRACT, LONG_AGO), LATELY),
    ],
)
def test_a_merge_reviews_nothing(person, member, mine, theirs, since):
    one, two = person(email="one@example.com", authorization=mine[0]), person(last_name="B", authorization=theirs[0])
    set_clock(one, mine[1])
    set_clock(two, theirs[1])
    asks = verdict_of(one if since == mine[1] else two)
    record = merge(one.pk, two.pk, actor=member)
    card = card_of(one.pk)
    assert (card.authorization_type, card.basis_since) == (AuthorizationType.LEGITIMATE_INTEREST, since)
    assert verdict_of(one) == asks
    assert differences() == {}
    unmerge(record.pk, actor=member)
    assert (card_of(one.pk).basis_since, card_of(two.pk).basis_since) == (mine[1], theirs[1])
    assert card_of(one.pk).authorization_type == mine[0].type


def test_the_clock_of_a_merged_basis_is_told_for_any_past_day(person, member):
    one, two = person(email="one@example.com", authorization=CONTRACT), person(last_name="B", authorization=INTEREST)
    set_clock(two, LONG_AGO, LONG_AGO)
    merge(one.pk, two.pk, actor=member)
    [state] = asof.states([(one.pk, timezone.now())])
    assert (state.basis_since, state.reviewed_on) == (LONG_AGO, LONG_AGO)


def test_a_review_of_a_consent_stays_with_it(person, member):
    one, two = person(email="one@example.com", authorization=CONTRACT), person(last_name="B", authorization=CONSENT)
    set_clock(two, LATELY, LATELY)
    merge(one.pk, two.pk, actor=member)
    assert card_of(one.pk).reviewed_on == LATELY


def test_two_people_listed_under_one_rule_are_merged(person, member):
    one, two = person(email="one@example.com"), person(last_name="B")
    rule, other_rule = (RetentionRule.objects.create(name=name, age_months=12) for name in ("old", "older"))
    kept = RetentionCase.objects.create(rule=rule, contact_id=one.pk)
    for each in (rule, other_rule):
        RetentionCase.objects.create(rule=each, contact_id=two.pk, warned_at=timezone.now())
    record = merge(one.pk, two.pk, actor=member)
    assert list(RetentionCase.objects.values_list("pk", "contact_id", "warned_at")) == [(kept.pk, one.pk, None)]
    unmerge(record.pk, actor=member)
    assert Contact.objects.filter(pk__in=[one.pk, two.pk]).count() == 2


def test_failures_of_an_address_count_for_whoever_has_it(person, member):
    one, two = person(email="one@example.com"), person(email="two@example.com")
    for each in (one, two):
        failures.count(each.pk, each.address_hash, key="1", said="full")
    merge(one.pk, two.pk, actor=member, take=["email"])
    assert list(MailFailure.objects.values_list("contact_id", "address_hash")) == [(one.pk, two.address_hash)]


def verdict_of(someone) -> str:
    card = ComplianceCard.objects.select_related("contact").get(pk=someone.pk)
    return current_verdict.judged(card, timezone.now()).code


def test_the_preview_says_which_basis_stands_since_when_and_what_is_given_up(person, signed_in):
    news = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="News")
    events = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 5, 1), consent_purpose="Events")
    one, two = person(email="one@example.com", authorization=events), person(last_name="B", authorization=news)
    set_clock(two, LATELY)
    page = signed_in.get(f"/people/{one.pk}/merge/?other={two.pk}").content.decode()
    stands, lost = page.index("The stricter authorization stands"), page.index("This authorization is given up")
    assert "News" in page[stands:lost]
    assert "1 October 2026" in page[stands:lost]
    assert "Events" in page[lost:]
    same = signed_in.get(f"/people/{one.pk}/merge/?other={person(last_name='C', authorization=events).pk}")
    assert "is given up" not in same.content.decode()

"""A person who says no at the moment in which a colleague puts an older yes on record, or merges two records."""

import time
from contextlib import suppress

import pytest
from django.utils import timezone

from compliance.card import editing
from compliance.models import ComplianceCard
from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.lib.errors import Conflict, Invalid, Missing, Stale
from tests.evidence import evidence
from tests.interleaving import at_once
from tests.mailing import DRAFT
from tests.soak import ROUNDS
from unsubscribes.evidence import reconsent as removal
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.links import links
from unsubscribes.mail import mailing
from unsubscribes.merging.merge import merge
from unsubscribes.models import MailLink
from unsubscribes.opt_outs import of_person

pytestmark = [
    pytest.mark.soak,
    pytest.mark.race,
    pytest.mark.django_db(transaction=True),
]


def unsubscribed(person, turn):
    someone = person(email=f"turn{turn}@example.com")
    link = links.make(someone)
    links.opt_out(link, source="one_click", reason="")
    return ComplianceCard.objects.get(pk=someone.pk), link


def is_consistent(card, turn) -> bool:
    """Return whether the person is unsubscribed; mark, suppression and history must say the same."""
    card.refresh_from_db()
    held = suppression.of_address(f"turn{turn}@example.com") is not None
    newest = of_person.of_person(Contact.objects.select_related("card").get(pk=card.pk))[0].kind
    assert (held, newest) == ((True, "unsubscribed") if card.unsubscribed else (False, "resubscribed"))
    return card.unsubscribed


def test_of_two_acts_at_once_the_later_one_stands_and_at_the_same_moment_the_no(person, administrator, monkeypatch):
    yes_began = []
    clock = removal._clock
    monkeypatch.setattr(removal, "_clock", lambda: yes_began.append(clock()) or yes_began[-1])
    ends, refused = [], []
    for turn in range(ROUNDS):
        card, link = unsubscribed(person, turn)
        no_began = []

        def say_no(link=link, turn=turn, no_began=no_began):
            time.sleep(0.002 * (turn % 3))
            no_began.append(timezone.now())
            links.opt_out(link, source="one_click", reason="")

        def record_yes(card=card, turn=turn):
            time.sleep(0.002 * (turn % 4))
            try:
                reconsent(card.pk, evidence(), actor=administrator)
            except Conflict as refusal:
                refused.append(refusal.code)

        at_once(say_no, record_yes)
        ends.append(is_consistent(card, turn))
        assert ends[-1] or no_began[0] < yes_began[-1]
    assert len(yes_began) == ROUNDS
    assert True in ends
    assert set(refused) <= {"unsubscribed_again"}


def test_a_yes_from_a_form_that_was_opened_before_the_no_never_wins(person, administrator):
    for turn in range(ROUNDS):
        card, link = unsubscribed(person, turn)

        def record_yes(card=card):
            with suppress(Stale, Conflict):
                reconsent(card.pk, evidence(), actor=administrator, version=card.version)

        at_once(lambda link=link: links.opt_out(link, source="clicked_link", reason=""), record_yes)
        assert is_consistent(card, turn)


def test_two_administrators_remove_an_unsubscribe_once(person, administrator):
    for turn in range(ROUNDS):
        card, _link = unsubscribed(person, turn)
        refused = []

        def record_yes(card=card, refused=refused):
            try:
                reconsent(card.pk, evidence(), actor=administrator)
            except Conflict as refusal:
                refused.append(refusal.code)

        at_once(record_yes, record_yes)
        assert refused == ["not_unsubscribed"]
        assert not is_consistent(card, turn)


def test_a_no_takes_the_address_that_is_typed_in_at_the_same_moment(person, member):
    for turn in range(ROUNDS):
        someone = person(email=f"turn{turn}@example.com")
        people, address = Contact.objects.filter(pk=someone.pk), f"new{turn}@example.com"
        at_once(
            lambda people=people: suppression.unsubscribe(people, actor=member, source="manual"),
            lambda pk=someone.pk, address=address: editing.edit(pk, {"email": address}, actor=member),
        )
        assert ComplianceCard.objects.get(pk=someone.pk).unsubscribed
        assert suppression.of_address(address) is not None


def test_a_no_is_not_lost_between_two_records_that_are_being_merged(person, member):
    for turn in range(ROUNDS):
        survivor = person(email=f"turn{turn}@example.com")
        other = person(email=f"other{turn}@example.com")
        message = mailing.write_to_one(other.pk, DRAFT, actor=member)
        link: MailLink = links.make(other)
        message.link = link
        message.save(update_fields=["link"])
        at_once(
            lambda link=link: links.opt_out(link, source="one_click", reason=""),
            lambda one=survivor, two=other: merge(one.pk, two.pk, actor=member),
        )
        assert ComplianceCard.objects.get(pk=survivor.pk).unsubscribed
        for address in (f"turn{turn}@example.com", f"other{turn}@example.com"):
            assert suppression.of_address(address) is not None


def test_two_merges_in_opposite_directions_leave_one_record(person, member):
    for turn in range(ROUNDS):
        one, two = person(email=f"one{turn}@example.com"), person(email=f"two{turn}@example.com")

        def into(survivor, other):
            with suppress(Missing, Invalid):
                merge(survivor.pk, other.pk, actor=member)

        at_once(lambda one=one, two=two: into(one, two), lambda one=one, two=two: into(two, one))
        assert Contact.objects.filter(pk__in=[one.pk, two.pk]).count() == 1

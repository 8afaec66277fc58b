"""Each act, once, through each of its doors: it is done, and is one event. Else the machine would prove nothing."""

from contextlib import closing, contextmanager

import pytest
from django.db import transaction

from compliance.card.creation import create_person
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.card.staging import NewPerson
from contacts.models import Batch, ContactEvent
from salesconnect.common.history_words import describe
from tests.history_machine.acts import ACTS
from tests.history_machine.world import ADDRESSES, World

GROUNDS = [Authorization(kind) for kind in (AuthorizationType.LEGITIMATE_INTEREST, AuthorizationType.CONTRACT)]
BEFORE = {
    "consent_anew": ["opt_out"],
    "fail_to_send": ["write"],
    "follow_a_link": ["write", "send"],
    "hand_out_a_document": ["opt_out", "consent_anew"],
    "hand_out_the_unsubscribes": ["opt_out"],
    "lift": ["restrict"],
    "part": ["join"],
    "send": ["write"],
    "send_again": ["restrict", "write", "lift"],
    "take_back_an_edit": ["edit"],
    "undo": ["authorise_many"],
    "write": ["restrict"],
    "carry_out_a_request": ["take_in_a_request"],
}
"""What must have happened before an act makes a difference."""
HOW = {
    "create": 3,
    "bring_in_many": 3,
    "edit_card": 3,
    "authorise_many": 3,
    "set_source_of_many": 1,
    "consent_anew": 1,
    "take_in_a_request": 2,
}
ACTORS = {
    "link": "Recipient", "one click": "Recipient", "bounce": "Postmark", "complaint": "Postmark",
    "salesforce": "Sales Connect", "command": "Sales Connect", "list": "alice",
}  # fmt: skip
"""Who acts where it is not bob, the member."""
ADMINISTRATORS = {"consent_anew": "alice"}
DOORS = [(act.name, door) for act in ACTS.values() for door in act.doors if act.name != "apply_retention"]


@pytest.fixture
def world(movable_clock, alice, bob):
    """Return a function that makes a world of two people who may be mailed, which is gone at the end of its block."""

    @contextmanager
    def begin():
        with transaction.atomic(), closing(World(alice, bob)) as it:
            for address, ground in zip(ADDRESSES, GROUNDS, strict=False):
                details = it.name() | {"email": address, "company": "Exempel AB"}
                create_person(NewPerson(details, ground, Source(SourceType.IMPORT)), actor=it.member)
            yield it
            transaction.set_rollback(True)

    return begin


def done(it: World, name: str, door: str) -> tuple[list[ContactEvent], bool]:
    """Do something to the first person and return what came of it, and whether it was a bulk order."""
    it.clock.move()
    newest, orders = ContactEvent.objects.latest("id").id, Batch.objects.count()
    ACTS[name].do(it, door, 0, HOW.get(name, 0))
    events = ContactEvent.objects.filter(id__gt=newest).order_by("id")
    return list(events), Batch.objects.count() > orders


def test_each_act_is_one_event_of_who_did_it_through_every_door(world, subtests):
    for name, door in [
        (act.name, door) for act in ACTS.values() for door in act.doors if act.name != "apply_retention"
    ]:
        with subtests.test(act=name, door=door), world() as it:
            for earlier in BEFORE.get(name, []):
                done(it, earlier, ACTS[earlier].doors[0])
            events, is_order = done(it, name, door)
            mine = [event for event in events if event.action == ACTS[name].leaves]
            assert bool(mine) == bool(ACTS[name].leaves)
            assert len({event.contact_id for event in mine}) == len(mine)
            assert {event.actor_name for event in mine} <= {ACTORS.get(door, ADMINISTRATORS.get(name, "bob"))}
            assert {event.batch_id is not None for event in mine} <= {is_order}
            assert all(describe(event) != f"{event.actor_name}: {event.action}" for event in mine)


def test_retention_erases_whose_time_is_over(world, subtests):
    for door in ACTS["apply_retention"].doors:
        with subtests.test(door=door), world() as it:
            done(it, "rule_retention", "service")
            assert done(it, "apply_retention", door)[0] == []
            it.let_pass(days=200)
            assert done(it, "apply_retention", door)[0] == []
            it.let_pass(days=6)
            assert {event.action for event in done(it, "apply_retention", door)[0]} == {"deleted"}
            assert it.people == []

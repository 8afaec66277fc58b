"""Whatever is done to people in whatever order: who said no gets no mail."""

import os

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from compliance import creation, editing, orders, staging, suppression
from compliance.rules import Authorization, AuthorizationType, Source
from compliance.staging import NewPerson
from contacts import batches
from contacts.models import Contact
from contacts.rules import normalise_address
from exports import erasure
from salesconnect.lib.actor import Actor, system
from salesconnect.lib.errors import Conflict, Invalid
from tests.unsubscribes.evidence import evidence
from unsubscribes import history, links
from unsubscribes.mail import gate
from unsubscribes.merge import merge
from unsubscribes.reconsent import reconsent
from unsubscribes.unmerge import undoable, unmerge

EXAMPLES, STEPS = (500, 60) if os.environ.get("SOAK") else (25, 40)
CONTRACT = Authorization(AuthorizationType.CONTRACT)
# Few addresses in many spellings, so that people meet.
ADDRESSES = st.sampled_from(
    ["a@example.com", "A@Example.com", " a@EXAMPLE.COM ", "b@example.com", "Ö@exempel.se", "ö@exempel.se"]
)
PLACES = st.integers(0, 3)


def people_here(_machine: object) -> bool:
    """Tell whether there is anybody to do something with."""
    return Contact.objects.exists()


class WhoSaidNo(RuleBasedStateMachine):
    """People come and go; `said_no` holds what is known from outside: the addresses that said no and no yes since."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.actor: Actor = system("page")
        self.said_no: set[str] = set()
        self.links: list[tuple[str, links.MailLink]] = []

    @initialize()
    def begin_with_three(self):
        """Begin with three people, each of whom has a mail with a link."""
        for address in ("a@example.com", "b@example.com", "ö@exempel.se"):
            self.create(address)

    def teardown(self) -> None:
        """Forget everything that this run did."""
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    def people(self) -> list[Contact]:
        """Return the people there are."""
        return list(Contact.objects.select_related("card").order_by("pk"))

    def someone(self, place: int) -> Contact:
        """Return one of the people there are."""
        people = self.people()
        return people[place % len(people)]

    def mail_a_link(self, person: Contact) -> None:
        """Mail somebody a link, which works for ever."""
        if person.email:
            self.links.append((person.email_key, links.make(person)))

    @rule(address=ADDRESSES)
    def create(self, address):
        """Create a person by hand."""
        try:
            person = NewPerson({"last_name": "Berg", "email": address.strip()}, CONTRACT)
            self.mail_a_link(creation.create_person(person, actor=self.actor))
        except Conflict:
            pass

    @rule(addresses=st.lists(ADDRESSES, min_size=1, max_size=3, unique_by=normalise_address), opted_out=st.booleans())
    def bring_in(self, addresses, opted_out):
        """Import people; some files say that they opted out."""
        known = set(Contact.objects.values_list("email_key", flat=True))
        new = [address for address in addresses if normalise_address(address) not in known]
        staging.stage(NewPerson({"email": address.strip()}, CONTRACT, Source(), opted_out=opted_out) for address in new)
        creation.create_staged(actor=self.actor, owner_id=None)
        if opted_out:
            self.said_no |= {normalise_address(address) for address in new}

    @precondition(people_here)
    @rule(place=PLACES, address=ADDRESSES)
    def edit_address(self, place, address):
        """Change somebody's address; a no goes along."""
        person = self.someone(place)
        try:
            editing.edit(person.pk, {"email": address.strip()}, actor=self.actor)
        except Conflict:
            return
        if person.card.unsubscribed or normalise_address(address) in self.said_no:
            self.said_no |= {normalise_address(address)}

    @precondition(people_here)
    @rule(place=PLACES)
    def delete(self, place):
        """Delete somebody."""
        erasure.delete(Contact.objects.filter(pk=self.someone(place).pk), actor=self.actor)

    @rule()
    def authorise_and_undo(self):
        """Set an authorization for all, and take it back."""
        params = orders.authorization_params(CONTRACT)
        orders.undo(
            batches.order(Contact.objects.all(), "authorization", actor=self.actor, params=params), actor=self.actor
        )

    @rule(place=st.integers(0, 9))
    def follow_a_link(self, place):
        """Let somebody follow a link, however old it is."""
        address, link = self.links[place % len(self.links)]
        links.opt_out(link, source="clicked_link", reason="")
        self.said_no.add(address)

    @precondition(people_here)
    @rule(place=PLACES, source=st.sampled_from(["manual", "salesforce_sync", "bounce"]))
    def unsubscribe(self, place, source):
        """Opt somebody out."""
        person = self.someone(place)
        suppression.unsubscribe(Contact.objects.filter(pk=person.pk), actor=self.actor, source=source)
        self.said_no |= {person.email_key} - {""}

    @precondition(people_here)
    @rule(place=PLACES)
    def consent_anew(self, place):
        """Put a new consent on record."""
        person = self.someone(place)
        if person.card.unsubscribed:
            reconsent(person.pk, evidence(), actor=self.actor)
            self.said_no -= {person.email_key}

    @precondition(lambda self: len(self.people()) > 1)
    @rule(place=PLACES, take=st.booleans())
    def merge_two(self, place, take):
        """Merge two people; a no of one is the no of both addresses."""
        one, two = self.someone(place), self.someone(place + 1)
        merge(one.pk, two.pk, actor=self.actor, take=["email"] if take else [])
        if one.card.unsubscribed or two.card.unsubscribed:
            self.said_no |= {one.email_key, two.email_key} - {""}

    @precondition(people_here)
    @rule(place=PLACES)
    def undo_a_merge(self, place):
        """Take a merge back; no opt-out is lifted by it."""
        person = self.someone(place)
        for record in undoable(person.pk)[:1]:
            try:
                with transaction.atomic():
                    unmerge(record.pk, actor=self.actor)
            except (Conflict, Invalid):
                continue
            if person.card.unsubscribed:
                self.said_no |= {Contact.objects.get(pk=record.absorbed_id).email_key} - {""}

    @invariant()
    def who_said_no_gets_no_mail(self):
        """Ask the gate for everybody, and the suppressions for those who are gone."""
        held = {decision.contact.email_key: decision.reason for decision in gate.decide(Contact.objects.all())}
        for address in self.said_no:
            assert suppression.of_address(address) is not None
            assert held.get(address, "unsubscribed") == "unsubscribed"

    @invariant()
    def mark_and_suppression_agree(self):
        """Whoever has a suppressed address is marked, and whoever is marked has a history that says so."""
        for person in Contact.objects.select_related("card"):
            suppressed = suppression.of_address(person.email_key) is not None
            assert person.card.unsubscribed == suppressed or not person.email
            told = history.of_person(person)
            assert person.card.unsubscribed == bool(told and told[0].kind == "unsubscribed")


@pytest.mark.django_db
def test_who_said_no_gets_no_mail_whatever_is_done():
    run_state_machine_as_test(
        WhoSaidNo,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

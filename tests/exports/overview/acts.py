"""Random acts on people through every service that changes a card, and the figures counted one by one."""

import datetime as dt
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from django.utils import timezone

from compliance.acts.authorization import authorization_params
from compliance.card import card_changes, editing
from compliance.card.creation import create_person
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import NOT_RECORDED, Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.card.staging import NewPerson
from compliance.models import ComplianceCard, Policy
from compliance.review import restriction
from compliance.suppression import suppression
from compliance.verdict import policy
from compliance.verdict.reason_registry import months_before
from contacts.jobs import batches, bulk_undo
from contacts.models import Contact
from exports.erasure import erasure
from exports.overview import figures
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Conflict, Restricted
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.evidence.rules import Channel, Evidence
from unsubscribes.merging import merge, unmerge


def authorization(dice: random.Random) -> Authorization:
    """Return a legal basis, in a third of the cases a consent of any age."""
    if dice.random() < 0.34:
        given = timezone.localdate() - dt.timedelta(days=dice.randrange(1_500))
        return Authorization(AuthorizationType.CONSENT, consent_date=given, consent_purpose="Newsletter")
    return Authorization(dice.choice([None, *list(AuthorizationType)[1:]]))


def source(dice: random.Random) -> Source:
    """Return a source, or that it is not known."""
    return Source(dice.choice([None, *SourceType]))


class Team:
    """Does something random to random people, as `actor`, who may do everything."""

    def __init__(self, seed: int, actor: Actor) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - the same seed shall do the same
        self.actor = actor
        self.made = 0
        self.acts: list[Callable[[], object]] = [
            self.create, self.create, self.authorise, self.set_source, self.unsubscribe, self.reconsent, self.edit,
            self.order, self.restrict, self.merge, self.unmerge, self.delete,
        ]  # fmt: skip

    def act(self) -> None:
        """Do one thing; somebody restricted, or an address that is taken, may refuse it."""
        with suppress(Restricted, Conflict):
            self.dice.choice(self.acts)()

    def some(self) -> object:
        """Return some of the people who are there."""
        ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
        return Contact.objects.filter(pk__in=self.dice.sample(ids, min(len(ids), self.dice.randrange(1, 5))))

    def create(self) -> None:
        """Bring somebody in, now and then with an address that said no."""
        self.made += 1
        address = f"p{self.dice.randrange(1, 40)}@example.com"
        if not Contact.objects.filter(email_key=address).exists():
            new = NewPerson({"last_name": f"Berg {self.made}", "email": address}, authorization(self.dice))
            create_person(NewPerson(new.details, new.authorization, source(self.dice)), actor=self.actor)

    def authorise(self) -> None:
        """Set a legal basis."""
        card_changes.authorise(self.some(), authorization(self.dice), actor=self.actor)

    def set_source(self) -> None:
        """Set a source."""
        card_changes.set_source(self.some(), source(self.dice), actor=self.actor)

    def unsubscribe(self) -> None:
        """Opt out."""
        suppression.unsubscribe(self.some(), actor=self.actor, source="manual")

    def reconsent(self) -> None:
        """Take back an opt-out."""
        person = Contact.objects.filter(card__unsubscribed=True).exclude(email="").order_by("pk").first()
        if person:
            given = Evidence(
                timezone.localdate(),
                Channel.PHONE,
                "Yes, again.",
                "Newsletter",
                "Note of the call, binder 12 of the archive",
            )
            reconsent(person.pk, given, actor=self.actor)

    def edit(self) -> None:
        """Change an address, maybe to one that said no, as long as nobody has it."""
        person, address = self.some().first(), f"p{self.dice.randrange(1, 40)}@example.com"
        if person and not Contact.objects.filter(email_key=address).exists():
            editing.edit(person.pk, {"email": address}, actor=self.actor)

    def order(self) -> None:
        """Order a bulk change, and half the time take it back."""
        params = authorization_params(authorization(self.dice))
        batch = batches.order(self.some(), "authorization", actor=self.actor, params=params)
        if self.dice.random() < 0.5:
            bulk_undo.undo(batch, actor=self.actor)

    def restrict(self) -> None:
        """Restrict the processing, or lift that; who is restricted refuses most other acts."""
        act = restriction.restrict if self.dice.random() < 0.5 else restriction.lift
        act(self.some(), "The address is disputed.", actor=self.actor)

    def merge(self) -> None:
        """Merge two people."""
        pair = list(self.some()[:2])
        if len(pair) == 2:
            merge.merge(pair[0].pk, pair[1].pk, actor=self.actor)

    def unmerge(self) -> None:
        """Part two people who were merged."""
        for person in self.some():
            for record in unmerge.undoable(person.pk)[:1]:
                unmerge.unmerge(record.pk, actor=self.actor)

    def delete(self) -> None:
        """Delete people, fewer than come in."""
        if self.dice.random() < 0.3:
            erasure.delete(self.some(), actor=self.actor)


def counted(today: dt.date, cards: Sequence[Any] | None = None, rules: Policy | None = None) -> figures.Figures:
    """Return the figures counted card by card, of now or of `cards` under other `rules`."""
    grounds = dict.fromkeys((NOT_RECORDED, *AuthorizationType.slugs()), 0)
    sources = dict.fromkeys((NOT_RECORDED, *SourceType.slugs()), 0)
    by_age = dict.fromkeys((age.key for age in figures.ages(today)), 0)
    cards = list(ComplianceCard.objects.all()) if cards is None else cards
    limit = months_before(today, (rules or policy.current()).consent_months)
    for card in cards:
        grounds[AuthorizationType(card.authorization_type).slug if card.authorization_type else NOT_RECORDED] += 1
        sources[SourceType(card.source_type).slug if card.source_type else NOT_RECORDED] += 1
        for age in figures.ages(today):
            by_age[age.key] += bool(card.consent_date and age.holds(card.consent_date))
    return {
        "total": {"": len(cards)},
        "unsubscribed": {"": sum(card.unsubscribed for card in cards)},
        "old_consents": {"": sum(bool(card.consent_date and card.consent_date < limit) for card in cards)},
        "restricted": {"": sum(card.restricted_at is not None for card in cards)},
        "authorization": grounds,
        "source": sources,
        "consent_age": by_age,
    }

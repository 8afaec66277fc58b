"""Every act that touches a person is one event of who did it; acts on many carry their batch; all of it verifies."""

import pytest
from django.core.files.base import ContentFile

from compliance import editing, informing, orders, restriction, review, services, suppression
from compliance.imports import services as imports
from compliance.imports import working
from compliance.rules import Authorization, AuthorizationType, Source, SourceType
from contacts import batches, history
from contacts.models import Contact, ContactEvent, Verification
from contacts.sealing import services as sealing
from contacts.sealing import verification
from contacts.wording import describe
from exports import erasure
from exports import services as exports
from exports.pack import services as packs
from exports.pack import wording
from tests.unsubscribes.evidence import PDF, evidence
from unsubscribes import ledger_file, links, merge, records, unmerge
from unsubscribes import orders as mail_orders
from unsubscribes import services as mails
from unsubscribes.ledger import Wanted
from unsubscribes.mail import send
from unsubscribes.mail.compose import Draft
from unsubscribes.models import ConsentEvidence
from unsubscribes.reconsent import reconsent

CONTRACT = Authorization(AuthorizationType.CONTRACT)
DRAFT = Draft("News", "Hello")
CHANGED = orders.authorization_params(Authorization(AuthorizationType.LEGITIMATE_INTEREST))


@pytest.fixture(autouse=True)
def files_of_their_own(settings, tmp_path):
    """Keep what a test writes to files away from what others write."""
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"default": storage}
    settings.DATA_DIR = tmp_path


class Life:
    """A person, and what is done to the person, step by step."""

    def __init__(self, contact, alice, actor):
        self.contact, self.alice, self.actor = contact, alice, actor
        self.merge = None

    @property
    def people(self):
        return Contact.objects.filter(pk=self.contact.pk)

    def send(self):
        mails.write_to_one(self.contact.pk, DRAFT, actor=self.actor)
        send.drain()

    def remove_unsubscribe(self):
        reconsent(self.contact.pk, evidence(document=ContentFile(PDF, "form.pdf")), actor=self.actor)

    def merge_twin(self):
        twin = Contact.objects.get(email="twin@example.com")
        self.merge = merge.merge(self.contact.pk, twin.pk, actor=self.actor)

    def follow_link(self):
        links.opt_out(links.make(Contact.objects.get(pk=self.contact.pk)), source="one_click", reason="")

    def take_pack(self):
        packs.evidence_pack(self.contact.pk, actor=self.actor, words=wording.page, describe=describe).file.close()

    def import_again(self):
        content = b"Email,Title\nanna@example.com,Purchaser\n"
        working.run(imports.start(ContentFile(content), "people.csv", actor=self.actor).pk)


ACTS = (
    ("edited", lambda it: editing.edit(it.contact.pk, {"title": "Head of Sales"}, actor=it.actor)),
    ("edited", lambda it: editing.assign(it.contact.pk, it.alice, actor=it.actor)),
    ("edited", Life.import_again),
    ("authorization", lambda it: services.authorise(it.people, CONTRACT, actor=it.actor)),
    ("source", lambda it: services.set_source(it.people, Source(SourceType.OTHER, "Fair"), actor=it.actor)),
    ("informed", lambda it: informing.mark(it.people, actor=it.actor)),
    ("reviewed", lambda it: review.mark(it.people, actor=it.actor)),
    ("mailed", Life.send),
    ("exported", lambda it: exports.export_one(it.contact.pk, actor=it.actor, reason="Request 1")),
    ("exported", Life.take_pack),
    ("restricted", lambda it: restriction.restrict(it.people, "Disputed", actor=it.actor)),
    ("mail_held", Life.send),
    ("unrestricted", lambda it: restriction.lift(it.people, "Settled", actor=it.actor)),
    ("unsubscribed", lambda it: suppression.unsubscribe(it.people, actor=it.actor, source="manual")),
    ("exported", lambda it: list(ledger_file.export(Wanted(), actor=it.actor))),
    ("mail_held", Life.send),
    ("resubscribed", Life.remove_unsubscribe),
    ("exported", lambda it: records.hand_out(it.contact.pk, ConsentEvidence.objects.get().pk, actor=it.actor)),
    ("unsubscribed", Life.follow_link),
)
"""What is done, and the one event that comes of it. Whatever else follows from it is not about an act of its own."""

BULK = (
    ("authorization", lambda it: batches.order(it.people, "authorization", actor=it.actor, params=CHANGED)),
    ("authorization", lambda it: orders.undo(last_batch(), actor=it.actor)),
    ("exported", lambda it: exports.order_export(it.people, actor=it.actor, reason="Letter")),
    ("mail_held", lambda it: mail_orders.order_mail(it.people, DRAFT, actor=it.actor, selection={})),
    ("unsubscribed", lambda it: batches.order(it.people, "unsubscribe", actor=it.actor, params={"reason": ""})),
    ("deleted", lambda it: batches.order(it.people, "delete", actor=it.actor)),
)


def last_batch():
    return batches.Batch.objects.latest("pk")


@pytest.fixture
def life(person, alice, administrator):
    """Return Anna at the beginning: with an address and nothing else on record."""
    return Life(person(first_name="Anna", last_name="Berg", email="anna@example.com"), alice, administrator)


def done(act, life):
    """Do something and return the events of the person that came of it."""
    before = history.newest_id(life.contact.pk)
    act(life)
    return list(ContactEvent.objects.filter(contact_id=life.contact.pk, id__gt=before).order_by("id"))


def verified(actor):
    row = verification.begin(actor=actor)
    while verification.work(row.pk):
        continue
    row = Verification.objects.get(pk=row.pk)
    return row.good, row.problem, row.bad_event


def test_each_act_is_one_event_of_who_did_it_and_all_of_them_verify(life, administrator):
    told = []
    for expected, act in ACTS:
        events = [event for event in done(act, life) if event.action == expected]
        assert len(events) == 1, expected
        [event] = events
        assert event.actor_name == ("Recipient" if event.door == "link" else "alice"), expected
        assert describe(event) != f"{event.actor_name}: {event.action}", expected
        told.append(event.id)
        sealing.seal_open()
    assert sorted(set(told)) == told
    assert verified(administrator) == (True, "", None)


def test_acts_on_many_carry_their_batch_to_the_end(life, administrator):
    for expected, act in BULK:
        [event] = [event for event in done(act, life) if event.action == expected]
        assert event.batch_id == last_batch().pk, expected
        sealing.seal_open()
    assert not Contact.objects.exists()
    assert verified(administrator) == (True, "", None)


def test_a_merge_and_its_undoing_are_events_of_both_and_survive_an_erasure(life, person, administrator):
    person(first_name="Anna", last_name="Berg", email="twin@example.com", other="Met at the fair")
    assert "merged" in [event.action for event in done(Life.merge_twin, life)]
    assert "unmerged" in [event.action for event in done(lambda it: unmerge.unmerge(it.merge.pk, actor=it.actor), life)]
    sealing.seal_open()
    erasure.delete(Contact.objects.filter(email="twin@example.com"), actor=administrator)
    erasure.delete(life.people, actor=administrator)
    sealing.seal_open()
    assert verified(administrator) == (True, "", None)

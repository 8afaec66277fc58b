"""One act, every door: page, API, worker, command and file must leave the same rows and the same history."""

import datetime as dt
import io

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import Client

from compliance.acts.authorization import authorization_params
from compliance.card import card_changes, editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.imports import import_jobs, working
from compliance.models import Suppression
from contacts import tasks
from contacts.events import history
from contacts.jobs import batches
from contacts.jobs.selected import selected_act
from contacts.models import Contact, User
from contacts.people.field_registry import SORTED
from unsubscribes.links import links

ANNA = {"first_name": "Anna", "last_name": "Berg", "email": "anna@example.com", "company": "Exempel AB"}
LARS = ANNA | {"email": "lars@example.com"}
CSV = "First Name,Last Name,Email,Company\nAnna,Berg,anna@example.com,Exempel AB\n"
CONSENT = {"authorization_type": "consent", "consent_date": "2026-03-01", "consent_purpose": "Newsletter"}
CARD = ("authorization_type", "authorization_other", "consent_date", "consent_purpose", "unsubscribed", "version")
# The clocks are for the undo of a bulk change.
OF_THE_DOOR = {"line", "file", "source_type", "basis_since", "reviewed_on"}


def rows_of(contact_id: int) -> dict[str, object]:
    """Return what is stored of a person and of the history, without what belongs to the person or the door alone."""
    contact = Contact.objects.select_related("card").get(pk=contact_id)
    assert (contact.sort_last, contact.sort_first) == (contact.card.sort_last, contact.card.sort_first)
    events = history.of_contact(contact_id).values_list("action", "changes")
    return {
        "details": {name: getattr(contact, name) for name in ("first_name", "last_name", "company", *SORTED.values())},
        "card": {name: getattr(contact.card, name) for name in (*CARD, "sort_last", "sort_first")},
        "history": [
            (action, {name: value for name, value in changes.items() if name not in OF_THE_DOOR})
            for action, changes in events
        ],
    }


class Doors:
    """The acts as a person or a program calls them."""

    def __init__(self, signed_in: Client, api, member, monkeypatch, tmp_path) -> None:
        self.signed_in, self.api, self.member = signed_in, api, member
        self.monkeypatch, self.tmp_path = monkeypatch, tmp_path

    def create(self, door: str) -> None:
        if door == "page":
            card = {"authorization_type": "not_recorded", "source_type": "manual_upload"}
            assert self.signed_in.post("/people/new/", ANNA | card).status_code == 302
        elif door == "api":
            assert self.api.post("/api/v1/contacts/", ANNA, format="json").status_code == 201
        elif door == "file":
            working.run(import_jobs.start(ContentFile(CSV.encode()), "people.csv", actor=self.member).pk)
        else:
            (self.tmp_path / "people.csv").write_text(CSV)
            call_command("import_contacts", self.tmp_path / "people.csv", stdout=io.StringIO(), stderr=io.StringIO())

    def authorise(self, door: str, person: int) -> None:
        selection = {"selection": {"ids": [person]}}
        if door == "page":
            self.signed_in.post(
                f"/people/{person}/compliance/", CONSENT | {"source_type": "not_recorded", "version": 1}
            )
        elif door == "api":
            self.api.patch(f"/api/v1/contacts/{person}/", {"compliance": CONSENT}, format="json")
        elif door == "bulk page":
            self.signed_in.post("/people/bulk/authorization/", CONSENT | {"ids": person, "approved": 1})
        elif door == "bulk api":
            self.api.post("/api/v1/bulk/authorization/", selection | CONSENT, format="json")
        else:
            self.monkeypatch.setattr(batches, "INLINE_LIMIT", 0)
            params = authorization_params(consent())
            batch = batches.order(Contact.objects.filter(pk=person), "authorization", actor=self.member, params=params)
            assert batch.state == "queued"
            tasks.run_batch(batch.pk)

    def assign(self, door: str, person: int, owner: int) -> None:
        selection = {"selection": {"ids": [person]}}
        if door == "page":
            form = ANNA | {f"initial-{name}": value for name, value in ANNA.items()} | {"initial-owner": ""}
            self.signed_in.post(f"/people/{person}/details/", form | {"owner": owner, "version": 1})
        elif door == "api":
            self.api.patch(f"/api/v1/contacts/{person}/", {"owner": owner}, format="json")
        elif door == "bulk page":
            self.signed_in.post("/people/bulk/owner/", {"owner": owner, "ids": person, "approved": 1})
        elif door == "bulk api":
            self.api.post("/api/v1/bulk/owner/", selection | {"owner": owner}, format="json")
        else:
            self.monkeypatch.setattr(batches, "INLINE_LIMIT", 0)
            act = selected_act("owner")
            params = act.params({"owner": User.objects.get(pk=owner)})
            batch = act.order(Contact.objects.filter(pk=person), params, actor=self.member)
            assert batch.state == "queued"
            tasks.run_batch(batch.pk)

    def unsubscribe(self, door: str, person: int) -> None:
        reason = {"reason": "enough"}
        if door == "page":
            self.signed_in.post(f"/people/{person}/unsubscribe/", reason)
        elif door == "api":
            self.api.post(f"/api/v1/contacts/{person}/unsubscribes/", reason, format="json")
        elif door == "bulk page":
            self.signed_in.post("/people/bulk/unsubscribe/", reason | {"ids": person, "approved": 1})
        elif door == "bulk api":
            self.api.post("/api/v1/bulk/unsubscribe/", reason | {"selection": {"ids": [person]}}, format="json")
        else:
            body = {"List-Unsubscribe": "One-Click"} if door == "one click" else reason
            Client().post(links.url(links.make(Contact.objects.get(pk=person))), body)

    def delete(self, door: str, person: int) -> None:
        if door == "page":
            self.signed_in.post(f"/people/{person}/delete/")
        elif door == "api":
            assert self.api.delete(f"/api/v1/contacts/{person}/").status_code == 204
        elif door == "bulk page":
            self.signed_in.post("/people/bulk/delete/", {"ids": person, "approved": 1})
        else:
            self.api.post("/api/v1/bulk/delete/", {"selection": {"ids": [person]}}, format="json")


def consent() -> Authorization:
    return Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")


@pytest.fixture
def doors(signed_in, api, member, monkeypatch, tmp_path) -> Doors:
    return Doors(signed_in, api, member, monkeypatch, tmp_path)


@pytest.fixture
def anna(person) -> int:
    return person(**ANNA).pk


@pytest.fixture
def lars(person) -> int:
    return person(**LARS).pk


@pytest.mark.parametrize("door", ["page", "api", "file", "command"])
def test_creating_leaves_the_same_rows(door, doors, lars):
    doors.create(door)
    assert rows_of(Contact.objects.get(email="anna@example.com").pk) == rows_of(lars)


@pytest.mark.parametrize("door", ["page", "api", "bulk page", "bulk api", "worker"])
def test_authorising_leaves_the_same_rows(door, doors, anna, lars, member):
    card_changes.authorise(Contact.objects.filter(pk=lars), consent(), actor=member)
    doors.authorise(door, anna)
    assert rows_of(anna) == rows_of(lars)


@pytest.mark.parametrize("door", ["page", "api", "bulk page", "bulk api", "worker"])
def test_giving_people_an_owner_leaves_the_same_rows(door, doors, anna, lars, alice):
    editing.assign(lars, alice, actor=doors.member)
    doors.assign(door, anna, alice.pk)
    assert Contact.objects.get(pk=anna).owner == alice
    assert rows_of(anna) == rows_of(lars)


@pytest.mark.parametrize("door", ["page", "api", "bulk page", "bulk api", "link", "one click"])
def test_a_no_is_the_same_no(door, doors, anna):
    doors.unsubscribe(door, anna)
    contact, held = Contact.objects.select_related("card").get(pk=anna), Suppression.objects.get()
    assert contact.card.unsubscribed
    assert (held.address_hash, held.hash_key) == (contact.address_hash, contact.address_hash_key)
    assert held.source == {"link": "clicked_link", "one click": "one_click"}.get(door, "manual")
    assert [event.action for event in history.of_contact(anna)] == ["unsubscribed", "created"]


@pytest.mark.parametrize("door", ["page", "api", "bulk page", "bulk api"])
def test_deleting_leaves_the_same_traces(door, doors, anna):
    doors.delete(door, anna)
    assert (Contact.objects.count(), Suppression.objects.count()) == (0, 0)
    left = [(event.action, event.changes) for event in history.of_contact(anna)]
    assert left == [("deleted", {}), ("created", {})]

"""Bulk "set owner": page, API and worker, and taking it back."""

import json
import re

import pytest
from django.test import Client

from compliance.card import editing
from compliance.models import ComplianceCard
from compliance.review import restriction
from contacts import tasks
from contacts.events import history
from contacts.jobs import batches, bulk_undo
from contacts.jobs.selected import selected_act
from contacts.models import Batch, Contact
from salesconnect.lib.actor import Forbidden
from salesconnect.lib.errors import Invalid

HTMX = {"HX-Request": "true", "HX-Target": "dialog-root"}
EVERYBODY = {"selection": {"filter": {}}}
NOBODY = 2**62


@pytest.fixture
def three(person, alice, bob) -> list[Contact]:
    """Return people of alice, of bob and of nobody."""
    owned = {"a@example.com": alice, "b@example.com": bob, "c@example.com": None}
    return [person(email=email, owner=owner) for email, owner in owned.items()]


@pytest.fixture
def closed(charlie):
    """Return a user whose account is closed."""
    charlie.is_active = False
    charlie.save()
    return charlie


def give(people, owner, *, actor) -> Batch:
    act = selected_act("owner")
    return act.order(people, act.params({"owner": owner}), actor=actor)


def owners() -> list[str | None]:
    return [person.owner and person.owner.username for person in Contact.objects.order_by("pk").select_related("owner")]


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_who_has_another_owner_changes_with_one_event_each_as_a_single_edit_writes_it(three, alice, bob, member):
    batch = give(Contact.objects.all(), bob, actor=member)
    assert (batch.changed, batch.unchanged, batch.refused, owners()) == (2, 1, {}, ["bob"] * 3)
    events = [history.of_contact(person.pk).first() for person in three]
    assert [(event.action, event.changes, event.batch_id) for event in events] == [
        ("edited", {"owner": ["alice", "bob"], "owner_id": [alice.pk, bob.pk]}, batch.pk),
        ("created", events[1].changes, None),
        ("edited", {"owner": [None, "bob"], "owner_id": [None, bob.pk]}, batch.pk),
    ]
    assert list(ComplianceCard.objects.order_by("pk").values_list("version", flat=True)) == [2, 1, 2]


def test_doing_it_again_changes_nobody(three, bob, member):
    give(Contact.objects.all(), bob, actor=member)
    again = give(Contact.objects.all(), bob, actor=member)
    assert (again.changed, again.unchanged) == (0, 3)


def test_people_can_be_given_to_nobody(three, member):
    assert (give(Contact.objects.all(), None, actor=member).changed, owners()) == (2, [None] * 3)


def test_restricted_people_keep_their_owner_and_are_counted_beforehand(three, bob, member):
    restriction.restrict(Contact.objects.filter(pk=three[0].pk), "Contested", actor=member)
    act = selected_act("owner")
    counts = act.preview(Contact.objects.all(), act.params({"owner": bob}))
    batch = give(Contact.objects.all(), bob, actor=member)
    assert (counts.total, counts.change, counts.unchanged, counts.restricted) == (3, 1, 1, 1)
    assert (batch.changed, batch.unchanged, batch.refused) == (1, 1, {"restricted": 1})
    assert owners() == ["alice", "bob", "bob"]


def test_an_owner_has_an_open_account(three, closed, api):
    with pytest.raises(Invalid):
        selected_act("owner").params({"owner": closed})
    answer = api.post("/api/v1/bulk/owner/", EVERYBODY | {"owner": closed.pk}, format="json")
    assert (answer.status_code, list(answer.json())) == (400, ["owner"])


def test_an_account_that_is_closed_after_the_order_gets_nobody(three, charlie, member, monkeypatch):
    monkeypatch.setattr(batches, "INLINE_LIMIT", 0)
    batch = give(Contact.objects.all(), charlie, actor=member)
    charlie.is_active = False
    charlie.save()
    tasks.run_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.changed, batch.refused) == ("done", 0, {"owner_closed": 3})
    assert owners() == ["alice", "bob", None]


def test_an_undo_gives_everybody_back_but_who_was_given_to_somebody_else_since(three, alice, bob, member):
    batch = give(Contact.objects.all(), bob, actor=member)
    editing.assign(three[2].pk, alice, actor=member)
    undo = bulk_undo.undo(batch, actor=member)
    assert (undo.changed, undo.refused, owners()) == (1, {"changed_since": 1}, ["alice", "bob", "alice"])
    newest = history.of_contact(three[0].pk).first()
    assert (newest.action, newest.changes) == ("edited", {"owner": ["bob", "alice"], "owner_id": [bob.pk, alice.pk]})


def test_an_undo_leaves_other_edits_of_the_same_people_alone(three, bob, member):
    batch = give(Contact.objects.all(), bob, actor=member)
    editing.edit(three[0].pk, {"title": "Head of Sales"}, actor=member)
    assert bulk_undo.undo(batch, actor=member).changed == 2
    assert owners() == ["alice", "bob", None]
    assert Contact.objects.get(pk=three[0].pk).title == "Head of Sales"


def test_an_undo_gives_back_to_an_account_that_is_closed_now(three, alice, bob, member):
    batch = give(Contact.objects.all(), bob, actor=member)
    alice.is_active = False
    alice.save()
    assert (bulk_undo.undo(batch, actor=member).changed, owners()) == (2, ["alice", "bob", None])


def test_an_undo_asks_for_the_right_again_when_it_runs(three, bob, member, monkeypatch):
    batch = give(Contact.objects.all(), bob, actor=member)
    monkeypatch.setattr(batches, "INLINE_LIMIT", 0)
    undo = bulk_undo.undo(batch, actor=member)
    bob.role = "auditor"
    bob.save()
    tasks.run_batch(undo.pk)
    undo.refresh_from_db()
    assert (undo.state, owners()) == ("failed", ["bob"] * 3)


def test_an_auditor_may_not(three, bob, auditor):
    with pytest.raises(Forbidden):
        give(Contact.objects.all(), bob, actor=auditor)


def test_the_api_counts_then_changes_and_takes_it_back_by_its_number(three, api, bob):
    body = {"selection": {"ids": [person.pk for person in three] + [NOBODY]}, "owner": bob.pk}
    planned = api.post("/api/v1/bulk/owner/", body | {"dry_run": True}, format="json").json()
    assert (planned["batch"], owners()) == (None, ["alice", "bob", None])
    done = api.post("/api/v1/bulk/owner/", body, format="json").json()
    for answer in (planned, done):
        assert {name: answer[name] for name in ("kind", "total", "changed", "unchanged", "refused")} == {
            "kind": "owner",
            "total": 4,
            "changed": 2,
            "unchanged": 1,
            "refused": [{"reason": "not_found", "count": 1}],
        }
    assert api.post(f"/api/v1/batches/{done['batch']}/undo/").json()["changed"] == 2
    assert owners() == ["alice", "bob", None]


def test_the_api_wants_the_owner_named_or_null(three, api):
    answer = api.post("/api/v1/bulk/owner/", EVERYBODY, format="json")
    assert (answer.status_code, list(answer.json())) == (400, ["owner"])
    assert api.post("/api/v1/bulk/owner/", EVERYBODY | {"owner": None}, format="json").json()["changed"] == 2


def test_a_repeat_with_the_same_key_gets_the_first_answer(three, api, bob):
    body, headers = EVERYBODY | {"owner": bob.pk}, {"Idempotency-Key": "once"}
    answers = [api.post("/api/v1/bulk/owner/", body, format="json", headers=headers).json() for _ in range(2)]
    assert (answers[0] == answers[1], Batch.objects.count()) == (True, 1)


def test_the_dialog_counts_while_one_chooses(three, signed_in, alice, bob, closed):
    chosen = {"ids": ",".join(str(person.pk) for person in three)}
    html = signed_in.post("/people/bulk/owner/", chosen, headers=HTMX).content.decode()
    assert 'tabindex="-1">Set owner for 3 people</h2>' in html
    assert re.findall(r'<option value="(\w*)"', html) == ["", "nobody", str(alice.pk), str(bob.pk)]
    assert "Choose an owner to see what would change." in text(html)
    shown = signed_in.post("/people/bulk/owner/preview/", chosen | {"owner": str(bob.pk)}, headers=HTMX)
    assert text(shown.content.decode()) == "2 change · 1 unchanged Set for 2"
    shown = signed_in.post("/people/bulk/owner/preview/", chosen | {"owner": "nobody"}, headers=HTMX)
    assert text(shown.content.decode()) == "2 change · 1 unchanged Set for 2"


def test_the_dialog_gives_the_order_and_offers_to_take_it_back(three, signed_in, bob):
    form = {"filter": "", "approved": "3", "owner": str(bob.pk)}
    told = json.loads(signed_in.post("/people/bulk/owner/", form, headers=HTMX).headers["HX-Trigger"])
    batch = Batch.objects.get()
    assert (told["toast"]["message"], told["toast"]["undo_url"]) == (
        "Owner set for 2 people. 1 was unchanged.",
        f"/tasks/{batch.pk}/undo/",
    )
    assert "Owner: bob" in signed_in.get(f"/tasks/{batch.pk}/").content.decode()
    signed_in.post(told["toast"]["undo_url"])
    assert owners() == ["alice", "bob", None]


def test_the_dialog_shows_beside_the_field_that_nobody_was_chosen(three, signed_in, closed):
    for owner in ("", "x", str(closed.pk)):
        answer = signed_in.post("/people/bulk/owner/", {"filter": "", "approved": "3", "owner": owner}, headers=HTMX)
        html = answer.content.decode()
        assert (answer.status_code, re.findall(r'name="(\w+)"[^>]*aria-invalid="true"', html)) == (422, ["owner"])
    assert Batch.objects.count() == 0


def test_the_bar_offers_it_to_who_may(three, signed_in, charlie):
    assert 'formaction="/people/bulk/owner/"' in signed_in.get("/people/").content.decode()
    auditor = Client()
    auditor.force_login(charlie)
    assert 'formaction="/people/bulk/owner/"' not in auditor.get("/people/").content.decode()

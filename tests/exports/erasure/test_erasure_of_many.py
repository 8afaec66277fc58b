"""Deleting many people: the number is named, and where the team wants it a second administrator approves."""

from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from contacts.jobs import batches, engine
from contacts.jobs.batches import user_actor
from contacts.models import Batch, Contact, User
from exports.erasure import deletion_settings, erasure
from salesconnect.lib.actor import Forbidden
from salesconnect.lib.errors import Conflict, Invalid

EVERYBODY = {"selection": {"filter": {}}}


@pytest.fixture(autouse=True)
def ledger(settings, tmp_path, db):
    """Give the test a ledger of its own."""
    settings.ERASURE_LEDGER = str(tmp_path / "ledger" / "erasures.jsonl")


@pytest.fixture
def few(monkeypatch, person):
    """Let more than three people be many, and make four."""
    monkeypatch.setattr(erasure, "UNCONFIRMED_LIMIT", 3)
    return [person(email=f"p{number}@example.com") for number in range(4)]


@pytest.fixture
def second(db):
    """Return another administrator."""
    return User.objects.create_user("dora", "dora@example.com", "correct-horse-battery", role="administrator")


def delete(api, **more):
    return api.post("/api/v1/bulk/delete/", EVERYBODY | more, "json")


def test_it_takes_a_hundred_people_to_be_many():
    assert erasure.UNCONFIRMED_LIMIT == 100


def test_many_are_not_deleted_without_their_number(api, few):
    answer = delete(api)
    assert (answer.status_code, list(answer.json())) == (400, ["expected"])
    assert Contact.objects.count() == 4


def test_a_number_that_is_another_by_now_is_refused_with_that_of_now(api, few, person):
    person(email="late@example.com")
    answer = delete(api, expected=4)
    assert (answer.status_code, answer.json()["code"], answer.json()["now"]) == (409, "moved", 5)
    assert (Contact.objects.count(), Batch.objects.count()) == (5, 0)


def test_the_right_number_deletes_them(api, few):
    answer = delete(api, expected=4)
    assert (answer.status_code, answer.json()["changed"]) == (200, 4)


def test_few_need_no_number_but_a_wrong_one_is_refused_all_the_same(api, person):
    person()
    assert delete(api, expected=2).status_code == 409
    assert delete(api).status_code == 200


def test_a_dry_run_needs_no_number_and_tells_it(api, few):
    answer = delete(api, dry_run=True)
    assert (answer.status_code, answer.json()["total"]) == (200, 4)


@pytest.mark.parametrize("number", [-1, "all", None, 1.5])
def test_a_number_that_is_none_is_refused(api, few, number):
    assert delete(api, expected=number).status_code == 400


def test_the_service_asks_whatever_the_door(few, member):
    with pytest.raises(Invalid):
        erasure.order(Contact.objects.all(), actor=member, expected=None)


def test_the_dialog_passes_the_number_that_it_showed(signed_in, few, person):
    form = {"filter": "", "exclude": "", "approved": "4", "confirmation": ""}
    person(email="late@example.com")
    answer = signed_in.post(reverse("bulk", args=["delete"]), form)
    assert answer.status_code == 409
    assert Contact.objects.count() == 5


@pytest.fixture
def waiting(api, few, administrator):
    """Return a deletion that waits for a second administrator."""
    deletion_settings.change({"approval_above": 3}, actor=administrator)
    answer = delete(api, expected=4)
    assert (answer.status_code, answer.json()["state"]) == (202, "waiting")
    return Batch.objects.get()


def test_a_deletion_above_the_number_waits(waiting):
    assert batches.run(waiting.pk) is False
    assert waiting.pk not in engine.stalled(batches.QUEUE)
    assert Contact.objects.count() == 4


def test_at_the_number_nobody_has_to_approve(api, few, administrator):
    deletion_settings.change({"approval_above": 4}, actor=administrator)
    assert delete(api, expected=4).json()["state"] == "done"


def test_an_administrator_approves_it_on_the_page(waiting, alice):
    client = Client()
    client.force_login(alice)
    assert "/approve/" in client.get(f"/tasks/{waiting.pk}/").text
    assert client.post(f"/tasks/{waiting.pk}/approve/").status_code == 302
    while batches.run(waiting.pk):
        pass
    waiting.refresh_from_db()
    assert (waiting.state, waiting.approved_by, Contact.objects.count()) == ("done", "alice", 0)
    assert "Approved by" in client.get(f"/tasks/{waiting.pk}/").text


def test_nobody_approves_the_own_order_and_no_member_anybodys(few, alice, second, administrator, member):
    deletion_settings.change({"approval_above": 3}, actor=administrator)
    batch = erasure.order(Contact.objects.all(), actor=administrator, expected=4)
    assert batch.state == "waiting"
    with pytest.raises(Forbidden):
        batches.approve(batch.pk, actor=member)
    with pytest.raises(Conflict, match="another administrator"):
        batches.approve(batch.pk, actor=administrator)
    assert batches.approve(batch.pk, actor=user_actor(second, "page")).state == "queued"
    with pytest.raises(Conflict, match="Nothing waits"):
        batches.approve(batch.pk, actor=user_actor(second, "page"))


def test_no_program_approves(waiting, second):
    actor = replace(user_actor(second, "api"), by_token=True)
    with pytest.raises(Conflict) as refused:
        batches.approve(waiting.pk, actor=actor)
    assert refused.value.code == "page_only"


def test_an_order_that_waits_can_be_cancelled(waiting, member):
    assert batches.cancel(waiting.pk, actor=member).state == "cancelled"
    assert Contact.objects.count() == 4

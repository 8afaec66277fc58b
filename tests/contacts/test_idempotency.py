"""A request that is sent twice acts once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from contacts import idempotency
from contacts.models import Batch, Contact, IdempotentReply, User
from salesconnect.lib.errors import Conflict

SOURCE = "/api/v1/bulk/source/"
KEY = {"Idempotency-Key": "4c1f"}


def body(source_type: str | None = "import") -> dict:
    return {"selection": {"filter": {}}, "source_type": source_type}


def test_a_repeat_gets_the_first_answer_and_acts_no_more(api, person):
    person()
    first = api.post(SOURCE, body(), "json", headers=KEY)
    again = api.post(SOURCE, body(), "json", headers=KEY)
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert Batch.objects.count() == 1


def test_the_order_of_the_fields_does_not_matter(api, person):
    person()
    api.post(SOURCE, body(), "json", headers=KEY)
    assert api.post(SOURCE, dict(reversed(body().items())), "json", headers=KEY)["Idempotent-Replayed"] == "true"


OTHERS = [(SOURCE, body(None)), ("/api/v1/bulk/delete/", {"selection": {"ids": [1]}})]


@pytest.mark.parametrize(("address", "words"), OTHERS)
def test_the_key_of_another_request_is_a_conflict(api, person, address, words):
    person()
    api.post(SOURCE, body(), "json", headers=KEY)
    answer = api.post(address, words, "json", headers=KEY)
    assert (answer.status_code, answer.json()["code"], Batch.objects.count()) == (409, "key_reused", 1)


def test_a_request_that_was_refused_leaves_its_key_free(api, person):
    person()
    assert api.post(SOURCE, body("importt"), "json", headers=KEY).status_code == 400
    assert IdempotentReply.objects.count() == 0
    assert api.post(SOURCE, body(), "json", headers=KEY).status_code == 200


def test_keys_belong_to_users(api, client, alice, person):
    person()
    api.post(SOURCE, body(), "json", headers=KEY)
    client.force_login(alice)
    assert "Idempotent-Replayed" not in client.post(SOURCE, body(), "application/json", headers=KEY)
    assert Batch.objects.count() == 2


def test_a_key_is_forgotten_after_a_day(api, person):
    person()
    api.post(SOURCE, body(), "json", headers=KEY)
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)):
        assert "Idempotent-Replayed" not in api.post(SOURCE, body(), "json", headers=KEY)
        assert idempotency.forget() == 0
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours=50)):
        assert idempotency.forget() == 1
    assert Batch.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_a_sensible_length(api, person, key):
    answer = api.post(SOURCE, body(), "json", headers={"Idempotency-Key": key})
    assert (answer.status_code, list(answer.json())) == (400, ["Idempotency-Key"])


def test_two_files_are_told_apart_by_their_content():
    one, other = (SimpleUploadedFile("people.csv", content) for content in (b"a", b"b"))
    same = SimpleUploadedFile("people.csv", b"a")
    digests = [idempotency.fingerprint("/", {"file": file}) for file in (one, other, same)]
    assert (digests[0] == digests[2], digests[0] == digests[1]) == (True, False)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_repeat_that_comes_too_early_is_a_conflict():
    user = User.objects.create_user("dora")
    running, go_on = Event(), Event()

    def slow() -> tuple[int, dict]:
        running.set()
        go_on.wait(10)
        return 200, {"changed": 1}

    def first() -> idempotency.Reply:
        try:
            return idempotency.once(user.pk, "key", "digest", slow)
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        answer = pool.submit(first)
        running.wait(10)
        with pytest.raises(Conflict) as refusal:
            idempotency.once(user.pk, "key", "digest", slow)
        go_on.set()
        assert answer.result() == idempotency.Reply(200, {"changed": 1}, repeated=False)
    assert refusal.value.code == "in_progress"
    assert idempotency.once(user.pk, "key", "digest", slow) == idempotency.Reply(200, {"changed": 1}, repeated=True)
    assert Contact.objects.count() == 0

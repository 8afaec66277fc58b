"""Exports in the API."""

import csv
from io import StringIO

import pytest

from contacts.events import history
from contacts.jobs import batches
from contacts.models import Batch
from exports.files import csv_export
from exports.files.csv_column_registry import ALL_COLUMNS, COLUMNS, header

EXPORTS = "/api/v1/exports/"
EVERYONE = {"selection": {"filter": {}}, "reason": "yearly review"}


def rows(answer) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(StringIO(text, newline="")))


def test_one_person_is_a_file_and_an_event(api, person):
    anna = person(first_name="Anna", last_name="Åberg", email="a@example.com", title="=1+1")
    answer = api.get(f"/api/v1/contacts/{anna.pk}/export/")
    head, row = rows(answer)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer["Content-Disposition"].startswith('attachment; filename="Anna-Aberg-')
    assert (head, row[0], row[3]) == (header(COLUMNS), "Anna", "'=1+1")
    event = history.of_contact(anna.pk).first()
    assert (event.action, event.door) == ("exported", "api")


def test_asking_for_the_head_alone_exports_nothing(api, person):
    anna = person()
    assert api.head(f"/api/v1/contacts/{anna.pk}/export/").status_code == 405
    assert [event.action for event in history.of_contact(anna.pk)] == ["created"]


def test_many_people_are_ordered_and_fetched(api, person):
    person(email="a@example.com")
    person(email="b@example.com")
    answer = api.post(EXPORTS, EVERYONE, "json")
    body = answer.json()
    assert (answer.status_code, body["state"], body["total"], body["done"]) == (202, "done", 2, 2)
    assert (body["reason"], body["file"]) == ("yearly review", f"http://testserver{EXPORTS}{body['id']}/file/")
    assert api.get(f"{EXPORTS}{body['id']}/").json() == body
    table = rows(api.get(body["file"]))
    assert (table[0], [row[4] for row in table[1:]]) == (header(ALL_COLUMNS), ["a@example.com", "b@example.com"])


def test_ids_of_nobody_are_counted(api, person):
    body = api.post(EXPORTS, {"selection": {"ids": [person().pk, 2**62]}}, "json").json()
    assert (body["total"], body["refused"], body["reason"]) == (2, [{"reason": "not_found", "count": 1}], "")


def test_a_file_is_a_conflict_until_it_is_ready_and_after_it_is_removed(api, person, monkeypatch):
    person(email="a@example.com")
    person(email="b@example.com")
    monkeypatch.setattr(batches, "INLINE_LIMIT", 1)
    body = api.post(EXPORTS, EVERYONE, "json").json()
    address = f"{EXPORTS}{body['id']}/file/"
    assert (body["state"], body["file"]) == ("queued", None)
    assert (api.get(address).status_code, api.get(address).json()["code"]) == (409, "not_ready")
    batches.run(body["batch"])
    assert api.get(address).status_code == 200
    Batch.objects.update(created_at="2020-01-01T00:00:00Z")
    csv_export.remove_old_files()
    assert (api.get(address).status_code, api.get(address).json()["code"]) == (409, "expired")


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_of_exports_takes_two_queries(api, person, rows, django_assert_num_queries):
    person()
    for _ in range(rows):
        api.post(EXPORTS, EVERYONE, "json")
    with django_assert_num_queries(2):  # the token and the exports with their batches
        assert len(api.get(EXPORTS).json()["results"]) == rows


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "selection"),
        ({"selection": {"ids": []}}, "selection"),
        ({"selection": {"filter": {"compny": "x"}}}, "compny"),
        (EVERYONE | {"reason": "x" * 501}, "reason"),
        (EVERYONE | {"columns": ["email"]}, "columns"),
    ],
)
def test_a_wrong_order_is_refused(api, person, body, name):
    person()
    answer = api.post(EXPORTS, body, "json")
    assert (answer.status_code, list(answer.json()), Batch.objects.count()) == (400, [name], 0)


def test_an_export_that_is_not_there_is_not_found(api, db):
    for address in (f"{EXPORTS}1/", f"{EXPORTS}1/file/", "/api/v1/contacts/1/export/"):
        assert api.get(address).status_code == 404

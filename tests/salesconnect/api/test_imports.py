"""Imports in the API."""

import csv
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from compliance.imports import working
from compliance.models import ComplianceCard, ImportJob
from contacts.models import Contact

IMPORTS = "/api/v1/imports/"
PEOPLE = b"First Name,Email,Shoe\r\nAnna,anna@example.com,39\r\nLars,lars@example.com,44\r\nBo,no address,\r\n"


def file(content: bytes = PEOPLE) -> SimpleUploadedFile:
    return SimpleUploadedFile("mässan 2026.csv", content)


def sent(api, **body: object):
    return api.post(IMPORTS, {"file": file(), **body}, "multipart")


def finished(api, answer) -> dict:
    while working.run(answer.json()["id"]):
        pass
    return api.get(f"{IMPORTS}{answer.json()['id']}/").json()


def test_a_file_is_taken_in_and_worked_off(api, bob):
    answer = sent(api)
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    body = finished(api, answer)
    names = ("state", "total", "created", "updated", "unchanged", "rejected", "suppressed", "error", "file_name")
    assert [body[name] for name in names] == ["done", 3, 2, 0, 0, 1, 0, "", "mässan 2026.csv"]
    assert set(Contact.objects.values_list("first_name", "owner_id")) == {("Anna", bob.pk), ("Lars", bob.pk)}


def test_card_mapping_and_dry_run_come_as_fields(api):
    consent = {"authorization_type": "consent", "consent_date": "2026-03-01", "consent_purpose": "Fair"}
    dry = finished(api, sent(api, dry_run="true", mapping='{"Shoe": "title"}', **consent))
    assert (dry["dry_run"], dry["created"], Contact.objects.count()) == (True, 2, 0)
    finished(api, sent(api, mapping='{"Shoe": "title"}', source_type="chrome_extension", **consent))
    assert sorted(Contact.objects.values_list("title", flat=True)) == ["39", "44"]
    assert set(ComplianceCard.objects.values_list("authorization_type", "source_type")) == {(1, 4)}


def test_the_rejected_rows_come_as_a_file(api):
    body = finished(api, sent(api))
    answer = api.get(f"{IMPORTS}{body['id']}/rejected/")
    table = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"), newline="")))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert (table[0], table[1][0], table[1][2:]) == (
        ["Line", "Reason", "First Name", "Email", "Shoe"],
        "4",
        ["Bo", "no address", ""],
    )


def test_a_repeat_of_the_same_file_is_taken_in_once(api):
    first = api.post(IMPORTS, {"file": file()}, "multipart", headers={"Idempotency-Key": "a"})
    again = api.post(IMPORTS, {"file": file()}, "multipart", headers={"Idempotency-Key": "a"})
    other = api.post(IMPORTS, {"file": file(b"Email\r\nx@example.com")}, "multipart", headers={"Idempotency-Key": "a"})
    assert (first.status_code, again.json(), other.status_code) == (202, first.json(), 409)
    assert ImportJob.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"file": ""}, {"file"}),
        ({"file": "people.csv"}, {"file"}),
        ({"file": file(b"")}, {"file"}),
        ({"file": file(b"Email\r\n")}, {"file"}),
        ({"file": file(b"Shoe\r\n39\r\n")}, {"file"}),
        ({"mapping": "Shoe"}, {"mapping"}),
        ({"mapping": "[]"}, {"mapping"}),
        ({"mapping": '{"Shoe": 1}'}, {"mapping"}),
        ({"mapping": '{"Shoe": "shoe_size"}'}, {"mapping"}),
        ({"mapping": '{"Hat": "title"}'}, {"mapping"}),
        ({"mapping": "[" * 100_000}, {"mapping"}),
        ({"mapping": '{"Shoe": "a\\u0000"}'}, {"detail"}),
        ({"mapping": '{"Shoe": "\\ud800"}'}, {"detail"}),
        ({"authorization_type": "consent"}, {"consent_date", "consent_purpose"}),
        ({"authorization_type": "not_recorded"}, {"authorization_type"}),
        ({"source_other": "x"}, {"source_other"}),
        ({"dry_run": "perhaps"}, {"dry_run"}),
        ({"autorization_type": "consent"}, {"autorization_type"}),
        ({"consent_purpose": "a\0b"}, {"consent_purpose"}),
    ],
)
def test_what_is_wrong_is_refused_by_its_name_and_nothing_is_taken_in(api, body, errors):
    answer = sent(api, **body)
    assert (answer.status_code, set(answer.json()), ImportJob.objects.count()) == (400, errors, 0)


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x"]
)
def test_a_broken_multipart_body_is_refused(api, kind):
    assert api.generic("POST", IMPORTS, b"--x\r\nnothing", kind).status_code == 400


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_of_imports_takes_two_queries(api, rows, django_assert_num_queries):
    for _ in range(rows):
        sent(api)
    with django_assert_num_queries(2):  # the token and the imports
        assert len(api.get(IMPORTS).json()["results"]) == rows


@pytest.mark.parametrize("path", ["1/", "1/rejected/"])
def test_an_import_that_is_not_there_is_not_found(api, path):
    assert api.get(f"{IMPORTS}{path}").status_code == 404

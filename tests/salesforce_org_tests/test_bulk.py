"""Bulk API 2.0: update jobs and query jobs."""

import csv
import io
import time

import pytest

from tests.salesforce_org_tests.conftest import error

CSV = {"Content-Type": "text/csv"}


@pytest.fixture
def people(org):
    """Create three contacts."""
    return org.create("Contact", *[{"LastName": letter} for letter in "ABC"])


def open_job(api, **more):
    job = {"object": "Contact", "operation": "update", "contentType": "CSV", "lineEnding": "LF", **more}
    return api.request("POST", "/jobs/ingest", json=job)


def run(api, text, **more):
    """Upload rows, close the job and wait for its end; return its last state."""
    job = open_job(api, **more).json()["id"]
    api.request("PUT", f"/jobs/ingest/{job}/batches", data=text, headers=CSV)
    api.request("PATCH", f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    return ended(api, f"/jobs/ingest/{job}")


def ended(api, path):
    while (info := api.get(path).json())["state"] in {"UploadComplete", "InProgress"}:
        time.sleep(0.02)
    return info


def rows(api, job, kind):
    text = api.get(f"/jobs/ingest/{job['id']}/{kind}").text
    return list(csv.DictReader(io.StringIO(text)))


def test_a_new_job_is_open_and_says_where_to_upload(api):
    body = open_job(api).json()
    assert (body["state"], body["operation"], body["apiVersion"]) == ("Open", "update", 67.0)
    assert body["contentUrl"] == f"services/data/v67.0/jobs/ingest/{body['id']}/batches"
    assert body["id"].startswith("750")


def test_an_update_job_tells_the_fate_of_each_row(org, api, people):
    org.delete(people[1])
    text = "Id,HasOptedOutOfEmail\n" + "".join(f"{record_id},true\n" for record_id in people)
    job = run(api, text)
    assert (job["state"], job["numberRecordsProcessed"], job["numberRecordsFailed"]) == ("JobComplete", 3, 1)
    assert org.opted_out() == {people[0], people[2]}
    assert rows(api, job, "successfulResults") == [
        {"sf__Id": record_id, "sf__Created": "false", "Id": record_id, "HasOptedOutOfEmail": "true"}
        for record_id in (people[0], people[2])
    ]
    [failed] = rows(api, job, "failedResults")
    assert failed == {
        "sf__Id": people[1],
        "sf__Error": "ENTITY_IS_DELETED:entity is deleted:--",
        "Id": people[1],
        "HasOptedOutOfEmail": "true",
    }
    assert rows(api, job, "unprocessedrecords") == []


def test_an_empty_cell_changes_nothing_and_na_empties(org, api, people):
    org.edit(people, {"Title": "CEO", "Email": "a@example.com"})
    run(api, f"Id,Title,Email\n{people[0]},,#N/A\n")
    assert org.record(people[0], "Title, Email") == {"Id": people[0], "Title": "CEO", "Email": None}


def test_a_job_goes_through_its_states_by_the_clock_of_the_org(org, api, people):
    org.clock(stand_at="2026-11-20T12:00:00Z")
    api.sign_in()
    job = open_job(api).json()["id"]
    path = f"/jobs/ingest/{job}"
    text = f"Id,DoNotCall\n{people[0]},true\n"
    assert api.request("PUT", f"{path}/batches", data=text, headers=CSV).status_code == 201
    assert error(api.get(f"{path}/successfulResults")) == (400, "INVALIDJOBSTATE")
    assert api.request("PATCH", path, json={"state": "UploadComplete"}).json()["state"] == "UploadComplete"
    assert api.get(path).json()["state"] == "UploadComplete"
    org.clock(advance=1)
    assert ended(api, path)["state"] == "JobComplete"


@pytest.mark.parametrize(
    ("text", "words"),
    [("Id,Foo\n1,2\n", "Field name not found : Foo"), ("Id,DoNotCall\r\n1,true\r\n", "LineEnding is invalid")],
)
def test_a_file_that_does_not_fit_fails_the_job_and_not_the_request(api, text, words):
    job = run(api, text)
    assert job["state"] == "Failed"
    assert words in job["errorMessage"]


def test_a_job_that_breaks_off_leaves_rows_unprocessed(org, api, people):
    org.settings(bulk_fails_after=1)
    job = run(api, "Id,DoNotCall\n" + "".join(f"{record_id},true\n" for record_id in people))
    assert job["state"] == "Failed"
    assert [row["Id"] for row in rows(api, job, "successfulResults")] == people[:1]
    assert [row["Id"] for row in rows(api, job, "unprocessedrecords")] == people[1:]


def test_an_aborted_job_writes_nothing(org, api, people):
    org.settings(bulk_seconds=60)
    job = open_job(api).json()["id"]
    api.request("PUT", f"/jobs/ingest/{job}/batches", data=f"Id,HasOptedOutOfEmail\n{people[0]},true\n", headers=CSV)
    api.request("PATCH", f"/jobs/ingest/{job}", json={"state": "UploadComplete"})
    assert api.request("PATCH", f"/jobs/ingest/{job}", json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert api.request("DELETE", f"/jobs/ingest/{job}").status_code == 204
    assert error(api.get(f"/jobs/ingest/{job}")) == (404, "NOT_FOUND")
    assert org.opted_out() == set()


def test_each_request_of_a_job_is_a_call(org, api, people):
    run(api, f"Id,DoNotCall\n{people[0]},true\n")
    assert org.api_calls() == len(org.journal(path="/jobs/"))


def test_a_large_job_is_done_in_reasonable_time(org, api):
    org.generate("Contact", 20_000)
    ids = [row["Id"] for row in org.records("SELECT Id FROM Contact")]
    job = run(api, "Id,HasOptedOutOfEmail\n" + "".join(f"{record_id},true\n" for record_id in ids))
    assert (job["state"], job["numberRecordsProcessed"]) == ("JobComplete", 20_000)
    assert len(org.opted_out()) == 20_000


def test_a_query_job_gives_its_rows_page_by_page(org, api):
    org.generate("Contact", 25, opted_out_every=5)
    soql = "SELECT Id, HasOptedOutOfEmail FROM Contact ORDER BY Id"
    job = api.request("POST", "/jobs/query", json={"operation": "queryAll", "query": soql}).json()["id"]
    assert ended(api, f"/jobs/query/{job}")["numberRecordsProcessed"] == 25
    found, query = [], {"maxRecords": "10"}
    while query.get("locator") != "null":
        response = api.get(f"/jobs/query/{job}/results", **query)
        found += list(csv.DictReader(io.StringIO(response.text)))
        query["locator"] = response.headers["Sforce-Locator"]
    assert [row["HasOptedOutOfEmail"] for row in found] == (["true"] + ["false"] * 4) * 5
    assert len({row["Id"] for row in found}) == 25


def test_history_cannot_be_read_in_bulk(org, api):
    org.settings(history={"Contact": []})
    body = {"operation": "query", "query": "SELECT Id FROM ContactHistory"}
    assert error(api.request("POST", "/jobs/query", json=body)) == (400, "API_ERROR")

"""Several requests in one."""

from datetime import timedelta

import pytest

OPT_OUT = {"HasOptedOutOfEmail": True}
BASE = "/services/data/v67.0"


def part(method, path, reference="r", **more):
    return {"method": method, "url": BASE + path, "referenceId": reference, **more}


def collection(record_id, **headers):
    records = [{"attributes": {"type": "Lead"}, "id": record_id, **OPT_OUT}]
    return part("PATCH", "/composite/sobjects", body={"records": records}, httpHeaders=headers)


@pytest.fixture
def lead(org):
    """Create one lead that an assignment rule would give to Mark."""
    org.settings(assignment_owner={"Lead": org.user_ids()["mark"]})
    return org.create("Lead", {"LastName": "L", "Company": "C"})[0]


def test_a_whole_cycle_costs_one_call(org, api, lead):
    start, end = (f"{org.now() + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:00Z}" for minutes in (-5, 5))
    response = api.composite(
        part("GET", f"/sobjects/Lead/updated/?start={start}&end={end}", "covered"),
        part("GET", "/queryAll?q=SELECT+Id+FROM+Lead", "rows"),
        part("GET", "/sobjects/Lead/nothing", "wrong"),
    )
    covered, rows, wrong = response.json()["compositeResponse"]
    assert covered["body"]["ids"] == [lead]
    assert rows["body"]["totalSize"] == 1
    assert (rows["httpHeaders"], rows["httpStatusCode"], rows["referenceId"]) == ({}, 200, "rows")
    assert (wrong["httpStatusCode"], wrong["body"][0]["errorCode"]) == (400, "MALFORMED_ID")
    assert response.headers["Sforce-Limit-Info"] == "api-usage=1/100000"
    assert org.api_calls() == 1


def test_headers_of_the_outer_request_are_not_inherited(org, api, lead):
    api.session.headers["Sforce-Auto-Assign"] = "FALSE"
    api.composite(collection(lead))
    assert org.record(lead)["OwnerId"] == org.user_ids()["mark"]


def test_headers_of_a_subrequest_count_and_are_in_the_journal(org, api, lead):
    owner = org.record(lead)["OwnerId"]
    api.composite(collection(lead, **{"Sforce-Auto-Assign": "FALSE"}))
    assert org.record(lead)["OwnerId"] == owner
    [entry] = org.journal(path="composite")
    assert [inside["headers"] for inside in entry["inside"]] == [{"sforce-auto-assign": "FALSE"}]


@pytest.mark.parametrize(
    "parts",
    [
        [part("GET", "/limits")] * 26,
        [part("GET", "/query?q=SELECT+Id+FROM+Lead")] * 6,
        [part("GET", "/limits", httpHeaders={"Accept": "application/json"})],
        [part("POST", "/composite", body={})],
        [{"method": "GET", "url": "/limits", "referenceId": "r"}],
        [{"method": "GET"}],
        [],
    ],
)
def test_a_composite_that_breaks_the_rules_is_refused(api, parts):
    assert api.composite(*parts).status_code == 400


def test_25_light_and_5_heavy_subrequests_are_taken(api):
    assert api.composite(*[part("GET", "/limits")] * 25).status_code == 200
    assert api.composite(*[part("GET", "/query?q=SELECT+Id+FROM+Lead")] * 5).status_code == 200


def test_a_later_part_may_use_an_earlier_answer(org, api, lead):
    _, second = api.composite(
        part("GET", "/query?q=SELECT+Id+FROM+Lead", "found"),
        part("PATCH", "/sobjects/Lead/@{found.records[0].Id}", body=OPT_OUT),
    ).json()["compositeResponse"]
    assert second["httpStatusCode"] == 204
    assert org.opted_out("Lead") == {lead}


def test_all_or_none_takes_everything_back(org, api, lead):
    first, second = api.composite(
        part("PATCH", f"/sobjects/Lead/{lead}", body=OPT_OUT),
        part("GET", "/sobjects/Lead/00QQE000000zzzz"),
        allOrNone=True,
    ).json()["compositeResponse"]
    assert (first["httpStatusCode"], first["body"][0]["errorCode"]) == (400, "PROCESSING_HALTED")
    assert second["httpStatusCode"] == 404
    assert org.opted_out("Lead") == set()


def test_composite_can_be_refused_as_a_whole_or_for_some_resources(org, api):
    org.settings(composite_refuses=["/updated"])
    parts = [part("GET", "/sobjects/Lead/updated/?start=x&end=y"), part("GET", "/limits")]
    statuses = [answer["httpStatusCode"] for answer in api.composite(*parts).json()["compositeResponse"]]
    assert statuses == [404, 200]
    org.settings(composite_refuses=[""])
    assert api.composite(*parts).status_code == 403


def test_a_fault_can_hit_a_subrequest(org, api):
    org.fault("status", match={"path": "/limits", "inside_composite": True}, status=500)
    parts = [part("GET", "/limits"), part("GET", "/limits")]
    statuses = [answer["httpStatusCode"] for answer in api.composite(*parts).json()["compositeResponse"]]
    assert statuses == [500, 200]

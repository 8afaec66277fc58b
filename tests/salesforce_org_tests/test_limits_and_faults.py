"""Limits, versions, and all that a wire and a server can do wrong on purpose."""

import threading
import time

import pytest
import requests

from tests.salesforce_org_tests.conftest import SECONDS, error

OPT_OUT = {"HasOptedOutOfEmail": True}


@pytest.fixture
def person(org):
    """Create one contact."""
    return org.create("Contact", {"LastName": "A"})[0]


def test_usage_is_in_nearly_every_answer(org, api):
    assert api.get("/limits").headers["Sforce-Limit-Info"] == "api-usage=1/100000"
    assert api.get("/query", q="nonsense").headers["Sforce-Limit-Info"] == "api-usage=2/100000"
    org.settings(app_limit=250)
    expected = "api-usage=3/100000; per-app-api-usage=3/250(appName=sales)"
    assert api.get("/limits").headers["Sforce-Limit-Info"] == expected


def test_the_list_of_versions_is_open_and_without_usage(org):
    response = requests.get(f"{org.url}/services/data/", timeout=SECONDS)
    assert response.json()[-1] == {"label": "Spring '27", "url": "/services/data/v67.0", "version": "67.0"}
    assert "Sforce-Limit-Info" not in response.headers


@pytest.mark.parametrize(
    ("version", "expected"),
    [(20, (410, "UNSUPPORTED_API_VERSION")), (68, (404, "NOT_FOUND"))],
)
def test_versions_that_are_over_or_not_yet_there_are_refused(api, version, expected):
    assert error(api.get(f"/services/data/v{version}.0/limits")) == expected


def test_at_the_cap_everything_is_refused_until_the_window_has_passed(org, api):
    org.usage(100_000)
    response = api.get("/limits")
    assert error(response) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert response.json()[0]["message"] == "TotalRequests Limit exceeded."
    assert response.headers["Sforce-Limit-Info"] == "api-usage=100000/100000"
    org.clock(advance=86_401)
    api.sign_in()
    assert api.get("/limits").json()["DailyApiRequests"] == {"Max": 100_000, "Remaining": 99_999}


def test_too_many_long_requests_refuse_the_next(org, api):
    org.settings(long_requests=2, long_request_seconds=0.2)
    org.fault("delay", match={"path": "/limits", "times": 2}, seconds=1)
    slow = [threading.Thread(target=api.get, args=("/limits",)) for _ in range(2)]
    for thread in slow:
        thread.start()
    time.sleep(0.5)
    assert error(api.get("/query", q="SELECT Id FROM Lead")) == (403, "REQUEST_LIMIT_EXCEEDED")
    for thread in slow:
        thread.join()
    assert api.get("/limits").status_code == 200


def test_an_org_without_the_api_refuses_everything(org, api):
    org.access(api=False)
    assert error(api.get("/limits")) == (403, "API_DISABLED_FOR_ORG")


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/sobjects/Nobody/describe", 404)])
def test_what_is_not_there_answers_404(api, path, status):
    assert api.get(path).status_code == status


def test_a_wrong_method_answers_405(api):
    assert error(api.request("PUT", "/limits")) == (405, "METHOD_NOT_ALLOWED")


def test_a_body_that_is_no_json_is_refused(api, person):
    path, headers = f"/sobjects/Contact/{person}", {"Content-Type": "application/json"}
    assert error(api.request("PATCH", path, data="{", headers=headers)) == (400, "JSON_PARSER_ERROR")
    assert error(api.request("PATCH", path, data="{}")) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_a_fault_hits_the_request_that_its_plan_names(org, api, person):
    org.fault("status", match={"method": "PATCH", "nth": 2, "times": 1}, status=500)
    assert [api.patch(person, OPT_OUT).status_code for _ in range(3)] == [204, 500, 204]
    assert [entry["fault"] for entry in org.journal("PATCH")] == [None, "status", None]


def test_a_fault_can_last(org, api):
    org.fault("status", match={"path": "/limits", "times": 0}, status=401)
    assert [error(api.get("/limits")) for _ in range(3)] == [(401, "INVALID_SESSION_ID")] * 3
    org.clear_faults()
    assert api.get("/limits").status_code == 200


@pytest.mark.parametrize("retry", [{}, {"Retry-After": "7"}])
def test_too_many_requests_comes_with_or_without_a_time(org, api, retry):
    org.fault("status", status=429, headers=retry)
    response = api.get("/limits")
    assert (response.status_code, response.headers.get("Retry-After")) == (429, retry.get("Retry-After"))


def test_a_fault_may_answer_html(org, api):
    org.fault("html", status=503)
    response = api.get("/limits")
    assert (response.status_code, response.text[:6]) == (503, "<html>")
    assert response.headers["Content-Type"].startswith("text/html")


def test_a_reply_can_be_lost_after_the_write(org, api, person):
    org.fault("drop_after", match={"method": "PATCH"})
    with pytest.raises(requests.ConnectionError):
        api.patch(person, OPT_OUT)
    assert org.opted_out() == {person}


@pytest.mark.parametrize("do", ["drop_before", "reset"])
def test_a_connection_can_end_before_the_write(org, api, person, do):
    org.fault(do, match={"method": "PATCH"})
    with pytest.raises(requests.ConnectionError):
        api.patch(person, OPT_OUT)
    assert org.opted_out() == set()


def test_a_refusal_can_hide_that_the_write_was_done(org, api, person):
    org.fault("status", match={"method": "PATCH"}, status=503, applied=True)
    assert api.patch(person, OPT_OUT).status_code == 503
    assert org.opted_out() == {person}


def test_a_body_can_be_cut_off(org, api):
    org.fault("truncate", match={"path": "/limits"})
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        api.get("/limits")


def test_json_can_be_cut_off_in_an_answer_that_looks_whole(org, api):
    org.fault("status", status=200, body='[{"id": "003')
    response = api.get("/limits")
    assert (response.status_code, response.text) == (200, '[{"id": "003')


def test_a_body_can_drip(org, api):
    org.fault("slow_drip", match={"path": "/limits"}, seconds=0.5)
    began = time.monotonic()
    assert "DailyApiRequests" in api.get("/limits").json()
    assert time.monotonic() - began >= 0.5


def test_a_redirect_can_be_planned(org, api):
    org.fault("status", status=302, headers={"Location": "https://example.com/"}, body="")
    assert api.request("GET", "/limits", allow_redirects=False).status_code == 302


def test_the_journal_counts_calls_and_tells_tokens_apart(org, api):
    api.get("/limits")
    api.sign_in()
    api.get("/limits")
    first, sign_in, second = org.journal()
    assert (first["token"], sign_in["token"], second["token"]) == (1, None, 2)
    assert [entry["api_calls"] for entry in (first, sign_in, second)] == [1, 0, 1]
    assert org.journal(after=sign_in["number"]) == [second]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("settings", {"speed": 1}),
        ("faults", {"do": "explode"}),
        ("records/create", {"object": "Contact", "records": [{"Foo": 1}]}),
        ("records/edit", {"ids": ["x"], "fields": {}}),
        ("nothing", {}),
    ],
)
def test_a_wrong_order_is_refused_with_words(org, path, body):
    with pytest.raises(RuntimeError, match="error"):
        org.order(path, **body)

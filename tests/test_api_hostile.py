"""Whatever is sent to the API, it answers what is wrong, and nothing breaks."""

import pytest

from contacts.models import Batch, Contact

JSON = "application/json"
NUL, HALF, DEEP = '"a\\u0000b"', '"a\\ud800b"', "[" * 100_000 + "]" * 100_000
HUGE = "9" * 5_000
PEOPLE, BULK = "/api/v1/contacts/", "/api/v1/bulk/authorization/"

BODIES = [
    f'{{"last_name": {NUL}}}',
    f'{{"last_name": {HALF}}}',
    f"{{{NUL}: 1}}",
    f"{{{HALF}: 1}}",
    f'{{"last_name": {DEEP}}}',
    f'{{"selection": {{"filter": {{"search": {NUL}}}}}, "authorization_type": null}}',
    f'{{"selection": {{"filter": {{"company": {HALF}}}}}, "authorization_type": null}}',
    f'{{"selection": {{"filter": {{{HALF}: "x"}}}}, "authorization_type": null}}',
    f'{{"selection": {DEEP}, "authorization_type": null}}',
    f'{{"selection": {{"ids": [{HUGE}]}}, "authorization_type": null}}',
    '{"selection": {"ids": [1e400]}, "authorization_type": null}',
    '{"selection": {"ids": [NaN]}, "authorization_type": null}',
    '{"selection": {"ids": [-1]}, "authorization_type": null}',
    '{"selection": {"filter": {"owner": 99999999999999999999999}}, "authorization_type": null}',
    '{"selection": {"filter": {"created_after": "0000-00-00"}}, "authorization_type": null}',
    '{"selection": {"filter": {"updated_before": "999999-01-01"}}, "authorization_type": null}',
    '{"selection": {"filter": {"consent_before": "-1"}}, "authorization_type": null}',
    f'{{"owner": {HUGE}}}',
    '{"owner": -1}',
    '{"owner": 1e30}',
    '{"last_name": 1e999}',
    '{"compliance": {"consent_date": 20260301}}',
    '{"compliance": {"consent_date": "0000-01-01"}}',
    '{"compliance": {"authorization_type": ["consent"]}}',
    '{"compliance": []}',
    "{",
    "nothing",
    "NaN",
    "null",
    "[]",
    "1",
    '"' + "x" * 100_000 + '"',
    "",
    "\ufeff{}",
    '{"last_name": "a\tb"}',
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize(("method", "path"), [("POST", PEOPLE), ("PATCH", "{anna}"), ("PUT", "{anna}"), ("POST", BULK)])
def test_a_hostile_body_is_refused(api, person, method, path, body):
    anna = f"{PEOPLE}{person().pk}/"
    answer = api.generic(method, path.format(anna=anna), body, JSON)
    assert answer.status_code == (200 if (method, body) == ("PATCH", "") else 400)
    assert (Contact.objects.count(), Batch.objects.count()) == (1, 0)


@pytest.mark.parametrize("body", [b"\xff\xfe{}", b'{"last_name": "\xe5"}', b"\x00", b"\x80\x81"])
def test_what_is_not_utf_8_is_refused(api, db, body):
    assert api.generic("POST", PEOPLE, body, JSON).status_code == 400


OTHER_KINDS = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "x",
    "a/" + "b" * 999,
]


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_another_type_of_content_is_refused(api, db, kind):
    assert api.generic("POST", PEOPLE, b"last_name=Berg", kind).status_code == 415


def test_a_body_that_is_too_large_is_refused(api, db, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = api.post(PEOPLE, {"last_name": "x" * 100}, "json")
    assert (answer.status_code, list(answer.json())) == (413, ["detail"])


@pytest.mark.parametrize("accept", ["text/csv", "text/html", "x", "application/xml;q=0"])
def test_any_accept_is_answered_in_json(api, db, accept):
    assert api.get(PEOPLE, headers={"Accept": accept})["Content-Type"] == JSON


@pytest.mark.parametrize(
    "query",
    [
        "search=%00",
        "search=%ED%A0%80",
        "search=%27%29%3B--",
        "search=" + "%F0%9F%98%80" * 500,
        "owner=" + "9" * 100,
        "created_after=99999-01-01",
        "created_before=2026-02-30",
        "consent_before=0000-00-00",
        "cursor=%00",
        "cursor=%C3%A5",
        "cursor=" + "A" * 5_000,
        "page_size=" + "9" * 5_000,
        "page_size=-1",
        "ordering=" + "id," * 2_000,
        "%00=1",
        "&" * 500,
    ],
)
@pytest.mark.parametrize("path", ["", "count/"])
def test_a_hostile_query_breaks_nothing(api, db, path, query):
    assert api.get(f"{PEOPLE}{path}?{query}").status_code in {200, 400}


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_a_wrong_method_is_said_to_be_one(api, db, method):
    answer = getattr(api, method)(PEOPLE)
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")

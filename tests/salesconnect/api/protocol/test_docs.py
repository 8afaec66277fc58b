"""The API describes itself."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient


@pytest.fixture(scope="module")
def schema() -> dict:
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_schema_is_valid_and_was_made_without_guessing(schema):
    validate_schema(schema)
    assert (list(GENERATOR_STATS._warn_cache), list(GENERATOR_STATS._error_cache)) == ([], [])


def test_every_operation_says_what_it_is_for(schema):
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    assert [operation["operationId"] for operation in operations if not operation.get("description")] == []


def test_the_schema_names_filters_headers_and_both_ways_in(schema):
    people = schema["paths"]["/api/v1/contacts/"]
    names = {parameter["name"] for parameter in people["get"]["parameters"]}
    assert {"search", "authorization_type", "verdict", "ordering", "cursor", "page_size"} <= names
    assert people["get"]["security"] == [{"token": []}, {"session": []}]
    page = people["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert page == {"$ref": "#/components/schemas/PersonPage"}
    assert set(people["post"]["responses"]) == {"201", "4XX"}
    change = schema["paths"]["/api/v1/contacts/{id}/"]["patch"]
    assert "If-Match" in {parameter["name"] for parameter in change["parameters"]}


@pytest.mark.parametrize("address", ["/api/docs/", "/api/v1/schema/", "/api/docs/?script="])
def test_docs_and_schema_open_only_to_who_is_known(db, bob, address):
    stranger, known = APIClient(), APIClient()
    known.force_login(bob)
    assert (stranger.get(address).status_code, known.get(address).status_code) == (401, 200)

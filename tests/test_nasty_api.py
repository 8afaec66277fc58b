"""Bad input to the API is refused: every parameter and field of its schema is tried with values that break things.

A new endpoint is tried without a line here.
"""

import json
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from tests import nasty
from tests.nasty import HUGE, NASTY, answered

JSON_VALUES = (*NASTY, "\ud800", -1, int(HUGE), 1.5, None, [], {}, [None], [int(HUGE)], {"a": {}})
SCHEMA = SchemaGenerator().get_schema(request=None, public=True)
OPERATIONS = [
    (method, path)
    for path, methods in sorted(SCHEMA["paths"].items())
    for method in methods
    if method in {"get", "post", "put", "patch", "delete"}
]


@pytest.fixture
def program(alice) -> APIClient:
    return nasty.program(alice)


@pytest.fixture
def ids(person, administrator) -> dict[str, int]:
    return nasty.things(person(email="anna@example.com"), administrator)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nasty_parameters_and_fields_of_the_api(method, path, program, ids):
    operation = SCHEMA["paths"][path][method]
    address = re.sub(r"\{\w+\}", lambda _hole: str(ids["pk"]), path)
    for parameter in operation.get("parameters", ()):
        for value in NASTY:
            said = QueryDict(mutable=True)
            said[parameter["name"]] = value
            if parameter["in"] == "query":
                answered(program, method.upper(), f"{address}?{said.urlencode()}", said)
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        for sent, content_type in dict.fromkeys(_as(kind, fields) for fields in _bodies(body["schema"])):
            answered(program, method.upper(), address, sent, data=sent, content_type=content_type)


def _bodies(schema: dict, depth: int = 0) -> Iterator[object]:
    """Yield bodies in which one field, at any depth, has a nasty value."""
    if "$ref" in schema:
        schema = SCHEMA["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if depth > 3:
        return
    for name, field in schema.get("properties", {}).items():
        inner = [part for part in (*field.get("allOf", ()), *field.get("oneOf", ()), field) if part]
        yield from ({name: value} for value in JSON_VALUES)
        for part in inner:
            yield from ({name: nested} for nested in _bodies(part, depth + 1))


def _as(kind: str, fields: dict[str, object]) -> tuple[bytes, str]:
    """Return a body of a kind, with its content type; a form knows nothing but text."""
    said = {name: value for name, value in fields.items() if isinstance(value, str)}
    if kind == "application/json":
        return json.dumps(fields).encode(), kind
    if kind == "application/x-www-form-urlencoded":
        return urlencode(said, errors="surrogatepass").encode(), kind
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in said.items()
    )
    return (parts + "--x--\r\n").encode(errors="surrogatepass"), "multipart/form-data; boundary=x"

"""Bad input to the API is refused: every parameter and field of its schema is tried with values that break things.

A new endpoint is tried without a line here.
"""

import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pytest
from django.http import HttpResponse, QueryDict
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from tests import nasty
from tests.nasty import HUGE, NASTY, answered
from tests.soak import SOAK, sized

# A form says nothing that JSON cannot say, but in other bytes.
FORM_VALUES = sized(tuple(value for value in NASTY if not value.isascii() or "\0" in value), NASTY)
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


@pytest.mark.soak
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_nasty_parameters_and_fields_of_the_api(method, path, program, ids):
    operation = SCHEMA["paths"][path][method]
    address = re.sub(r"\{\w+\}", lambda _hole: str(ids["pk"]), path)

    def asked(fields: dict[str, str]) -> HttpResponse:
        said = QueryDict(mutable=True)
        said.update(fields)
        return answered(program, method.upper(), f"{address}?{said.urlencode()}", said)

    def sent(fields: dict[str, object]) -> HttpResponse:
        data, content_type = _as(kind, fields)
        return answered(program, method.upper(), address, data, data=data, content_type=content_type)

    names = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
    _try((), names, NASTY, asked)
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        for where, inside in _objects(body["schema"]):
            _try(where, inside, JSON_VALUES if kind == "application/json" else FORM_VALUES, sent)


def _try(where: tuple[str, ...], names: list[str], values: tuple[object, ...], send: Callable) -> None:
    """Give each value to all the names at once, then to those of them that the answer did not refuse, until none is.

    A soak gives each value to each name alone as well.
    """
    for value in values if names else ():
        left = set(names)
        while left:
            refused = left & _refused(send(_within(where, dict.fromkeys(sorted(left), value))), where)
            left = left - refused if refused else set()
        for name in names if SOAK else ():
            send(_within(where, {name: value}))


def _refused(answer: HttpResponse, where: tuple[str, ...]) -> set[str]:
    """Return the names that an answer says are wrong, of the fields at a place in the body."""
    said = answer.json() if answer.status_code == 400 else {}
    for name in where:
        said = said.get(name) if isinstance(said, dict) else None
    return set(said) if isinstance(said, dict) else set()


def _within(where: tuple[str, ...], fields: dict[str, object]) -> dict[str, object]:
    """Return a body that holds the fields at a place."""
    for name in reversed(where):
        fields = {name: fields}
    return fields


def _objects(schema: dict, where: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield the place of each object in a body, and the names of its fields."""
    if "$ref" in schema:
        schema = SCHEMA["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if len(where) > 3:
        return
    if schema.get("properties"):
        yield where, list(schema["properties"])
    for name, field in schema.get("properties", {}).items():
        inner = [part for part in (*field.get("allOf", ()), *field.get("oneOf", ()), field) if part]
        for part in inner:
            yield from _objects(part, (*where, name))


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

"""Which resource answers which path below `/services/data/vNN.0`."""

import re
from collections.abc import Callable

from tests.salesforce_org.errors import NOT_THERE, ApiError
from tests.salesforce_org.rest import (
    bulk_ingest,
    bulk_query,
    collections_of_rows,
    composite,
    describe,
    query,
    replication,
    rows,
)
from tests.salesforce_org.rest.call import Call
from tests.salesforce_org.web import Response

Resource = Callable[..., Response]
OBJECT, ID, LOCATOR = r"/sobjects/(\w+)", r"/([A-Za-z0-9]+)", r"/(01g[A-Za-z0-9]{15})-(\d+)"
INGEST, QUERIES = "/jobs/ingest", "/jobs/query"

ROUTES: list[tuple[str, dict[str, Resource]]] = [
    (r"/limits", {"GET": describe.limits}),
    (r"/limits/recordCount", {"GET": describe.record_count}),
    (r"/sobjects", {"GET": describe.global_describe}),
    (OBJECT, {"GET": describe.basic, "POST": rows.create}),
    (OBJECT + "/describe", {"GET": describe.describe}),
    (OBJECT + "/updated", {"GET": replication.updated}),
    (OBJECT + "/deleted", {"GET": replication.deleted}),
    (OBJECT + ID, {"GET": rows.retrieve, "PATCH": rows.update, "DELETE": rows.delete}),
    (r"/query", {"GET": query.query}),
    (r"/queryAll", {"GET": query.query_all}),
    (r"/query(?:All)?" + LOCATOR, {"GET": query.more}),
    (r"/composite", {"POST": composite.composite}),
    (
        r"/composite/sobjects",
        {"PATCH": collections_of_rows.update, "POST": collections_of_rows.create, "DELETE": collections_of_rows.delete},
    ),
    (INGEST, {"POST": bulk_ingest.create, "GET": bulk_ingest.jobs}),
    (INGEST + ID, {"GET": bulk_ingest.status, "PATCH": bulk_ingest.change, "DELETE": bulk_ingest.remove}),
    (INGEST + ID + "/batches", {"PUT": bulk_ingest.upload}),
    (INGEST + ID + "/(successfulResults|failedResults|unprocessedrecords)", {"GET": bulk_ingest.results}),
    (QUERIES, {"POST": bulk_query.create}),
    (QUERIES + ID, {"GET": bulk_query.status, "PATCH": bulk_query.change, "DELETE": bulk_query.remove}),
    (QUERIES + ID + "/results", {"GET": bulk_query.results}),
]
COMPILED = [(re.compile(pattern + "/?"), methods) for pattern, methods in ROUTES]


def answer(call: Call, path: str) -> Response:
    """Answer a call; `path` is what follows the version."""
    for pattern, methods in COMPILED:
        match = pattern.fullmatch(path)
        if match and call.request.method in methods:
            return methods[call.request.method](call, *match.groups())
        if match:
            allowed = ", ".join(methods)
            message = f"HTTP Method '{call.request.method}' not allowed. Allowed are {allowed}"
            raise ApiError(405, "METHOD_NOT_ALLOWED", message)
    raise ApiError(404, "NOT_FOUND", NOT_THERE)

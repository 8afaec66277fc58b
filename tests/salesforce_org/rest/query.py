"""query and queryAll, page by page."""

import re
from array import array
from typing import Any

from tests.salesforce_org.errors import ApiError
from tests.salesforce_org.locators import Cursor
from tests.salesforce_org.rest.call import Call
from tests.salesforce_org.schema import Field
from tests.salesforce_org.soql.lexer import SoqlError
from tests.salesforce_org.soql.parser import parse
from tests.salesforce_org.soql.sql import Selection, compile_query
from tests.salesforce_org.store import Store
from tests.salesforce_org.values import to_json
from tests.salesforce_org.web import Response

SMALLEST_PAGE, LARGEST_PAGE = 200, 2_000


def query(call: Call) -> Response:
    """Answer the first page of a query over what is not deleted."""
    return _first(call, deleted=False)


def query_all(call: Call) -> Response:
    """Answer the first page of a query over everything, the recycle bin too."""
    return _first(call, deleted=True)


def more(call: Call, locator: str, offset: str) -> Response:
    """Answer a further page."""
    cursor = call.org.locators.find(locator)
    if cursor is None or int(offset) >= len(cursor.numbers):
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(call, cursor, int(offset), locator)


def select(call: Call, text: str, *, deleted: bool) -> Selection:
    """Compile a query for the caller; raise ApiError in the form that clients parse."""
    try:
        return compile_query(parse(text), call.access, deleted=deleted)
    except SoqlError as error:
        raise ApiError(400, error.code, described(text, error)) from None


def described(text: str, error: SoqlError) -> str:
    """Return the message of an error with the place in the query where it is."""
    if error.position is None:
        return error.message
    row = text.count("\n", 0, error.position) + 1
    column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
    around = text[max(0, error.position - 30) : error.position + 30].replace("\n", " ")
    arrow = " " * min(error.position, 30) + "^"
    return f"\n{around}\n{arrow}\nERROR at Row:{row}:Column:{column}\n{error.message}"


def found(call: Call, selection: Selection) -> Cursor:
    """Run a query; without ORDER BY the order is any."""
    rows = call.org.store.db.execute(selection.sql, selection.values)
    numbers = array("q", (row[0] for row in rows))
    if not selection.ordered:
        call.org.random.shuffle(numbers)
    return Cursor(selection.object, selection.fields or [], numbers)


def _first(call: Call, *, deleted: bool) -> Response:
    text = call.request.query.get("q")
    if not text:
        raise ApiError(400, "MALFORMED_QUERY", "A query string has to be specified")
    selection = select(call, text, deleted=deleted)
    if selection.fields is None:
        sql = f"SELECT count(*) FROM ({selection.sql})"
        total = call.org.store.all(sql, selection.values)[0][0]
        return Response(200, {"totalSize": total, "done": True, "records": []})
    return _page(call, found(call, selection), 0, None)


def _page(call: Call, cursor: Cursor, offset: int, locator: str | None) -> Response:
    end = offset + _page_size(call)
    body: dict[str, Any] = {"totalSize": len(cursor.numbers), "done": end >= len(cursor.numbers)}
    if not body["done"]:
        locator = locator or call.org.locators.keep(cursor)
        body["nextRecordsUrl"] = f"{call.base}/query/{locator}-{end}"
    rows = read(call.org.store, cursor, offset, end)
    body["records"] = [record(call, cursor.object, cursor.fields, row) for row in rows]
    return Response(200, body)


def _page_size(call: Call) -> int:
    """Return the size of this page: what the caller asks for is a hint."""
    match = re.search(r"batchSize=(\d+)", call.request.headers.get("sforce-query-options", ""))
    asked = min(max(int(match.group(1)), SMALLEST_PAGE), LARGEST_PAGE) if match else LARGEST_PAGE
    size = call.org.settings.page_size
    if size == "random":
        return call.org.random.randint(SMALLEST_PAGE, asked)
    return min(int(size), asked) if size else asked


def read(store: Store, cursor: Cursor, start: int, end: int) -> list[Any]:
    """Return rows of a cursor with their values of now; rows that are gone for good are left out."""
    numbers = cursor.numbers[start:end]
    columns = ", ".join(field.name for field in cursor.fields)
    marks = ", ".join("?" * len(numbers))
    sql = f"SELECT number, Id AS own_id, {columns} FROM {cursor.object} WHERE number IN ({marks})"
    rows = {row["number"]: row for row in store.all(sql, numbers)}
    return [rows[number] for number in numbers if number in rows]


def record(call: Call, name: str, fields: list[Field], row: Any) -> dict[str, Any]:
    """Return a record as JSON."""
    values = {field.name: to_json(field, row[field.name]) for field in fields}
    return {"attributes": call.attributes(name, row["own_id"]), **values}

"""The control port: orders as `POST /<order>` with JSON, and the page on which people see and change the records."""

import json

from tests.salesforce_org import orders, page
from tests.salesforce_org.errors import ApiError, RecordError
from tests.salesforce_org.org import SalesforceOrg
from tests.salesforce_org.soql.lexer import SoqlError
from tests.salesforce_org.web import Request, Response

ORDERS: dict[str, orders.Order] = {
    "/access": orders.access,
    "/app": orders.app,
    "/clock": orders.set_clock,
    "/expire": orders.expire,
    "/faults": orders.add_fault,
    "/faults/clear": orders.clear_faults,
    "/fields": orders.add_field,
    "/journal": orders.journal,
    "/journal/clear": orders.clear_journal,
    "/query": orders.query,
    "/record-errors": orders.record_errors,
    "/records/convert": orders.convert,
    "/records/create": orders.create,
    "/records/delete": orders.delete,
    "/records/edit": orders.edit,
    "/records/generate": orders.generate,
    "/records/merge": orders.merge,
    "/records/undelete": orders.undelete,
    "/reset": orders.reset,
    "/settings": orders.settings,
    "/sharing": orders.sharing,
    "/state": orders.state,
    "/transactions/begin": orders.begin,
    "/transactions/commit": orders.commit,
    "/transactions/rollback": orders.rollback,
    "/usage": orders.usage,
    "/users": orders.users,
}


class ControlPort:
    """Answers every request to the control port."""

    def __init__(self, org: SalesforceOrg) -> None:
        self.org = org

    def answer(self, request: Request) -> Response:
        """Carry out an order, all of it or nothing; a wrong one is a 400 that says why."""
        with self.org.lock:
            if request.path == "/" or request.path.startswith("/ui/"):
                return page.answer(self.org, request)
            order = ORDERS.get(request.path)
            if order is None or request.method != "POST":
                return Response(404, {"error": "no such order", "orders": list(ORDERS)})
            try:
                return Response(200, order(self.org, json.loads(request.body or b"{}")))
            except (ValueError, TypeError, KeyError, ApiError, RecordError, SoqlError) as error:
                return Response(400, {"error": f"{type(error).__name__}: {error}"})

"""The product's addresses, and the barest views that do the same work: what no page can be quicker than."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from salesconnect.urls import urlpatterns as product

ROWS = """
    SELECT id, first_name, last_name, email, company, authorization_type, source_type, unsubscribed, updated_at
    FROM compliance_compliancecard card JOIN contacts_contact ON id = contact_id
    WHERE (card.sort_last, card.sort_first, contact_id) > (%s, '', 0)
    ORDER BY card.sort_last, card.sort_first, contact_id LIMIT 50
"""
EVENTS = """
    SELECT id, at, action, door, actor_name, batch_id, changes FROM contacts_contactevent
    WHERE contact_id = %s ORDER BY at DESC, id DESC LIMIT 50
"""
ONE = "SELECT * FROM contacts_contact WHERE id = %s"
INSERT = "INSERT INTO bench_row (token, body) VALUES (%s, %s)"


def rows(request: HttpRequest) -> HttpResponse:
    """Write 50 raw rows of one keyset query."""
    return _table(_fetched(ROWS, "lind" if request.user.is_authenticated else ""))


def person(request: HttpRequest, contact_id: int, queries: int) -> HttpResponse:
    """Write 50 raw events of a person, after as many queries as are wanted."""
    for _query in range(queries):
        _fetched(ONE, contact_id)
    return _table(_fetched(EVENTS, contact_id))


@csrf_exempt
@login_not_required
def insert(request: HttpRequest, token: str) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [token, request.POST.get("List-Unsubscribe", "")])
    return HttpResponse("OK\n", content_type="text/plain")


def _fetched(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _table(found: list[tuple[Any, ...]]) -> HttpResponse:
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in found)
    return HttpResponse(f"<table>{cells}</table>")


urlpatterns = [
    *product,
    path("bench/rows/", rows),
    path("bench/people/<int:contact_id>/<int:queries>/", person),
    path("bench/insert/<str:token>/", insert),
]
handler500 = "salesconnect.server_errors.server_error"

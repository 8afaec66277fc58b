"""The product's addresses, and the barest view that shows 50 people: what no page can be quicker than."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from salesconnect.urls import urlpatterns as product

ROWS = """
    SELECT id, first_name, last_name, email, company, authorization_type, source_type, unsubscribed, updated_at
    FROM compliance_compliancecard JOIN contacts_contact ON id = contact_id
    WHERE (sort_last, sort_first, contact_id) > (%s, '', 0) ORDER BY sort_last, sort_first, contact_id LIMIT 50
"""


def rows(request: HttpRequest) -> HttpResponse:
    """Write 50 raw rows of one keyset query."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS, ["lind" if request.user.is_authenticated else ""])
        cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cursor.fetchall())
    return HttpResponse(f"<table>{cells}</table>")


urlpatterns = [*product, path("bench/rows/", rows)]
handler500 = "salesconnect.failures.server_error"

"""The door of the web server."""

from io import BytesIO
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.exceptions import TooManyFieldsSent

from salesconnect.wsgi import Request, application


def request(query: str, body: bytes, content_type: str) -> Request:
    environ = {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    setup_testing_defaults(environ)
    return application.request_class(environ)


@pytest.mark.parametrize("charset", ["hex", "rot13", "undefined", "idna", "zlib", "utf-16", "no-such-thing", "\u00e5"])
def test_a_request_is_utf_8_whatever_its_header_claims(charset):
    form = f"application/x-www-form-urlencoded; charset={charset}"
    asked = request("search=%C3%85berg", "name=Åberg".encode(), form)
    assert (asked.GET["search"], asked.POST["name"], asked.content_type) == ("Åberg", "Åberg", form.partition(";")[0])


def test_a_query_of_very_many_fields_breaks_only_who_reads_it():
    asked = request("a=1&" * 10_001, b"", "text/plain; charset=utf-8")
    with pytest.raises(TooManyFieldsSent):
        asked.GET.get("a")

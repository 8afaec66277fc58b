"""The WSGI entry point."""

import os
from typing import Any

import django
from celery import current_app
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salesconnect.settings")


class Request(WSGIRequest):
    """Ignores the charset of the request and uses UTF-8: Django fails with some of Python's codecs."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Handler(WSGIHandler):
    """Django's handler with our request class."""

    request_class = Request


django.setup(set_prefix=False)
# The configured timeouts suit workers, which wait long for messages. A page must not hang on a stuck broker.
current_app.conf.broker_transport_options = {
    **current_app.conf.broker_transport_options,
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
}
application = Handler()

"""The WSGI entry point."""

import os
from typing import Any

import django
from celery import current_app
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salesconnect.settings")


class Request(WSGIRequest):
    """A request in UTF-8, whatever charset its header claims: Python knows codecs at which Django breaks."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class Handler(WSGIHandler):
    """Django's own, with such requests."""

    request_class = Request


django.setup(set_prefix=False)
# A worker listens to the broker for long; a page only rings its bell, and waits for none that is stuck.
current_app.conf.broker_transport_options = {
    **current_app.conf.broker_transport_options,
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
}
application = Handler()

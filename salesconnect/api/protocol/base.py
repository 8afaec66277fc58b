"""Base of all endpoints: caller, rights, known parameters, idempotency, paging, versions."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.viewsets import ViewSet

from contacts import idempotency
from contacts.jobs.batches import user_actor
from contacts.models import User
from salesconnect.common.sign_in import signed_in_recently
from salesconnect.lib.actor import Actor
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import Page, SortKey
from salesconnect.lib.errors import Invalid
from salesconnect.lib.web import parsing
from salesconnect.lib.web.parsing import is_storable

PAGING = frozenset({"cursor", "page_size"})
AS_OF = frozenset({"as_of"})
PAGE_SIZE = 50
LARGEST_PAGE = 1_000
NO_VERSION = -1
_ETAG = re.compile(r'\s*(?:W/)?"(\d{1,10})"\s*')

Action = Callable[..., Response]


class OneRenderer(DefaultContentNegotiation):
    """Ignores `Accept`, because each endpoint has one form of response and a 406 would help nobody."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class Endpoint(ViewSet):
    """Base of all endpoints, which declare for each action the required right and the known query parameters.

    Rights are checked before body and parameters are read, and again by the services. An action without a right
    raises `KeyError`: it is a programming error.
    """

    content_negotiation_class = OneRenderer
    lookup_value_converter = "int"
    rights: ClassVar[Mapping[str, str]] = {}
    parameters: ClassVar[Mapping[str, frozenset[str]]] = {}
    # Actions whose GET is recorded. Other sites can make a browser send a GET with the session cookie, but no token.
    on_record: ClassVar[frozenset[str]] = frozenset()

    @property
    def user(self) -> User:
        """Return the caller, who is authenticated before any action runs."""
        return cast("User", self.request.user)

    @property
    def actor(self) -> Actor:
        by_token = self.request.auth is not None
        is_recent = by_token or signed_in_recently(self.request._request)
        return replace(user_actor(self.user, "api"), by_token=by_token, is_recent=is_recent)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "GET" and request.auth is None and self.action in self.on_record:
            words = _("This goes on record. GET it with a token; a session has to POST.")
            raise MethodNotAllowed("GET", detail=words)
        self._refuse_unknown_parameters(request)

    def check_permissions(self, request: Request) -> None:
        """Check the authentication (401), then the right (403)."""
        super().check_permissions(request)
        # The middleware cannot do this: the user of a token is known only now.
        if language := self.user.language:
            translation.activate(language)
        if self.action not in (None, "metadata"):
            self.actor.require(self.rights[self.action])

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Keep personal data out of caches, and state the language of the texts."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Content-Language"] = translation.get_language() or "en"
        return response

    def _refuse_unknown_parameters(self, request: Request) -> None:
        known = self.parameters.get(self.action or "", frozenset())
        errors = {name: [_("There is no such parameter.")] for name in request.query_params if name not in known}
        for name, values in request.query_params.lists():
            if not all(map(is_storable, (name, *values))):
                errors[name] = [_("The text contains characters that cannot be stored.")]
            if name in known and len(values) > 1:
                errors[name] = [_("Give it once; several values are separated by commas.")]
        if errors:
            raise Invalid(errors)


def idempotent(action: Action) -> Action:
    """Make an action idempotent: a repeat with the same `Idempotency-Key` gets the response of the first call."""

    @wraps(action)
    def answer(view: Endpoint, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return action(view, request, *args, **kwargs)
        reply = idempotency.once(
            view.user.pk,
            key,
            idempotency.fingerprint(request.path, request.data),
            lambda: _status_and_body(action(view, request, *args, **kwargs)),
        )
        headers = {"Idempotent-Replayed": "true"} if reply.repeated else {}
        return Response(reply.body, reply.status, headers=headers)

    return answer


def page_size(request: Request) -> int:
    """Return the `page_size`, 1 to 1,000; by default 50."""
    text = request.query_params.get("page_size", str(PAGE_SIZE))
    number = int(text) if re.fullmatch(r"[0-9]{1,4}", text) else 0
    if not 1 <= number <= LARGEST_PAGE:
        message = _("A page has from 1 to %(limit)d rows.") % {"limit": LARGEST_PAGE}
        raise Invalid({"page_size": [message]})
    return number


def newest_first(request: Request, rows: QuerySet[Any], body: Callable[[Any], dict[str, Any]]) -> Response:
    """Return a page of rows ordered by id, newest first, each as `body` shows it."""
    page = keyset.page(
        rows,
        [SortKey("id", descending=True)],
        cursor=request.query_params.get("cursor"),
        size=page_size(request),
        values=lambda row: (row.pk,),
    )
    return Response(page_body(request, page, [body(row) for row in page.rows]))


def page_body(request: Request, page: Page[Any], results: list[Any]) -> dict[str, Any]:
    """Return a page of a list with the URLs of the neighbouring pages."""
    here = request.build_absolute_uri()
    return {
        "next": page.next and replace_query_param(here, "cursor", page.next),
        "previous": page.previous and replace_query_param(here, "cursor", page.previous),
        "results": results,
    }


def expected_version(request: Request) -> int | None:
    """Return the version that `If-Match` requires; None if any is accepted.

    A foreign entity tag returns a number that no version has, so it never matches (RFC 9110, 13.1.1).
    """
    header = request.headers.get("If-Match", "*").strip()
    if header == "*":
        return None
    version = _ETAG.fullmatch(header)
    return int(version[1]) if version else NO_VERSION


def as_of(request: Request) -> dt.datetime | None:
    """Return the `as_of` moment; None without it. Raises `Invalid` for a time without a zone, or in the future."""
    text = request.query_params.get("as_of")
    if text is None:
        return None
    moment = parsing.moment(text)
    if moment is None:
        raise Invalid({"as_of": [_("Give a time with its zone, such as 2026-03-01T12:00Z.")]})
    if moment > timezone.now():
        raise Invalid({"as_of": [_("The date is in the future.")]})
    return moment


def etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def utc(moment: dt.datetime | None) -> str | None:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if moment else None


def _status_and_body(response: Response) -> tuple[int, Any]:
    return response.status_code, response.data

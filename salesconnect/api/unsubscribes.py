"""The list of all opt-outs and opt-ins in the API."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.models import Suppression
from salesconnect.api.protocol.base import PAGING, Endpoint, page_body, page_size, utc
from salesconnect.api.protocol.fields import PAGE_PARAMETERS, page_of
from salesconnect.lib.errors import Invalid
from salesconnect.lib.web import parsing
from unsubscribes.opt_outs import listing
from unsubscribes.opt_outs.listing import OptOutEvent, OptOutFilter

SOURCES = (*Suppression.Source.values, listing.RE_CONSENT)
DAYS = ("since", "until")
FILTER_PARAMETERS = [
    OpenApiParameter("kind", str, enum=listing.OPT_OUT_ACTIONS),
    OpenApiParameter("source", str, enum=SOURCES),
    OpenApiParameter("since", OpenApiTypes.DATE, description="From this day on, in the site's time zone."),
    OpenApiParameter("until", OpenApiTypes.DATE, description="Up to this day, which is included."),
]


class LedgerEntry(serializers.Serializer):
    """One opt-out or opt-in; `contact` is null if the person has been deleted."""

    id = serializers.IntegerField()
    date = serializers.DateTimeField()
    kind = serializers.ChoiceField(listing.OPT_OUT_ACTIONS)
    source = serializers.CharField()  # type: ignore[assignment] # a field's own option of that name
    reason = serializers.CharField()
    actor = serializers.CharField()
    contact = serializers.IntegerField(allow_null=True)


class LedgerViewSet(Endpoint):
    """The opt-outs and opt-ins of everybody."""

    rights = {"list": "view_people"}
    parameters = {"list": frozenset({"kind", "source", *DAYS}) | PAGING}

    @extend_schema(parameters=[*FILTER_PARAMETERS, *PAGE_PARAMETERS], responses=page_of(LedgerEntry))
    def list(self, request: Request) -> Response:
        """List opt-outs and opt-ins of all people, newest first."""
        cursor = request.query_params.get("cursor")
        page = listing.page(_wanted(request), cursor=cursor, size=page_size(request))
        return Response(page_body(request, page, [_body(entry) for entry in page.rows]))


def _wanted(request: Request) -> OptOutFilter:
    """Parse the query parameters. Raises `Invalid` by name."""
    asked = {name: request.query_params.get(name, "") for name in ("kind", "source", *DAYS)}
    errors: dict[str, list[str]] = {}
    if asked["kind"] not in ("", *listing.OPT_OUT_ACTIONS):
        errors["kind"] = [_("There is no such kind.")]
    if asked["source"] not in ("", *SOURCES):
        errors["source"] = [_("There is no such source.")]
    days: dict[str, dt.date | None] = {name: parsing.day(asked[name]) if asked[name] else None for name in DAYS}
    errors |= {name: [_("Give a day, such as 2026-03-01.")] for name in DAYS if asked[name] and days[name] is None}
    if errors:
        raise Invalid(errors)
    return OptOutFilter(asked["kind"], asked["source"], days["since"], days["until"])


def _body(entry: OptOutEvent) -> dict[str, Any]:
    return {
        "id": entry.id,
        "date": utc(entry.at),
        "kind": entry.kind,
        "source": entry.source,
        "reason": entry.reason,
        "actor": entry.actor,
        "contact": entry.person and entry.person.pk,
    }

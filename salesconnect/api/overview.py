"""The overview in the API."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from exports.overview import daily_figures, figures
from salesconnect.api.protocol.base import Endpoint
from salesconnect.lib.errors import Invalid
from salesconnect.lib.web import parsing

AS_OF = OpenApiParameter(
    "as_of", OpenApiTypes.DATE, description="A past day, whose figures are those of its end; without it, now."
)


class OverviewReply(serializers.Serializer):
    """The numbers of people by kind, and of consents by age in months."""

    as_of = serializers.DateField()
    total = serializers.IntegerField()
    unsubscribed = serializers.IntegerField()
    old_consents = serializers.IntegerField()
    restricted = serializers.IntegerField()
    authorization = serializers.DictField(child=serializers.IntegerField())
    source = serializers.DictField(child=serializers.IntegerField())  # type: ignore[assignment] # the API's name
    consent_age = serializers.DictField(child=serializers.IntegerField())


class OverviewViewSet(Endpoint):
    """The figures of the Compliance page."""

    rights = {"list": "view_people"}
    parameters = {"list": frozenset({"as_of"})}

    @extend_schema(parameters=[AS_OF], responses=OverviewReply)
    def list(self, request: Request) -> Response:
        """Show the numbers of people by kind, now or at the end of a past day."""
        day = _day(request.query_params.get("as_of"))
        body: dict[str, Any] = {"as_of": day.isoformat()}
        return Response(body | figures.body(daily_figures.on(day, actor=self.actor)))


def _day(text: str | None) -> dt.date:
    """Parse a date, or a time with its zone, which is converted to a day of the site's time zone."""
    if text is None:
        return timezone.localdate()
    moment = parsing.moment(text)
    day = timezone.localdate(moment) if moment else parsing.day(text)
    if day is None:
        raise Invalid({"as_of": [_("Give a day, such as 2026-03-01.")]})
    return day

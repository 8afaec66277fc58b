"""Request bodies and common parameters. Unknown fields are errors, never ignored."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_serializer, inline_serializer
from rest_framework import serializers

from salesconnect.lib.web import parsing
from salesconnect.lib.web.date_fields import OUT_OF_RANGE

PAGE_PARAMETERS = [
    OpenApiParameter("cursor", str, description="Where a page begins; taken from `next` and `previous`."),
    OpenApiParameter("page_size", int, description="How many rows a page has: 50, at most 1,000."),
]
AS_OF_PARAMETER = OpenApiParameter(
    "as_of", OpenApiTypes.DATETIME, description="What was known at a past moment: ISO 8601 with a zone."
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` that was read; 412 when somebody changed it since.",
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="A repeat with the same key and body gets the first answer for 24 hours; 409 with another body.",
)


class Text(serializers.CharField):
    """An optional text; null is the same as the empty text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, allow_null=True, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        return "" if value is None else value


class Day(serializers.DateField):
    """A date in ISO 8601, within the years that can be stored."""

    default_error_messages = {"out_of_range": OUT_OF_RANGE}

    def to_internal_value(self, value: Any) -> dt.date:
        day = super().to_internal_value(value)
        if not parsing.in_range(day):
            self.fail("out_of_range")
        return day


class Body(serializers.Serializer):
    """A request body without unknown fields.

    A read-only field may be sent with its present value, so that the response of a GET can be PUT back; the context
    `current` holds the present values. Any other value for it is an error.
    """

    def to_internal_value(self, data: Any) -> Any:
        """Return the validated fields, or raise the errors of known and unknown fields together."""
        errors: dict[str, Any] = self._unwritable(data) if isinstance(data, Mapping) else {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as problem:
            raise serializers.ValidationError({**problem.detail, **errors}) from None  # type: ignore[dict-item]
        if errors:
            raise serializers.ValidationError(errors)
        return values

    def _unwritable(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        current = self.context.get("current", {})
        errors = {}
        for name, value in data.items():
            if name not in self.fields:
                errors[name] = [_("There is no such field.")]
            elif self.fields[name].read_only and (name not in current or current[name] != value):
                errors[name] = [_("This field cannot be written.")]
        return errors


class Nothing(Body):
    """An empty body."""


def page_of(kind: type[serializers.Serializer]) -> serializers.Serializer:
    """Return the serializer of a page of a list, for the schema."""
    link = serializers.URLField(allow_null=True)
    fields = {"next": link, "previous": serializers.URLField(allow_null=True), "results": kind(many=True)}
    page = inline_serializer(f"{kind.__name__}Page", fields)
    # Without this, drf-spectacular takes the response of an action named `list` for an array.
    extend_schema_serializer(many=False)(type(page))
    return page


def read(kind: type[Body], data: Any, **kwargs: Any) -> dict[str, Any]:
    """Return the validated fields of a body. Raises DRF's `ValidationError` (400)."""
    body = kind(data=data, **kwargs)
    body.is_valid(raise_exception=True)
    return body.validated_data

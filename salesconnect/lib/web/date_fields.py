"""Form fields and filters for dates and times; `salesconnect.lib.web.parsing` says which are accepted."""

import datetime as dt
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django_filters.fields import IsoDateTimeField

from salesconnect.lib.web import parsing

OUT_OF_RANGE = _("Give a day between 1900-01-01 and 2999-12-31.")


def check_range(day: dt.date) -> None:
    if not parsing.in_range(day):
        raise ValidationError(OUT_OF_RANGE, code="out_of_range")


class DayField(forms.DateField):
    """A day in ISO 8601, as `<input type=date>` sends it."""

    default_validators = [check_range]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"input_formats": ["%Y-%m-%d"], **kwargs})


class MomentField(IsoDateTimeField):
    """A moment in ISO 8601; without a zone it is one of the site's."""

    def to_python(self, value: Any) -> dt.datetime | None:
        try:
            found = super().to_python(value)
        except OverflowError as problem:
            raise ValidationError(OUT_OF_RANGE, code="out_of_range") from problem
        if found is None:
            return None
        check_range(found)
        return found.astimezone(dt.UTC)


class DayFilter(django_filters.DateFilter):
    field_class = DayField


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = MomentField

"""What the pages of the overview are asked for."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone

from salesconnect.lib.errors import Invalid


class QueryForm(forms.Form):
    """The query of a page; what is wrong with it is refused in words."""

    def values(self) -> dict[str, Any]:
        """Return the values; raises `Invalid` for one that cannot be."""
        if not self.is_valid():
            raise Invalid({name: [str(text) for text in texts] for name, texts in self.errors.items()})
        return self.cleaned_data


class DayForm(QueryForm):
    """A day of the past, or none for today."""

    as_of = forms.DateField(required=False, input_formats=["%Y-%m-%d"])

    def day(self) -> dt.date:
        """Return the day that is asked for."""
        return self.values()["as_of"] or timezone.localdate()

"""The query parameters of the Compliance pages."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.card.legal_basis_registry import AuthorizationType
from exports.overview.mailed import MailedQuery
from salesconnect.common.filters import slug_choices
from salesconnect.lib.errors import Invalid
from salesconnect.lib.web.date_fields import DayField


class QueryForm(forms.Form):
    """Query parameters as a form; wrong values raise `Invalid`."""

    def values(self) -> dict[str, Any]:
        if not self.is_valid():
            raise Invalid({name: [str(text) for text in texts] for name, texts in self.errors.items()})
        return self.cleaned_data


class MailedForm(QueryForm):
    """The days and the legal basis of the report of sent mail. Default: last month, any basis."""

    since = DayField(required=False)
    until = DayField(required=False)
    ground = forms.ChoiceField(required=False, choices=[("", ""), *slug_choices(AuthorizationType)])

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = self.cleaned_data
        last = timezone.localdate().replace(day=1) - dt.timedelta(days=1)
        given = values.get("since") or values.get("until")
        values["until"] = values.get("until") or (timezone.localdate() if given else last)
        values["since"] = values.get("since") or values["until"].replace(day=1)
        if values["since"] > values["until"]:
            raise forms.ValidationError(_("The first day lies after the last."))
        return values

    def wanted(self) -> MailedQuery:
        values = self.values()
        return MailedQuery(values["since"], values["until"], values["ground"])


class DayForm(QueryForm):
    as_of = DayField(required=False)

    def day(self) -> dt.date:
        return self.values()["as_of"] or timezone.localdate()

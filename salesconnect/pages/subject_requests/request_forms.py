"""Forms for data subjects' requests."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from compliance.card.rules import TEXT_LIMIT
from contacts.models import User
from exports.models import ANSWER_LIMIT, DataRequest
from exports.requests import register
from salesconnect.lib.web.date_fields import DayField


def _words(label: Any, limit: int = TEXT_LIMIT, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=limit, widget=forms.Textarea({"rows": 3}), **kwargs)


class NewRequestForm(forms.Form):
    """A new request; the person is chosen before the form is shown."""

    kind = forms.ChoiceField(label=_("What is asked for"), choices=DataRequest.Kind.choices)
    received = DayField(label=_("Received"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"))
    identity_check = forms.CharField(
        label=_("How the identity was checked"),
        max_length=TEXT_LIMIT,
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=_("For example: called back on the number that we have. It can be noted later."),
    )

    def add_errors(self, errors: dict[str, list[str]]) -> None:
        for name, texts in errors.items():
            self.add_error(name if name in self.fields else None, texts)


def _day(label: Any, help_text: Any) -> DayField:
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return DayField(label=label, help_text=help_text, widget=widget, initial=timezone.localdate)


class ExtendForm(forms.Form):
    """Why the deadline is extended, and when the person was told."""

    reason_kind = forms.ChoiceField(label=_("Why more time is needed"), choices=DataRequest.ExtensionKind.choices)
    reason = _words(_("Reason"))
    told_on = _day(_("Told on"), _("The day on which the person is told; it has to be within the first month."))

    def to_why(self) -> register.ClockReason:
        values = self.cleaned_data
        return register.ClockReason(values["reason_kind"], values["reason"], values["told_on"])


class PauseForm(forms.Form):
    reason_kind = forms.ChoiceField(label=_("Why the clock stops"), choices=DataRequest.PauseKind.choices)
    reason = _words(_("What was asked"))
    asked_on = _day(_("Asked on"), _("The clock stands still from this day on."))

    def to_why(self) -> register.ClockReason:
        values = self.cleaned_data
        return register.ClockReason(values["reason_kind"], values["reason"], values["asked_on"])


class IdentityForm(forms.Form):
    identity_check = _words(_("How the identity was checked"))


class AssignForm(forms.Form):
    handler = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("first_name", "last_name", "username"),
        label=_("Handled by"),
        required=False,
        empty_label=_("Nobody"),
    )


class FinishForm(forms.Form):
    outcome = forms.ChoiceField(label=_("Outcome"), choices=[(each.value, each.label) for each in register.BY_HAND])
    answer = _words(_("What was answered"), ANSWER_LIMIT)

    def leave_out(self, row: DataRequest) -> None:
        field: Any = self.fields["outcome"]
        field.choices = [(each.value, each.label) for each in register.outcomes(row)]


class ConfirmForm(forms.Form):
    """The person's name must be typed, because an erasure cannot be undone."""

    confirmation = forms.CharField(
        label=_("Type the person's name to confirm"), widget=forms.TextInput({"autocomplete": "off"})
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name

    def clean_confirmation(self) -> str:
        typed = self.cleaned_data["confirmation"]
        if typed.casefold().split() != self.name.casefold().split():
            raise forms.ValidationError(_t("Type “%(name)s” to erase this person.") % {"name": self.name})
        return typed

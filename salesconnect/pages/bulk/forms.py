"""The forms of the bulk acts: generated from an act's parameters, or written here where that is not enough."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from contacts.jobs.parameters import FlagParameter, Parameter, TextParameter, UserParameter
from contacts.jobs.selected import SelectedAct
from contacts.models import User
from exports.erasure.deletion_settings import remembered_until
from salesconnect.pages.person.card_forms import AuthorizationForm, SourceForm
from unsubscribes.crm import provider_registry

# As in the service (`erasure.UNCONFIRMED_LIMIT`): more people than this are deleted only by their number.
CONFIRM_ABOVE = 100
NOBODY = "nobody"


class OnRequestForm(forms.Form):
    """Whether people asked to be erased; then their address hashes are kept for a limited time."""

    on_request = forms.BooleanField(label=_("Erasure was asked for"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = _t(
            "Then a code of each address is kept until %(day)s, and imports, %(crm)s and programs do not bring "
            "the person back. Without it a code is kept only of an address that said no."
        )
        self.fields["on_request"].help_text = words % {
            "day": date_format(remembered_until()),
            "crm": provider_registry.spoken_of(),
        }


class DeleteForm(OnRequestForm):
    """For many people the number must be typed, so that no single wrong click deletes everyone."""

    approved = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    confirmation = forms.CharField(
        label=_("Type the number of people to confirm"),
        required=False,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        template_name="django/forms/conditional_field.html",  # type: ignore[call-arg] # newer than the stubs
    )

    def clean(self) -> dict[str, Any]:
        """Check the typed number; any thousands separator is accepted."""
        approved = self.cleaned_data.get("approved", 0)
        typed = re.sub(r"\D", "", self.cleaned_data.get("confirmation", ""))
        if approved > CONFIRM_ABOVE and typed != str(approved):
            self.add_error("confirmation", _t("Type %(number)d to delete them.") % {"number": approved})
            self.fields["confirmation"].widget.attrs["autofocus"] = True
        return self.cleaned_data


class BulkAuthorizationForm(AuthorizationForm):
    def values(self) -> dict[str, Any]:
        return self.to_authorization().values()


class BulkSourceForm(SourceForm):
    def values(self) -> dict[str, Any]:
        return self.to_source().values()


class UserField(forms.ChoiceField):
    def __init__(self, parameter: UserParameter) -> None:
        self.nobody = parameter.nobody
        super().__init__(label=str(parameter.label), choices=self._choices_now)

    def _choices_now(self) -> list[tuple[str, Any]]:
        users = User.objects.filter(is_active=True).order_by("first_name", "last_name", "username")
        return [("", _("Choose…")), (NOBODY, self.nobody), *((str(user.pk), str(user)) for user in users)]

    def clean(self, value: Any) -> User | None:
        chosen = super().clean(value)
        return None if chosen == NOBODY else User.objects.get(pk=chosen)


FORMS: dict[str, type[forms.Form]] = {
    "authorization": BulkAuthorizationForm,
    "source": BulkSourceForm,
    "delete": DeleteForm,
}
FIELDS: dict[type[Parameter], Callable[[Any], forms.Field]] = {
    TextParameter: lambda text: forms.CharField(
        label=text.label,
        help_text=text.help_text,
        required=False,
        max_length=text.limit,
        widget=forms.TextInput({"maxlength": text.limit, "autocomplete": "off"}),
    ),
    FlagParameter: lambda flag: forms.BooleanField(label=flag.label, required=False),
    UserParameter: UserField,
}


def form_of(act: SelectedAct) -> type[forms.Form]:
    if act.kind in FORMS:
        return FORMS[act.kind]
    fields: dict[str, Any] = {parameter.name: FIELDS[type(parameter)](parameter) for parameter in act.parameters}
    return type(f"{act.kind.title()}Form", (forms.Form,), {"use_required_attribute": False, **fields})


def values_of(form: forms.Form) -> dict[str, Any]:
    """Return what a valid form says, as the act's `params` takes it."""
    values: dict[str, Any] = form.values() if hasattr(form, "values") else form.cleaned_data
    return values

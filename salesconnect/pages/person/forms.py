"""Forms for a person's details. `contacts.people.details` validates them."""

from typing import Any, cast

from django import forms
from django.db.models import Q
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact, User
from contacts.people.field_registry import DETAILS, PLACED, FieldKind, PersonField
from salesconnect.lib.errors import Conflict


def _detail(field: PersonField) -> forms.CharField:
    attributes = {"maxlength": field.limit, "autocomplete": "off", "spellcheck": "false"}
    # Browsers accept fewer addresses than our rules, so the input stays `text`, with a fitting on-screen keyboard.
    if field.kind in {FieldKind.EMAIL, FieldKind.PHONE, FieldKind.LINK}:
        attributes["inputmode"] = field.kind.value
    return forms.CharField(label=field.label, required=False, widget=forms.TextInput(attributes))


class DetailsForm(forms.Form):
    """The details of a person. Validated by the services, so that pages, API and imports agree."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {field.name: _detail(field) for field in PLACED} | self.fields
        if "although_erased" in self.data:
            self._add_although_erased()

    def rows(self) -> list[list[forms.BoundField]]:
        """Return the visible fields in pairs; the Salesforce ID is not entered by hand."""
        shown = [self[field.name] for field in PLACED if field.kind != FieldKind.CODE]
        return [shown[place : place + 2] for place in range(0, len(shown), 2)]

    def details(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in DETAILS}

    def add_errors(self, errors: dict[str, list[str]]) -> None:
        for name, messages in errors.items():
            self.add_error(name, messages)

    def ask_although_erased(self, conflict: Conflict) -> None:
        self._add_although_erased()
        self.add_error("email", forms.ValidationError(conflict.message, code=conflict.code))

    def takes_in_erased(self) -> bool:
        return bool(self.cleaned_data.get("although_erased"))

    def _add_although_erased(self) -> None:
        self.fields["although_erased"] = forms.BooleanField(
            label=_("Take the person in all the same"),
            help_text=_("Only when the person wants it, or has given a new reason. The history keeps your decision."),
            required=False,
        )

    def refuse_address(self, conflict: Conflict, url: str) -> None:
        words = format_html('{} <a href="{}">{}</a>', conflict.message, url, _("Show that person"))
        self.add_error("email", forms.ValidationError(words, code=conflict.code))


class EditDetailsForm(DetailsForm):
    """The details and the owner of an existing person.

    Each field carries the value that the editor saw as a hidden initial value. Only fields that the editor changed are
    stored, also after another user's newer edit.
    """

    owner = forms.ModelChoiceField(User.objects.none(), label=_("Owner"), required=False, empty_label=_("Nobody"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True
        owner = cast("forms.ModelChoiceField[User]", self.fields["owner"])
        # The present owner stays selectable even if the account is closed, so that saving does not change the owner.
        eligible = User.objects.filter(Q(is_active=True) | Q(pk=self.initial.get("owner")))
        owner.queryset = eligible.order_by("first_name", "last_name", "username")

    def changed_details(self) -> dict[str, str]:
        return {name: value for name, value in self.details().items() if name in self.changed_data}


class UndoForm(forms.Form):
    """The parameters of an undo link: the last event before the edit, the version after it, the owner before it."""

    since = forms.IntegerField(min_value=0)
    version = forms.IntegerField(min_value=1)
    owner = forms.IntegerField(required=False)


def focus_first(form: forms.Form) -> None:
    """Give the first field `autofocus`, which works without scripts too."""
    next(iter(form.fields.values())).widget.attrs["autofocus"] = True


def detail_values(contact: Contact) -> dict[str, Any]:
    return {name: getattr(contact, name) for name in DETAILS} | {"owner": contact.owner_id}

"""The fields of a person's details. What is right and wrong with them is said in `contacts.people.details`."""

from typing import Any, cast

from django import forms
from django.db.models import Q
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact, User
from contacts.people.fields import DETAILS, PLACED, Kind, PersonField
from salesconnect.lib.errors import Conflict


def _detail(field: PersonField) -> forms.CharField:
    attributes = {"maxlength": field.limit, "autocomplete": "off", "spellcheck": "false"}
    # Browsers know fewer addresses than the rules do, so the type stays text and only the keyboard is told.
    if field.kind in {Kind.EMAIL, Kind.PHONE, Kind.LINK}:
        attributes["inputmode"] = field.kind.value
    return forms.CharField(label=field.label, required=False, widget=forms.TextInput(attributes))


class DetailsForm(forms.Form):
    """The details of a person; the services check them, so that every door says the same of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {field.name: _detail(field) for field in PLACED} | self.fields
        if "although_erased" in self.data:
            self._add_although_erased()

    def rows(self) -> list[list[forms.BoundField]]:
        """Return the fields that everybody has, two to a row; a Salesforce ID is for those who come from there."""
        shown = [self[field.name] for field in PLACED if field.kind != Kind.CODE]
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
    """The details of somebody who is there, and the owner.

    Each field carries the value that the editor saw, so that only what the editor changed is stored, even on top of
    another person's newer edit.
    """

    owner = forms.ModelChoiceField(User.objects.none(), label=_("Owner"), required=False, empty_label=_("Nobody"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True
        owner = cast("forms.ModelChoiceField[User]", self.fields["owner"])
        # An owner whose account was closed meanwhile stays until somebody chooses another.
        eligible = User.objects.filter(Q(is_active=True) | Q(pk=self.initial.get("owner")))
        owner.queryset = eligible.order_by("first_name", "last_name", "username")

    def changed_details(self) -> dict[str, str]:
        return {name: value for name, value in self.details().items() if name in self.changed_data}


class UndoForm(forms.Form):
    """What a link to undo says: the last event before the edit, where it left the person, and the owner before."""

    since = forms.IntegerField(min_value=0)
    version = forms.IntegerField(min_value=1)
    owner = forms.IntegerField(required=False)


def focus_first(form: forms.Form) -> None:
    """Let the first field take the focus when the form appears, with or without script."""
    next(iter(form.fields.values())).widget.attrs["autofocus"] = True


def detail_values(contact: Contact) -> dict[str, Any]:
    """Return the fields of the form as a person has them: its `initial`."""
    return {name: getattr(contact, name) for name in DETAILS} | {"owner": contact.owner_id}

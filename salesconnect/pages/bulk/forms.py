"""What one is asked before people leave: why they are exported, and that they are really to be deleted."""

import re
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from exports.erasure.deletion_settings import remembered_until

CONFIRM_ABOVE = 100
REASON_LIMIT = 500


class ExportForm(forms.Form):
    """What the file is for."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        help_text=_("What the file is for. It stays in the history of each person."),
        widget=forms.TextInput({"maxlength": REASON_LIMIT, "autocomplete": "off"}),
    )


class OnRequestForm(forms.Form):
    """Whether people asked to be erased, which is remembered for a stated time."""

    on_request = forms.BooleanField(label=_("Erasure was asked for"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = _t(
            "Then a code of each address is kept until %(day)s, and imports, Salesforce and programs do not bring "
            "the person back. Without it a code is kept only of an address that said no."
        )
        self.fields["on_request"].help_text = words % {"day": date_format(remembered_until())}


class DeleteForm(OnRequestForm):
    """The number of people, typed by hand where it is large: no slip of the pen deletes everyone."""

    approved = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    confirmation = forms.CharField(
        label=_("Type the number of people to confirm"),
        required=False,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        template_name="django/forms/conditional_field.html",  # type: ignore[call-arg] # newer than the stubs
    )

    def clean(self) -> dict[str, Any]:
        """Check that the number was typed, in whatever way its thousands are parted."""
        approved = self.cleaned_data.get("approved", 0)
        typed = re.sub(r"\D", "", self.cleaned_data.get("confirmation", ""))
        if approved > CONFIRM_ABOVE and typed != str(approved):
            self.add_error("confirmation", _t("Type %(number)d to delete them.") % {"number": approved})
            self.fields["confirmation"].widget.attrs["autofocus"] = True
        return self.cleaned_data

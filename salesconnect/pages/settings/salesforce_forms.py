"""The form for the Salesforce connection. `unsubscribes.crm.connection.connecting` validates it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from unsubscribes.crm.models import STANDARD_FIELD, SyncConnection

CONDITIONAL = "django/forms/conditional_field.html"
OWN = "own"


def _text(label: Any, help_text: Any = "", **kwargs: Any) -> forms.CharField:
    widget = forms.TextInput({"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, required=False, max_length=300, widget=widget, **kwargs)


class ConnectionForm(forms.Form):
    """How to sign in, and what is synced. Secrets can be entered and are never shown."""

    use_required_attribute = False

    flow = forms.ChoiceField(label=_("How the app signs in"), choices=SyncConnection.Flow.choices)
    login_url = _text(
        _("Login URL"), _("The My Domain address of the org, as in https://exempel.my.salesforce.com."),
    )  # fmt: skip
    client_id = _text(_("Consumer key"), _("Of the External Client App that was made for this in Salesforce."))
    client_secret = forms.CharField(
        label=_("Consumer secret"),
        required=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        template_name=CONDITIONAL,  # type: ignore[call-arg] # newer than the stubs
    )
    username = _text(_("Username"), _("The Salesforce user in whose name the app acts."), template_name=CONDITIONAL)
    private_key = forms.CharField(
        label=_("Private key"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea({"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
        template_name=CONDITIONAL,  # type: ignore[call-arg] # newer than the stubs
    )
    field = forms.ChoiceField(
        label=_("Field that holds the opt-out"),
        choices=[(STANDARD_FIELD, _("Email Opt Out (HasOptedOutOfEmail)")), (OWN, _("A checkbox of your own"))],
    )
    own_field = _text(
        _("API name of the checkbox"),
        _("The same on Contact and Lead; it ends in __c."),
        template_name=CONDITIONAL,
    )
    create_people = forms.BooleanField(
        label=_("Bring in people who exist only in Salesforce"),
        required=False,
        help_text=_("They come with the source CRM Sync and no authorization."),
    )
    budget_percent = forms.IntegerField(
        label=_("Share of the org's daily API calls, in per cent"),
        help_text=_("Reading stops for the day when it is used up; opt-outs are still written."),
        required=False,
    )

    def __init__(self, *args: Any, row: SyncConnection, fixed: bool = False, **kwargs: Any) -> None:
        """`row` is the present connection. `fixed`: the environment configures the sign-in, not this form."""
        own = row.opt_out_field != STANDARD_FIELD
        kept = ("flow", "login_url", "client_id", "username", "create_people", "budget_percent")
        now = {name: getattr(row, name) for name in kept}
        now |= {"field": OWN if own else STANDARD_FIELD, "own_field": row.opt_out_field if own else ""}
        super().__init__(*args, **kwargs | {"initial": now})
        self.stored = bool(row.secret)
        for name in ("flow", "login_url", "client_id", "client_secret", "username", "private_key"):
            if fixed:
                del self.fields[name]
            elif self.stored and name in {"client_secret", "private_key"}:
                self.fields[name].help_text = _(
                    "One is stored. Leave this empty to keep it; another login URL needs it anew."
                )

    def values(self) -> dict[str, Any]:
        """Return the values for the service. A missing percentage becomes 0, which the service refuses."""
        given: dict[str, Any] = dict(self.cleaned_data)
        own, field = given.pop("own_field").strip(), given.pop("field")
        secrets = {name: given.pop(name, "") for name in ("client_secret", "private_key")}
        by_key = given.get("flow") == SyncConnection.Flow.JWT_BEARER
        given["secret"] = secrets["private_key" if by_key else "client_secret"]
        given["opt_out_field"] = own if field == OWN else STANDARD_FIELD
        given["budget_percent"] = given["budget_percent"] or 0
        return given

    def refuse(self, errors: dict[str, list[str]]) -> None:
        by_key = self.cleaned_data.get("flow") == SyncConnection.Flow.JWT_BEARER
        places = {"secret": "private_key" if by_key else "client_secret", "opt_out_field": "own_field"}
        for name, messages in errors.items():
            place = places.get(name, name)
            self.add_error(place if place in self.fields else None, messages)

"""The form of the connection, made of what the provider declares. What is wrong with it is said in `connecting`."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider import Provider
from unsubscribes.crm.setup import Kind, SetupField

CONDITIONAL = "django/forms/conditional_field.html"


def _field(declared: SetupField) -> forms.Field:
    said: dict[str, Any] = {"label": declared.label, "help_text": declared.help}
    if declared.shown_when or declared.is_secret:
        said["template_name"] = CONDITIONAL
    if declared.kind == Kind.CHOICE:
        return forms.ChoiceField(choices=declared.choices, **said)
    plain = {"autocomplete": "off", "spellcheck": "false"}
    if declared.kind == Kind.LONG_SECRET:
        return forms.CharField(required=False, max_length=10_000, widget=forms.Textarea({"rows": 4, **plain}), **said)
    if declared.kind == Kind.SECRET:
        return forms.CharField(required=False, widget=forms.PasswordInput({"autocomplete": "new-password"}), **said)
    return forms.CharField(required=False, max_length=300, widget=forms.TextInput(plain), **said)


class ConnectionForm(forms.Form):
    """How to sign in, and what is synced. Secrets are taken and never shown."""

    use_required_attribute = False

    create_people = forms.BooleanField(
        required=False, help_text=_("They come with the source CRM Sync and no authorization.")
    )
    budget_percent = forms.IntegerField(
        label=_("Share of the org's daily API calls, in per cent"),
        help_text=_("Reading stops for the day when it is used up; opt-outs are still written."),
        required=False,
    )

    def __init__(
        self, *args: Any, crm: Provider, connection: SyncConnection, fixed: bool = False, **kwargs: Any
    ) -> None:
        """`connection` is what is set up now; `fixed` says that the environment tells how to sign in."""
        self.crm, self.connection, self.fixed = crm, connection, fixed
        self.setup = crm.setup
        now = self.setup.initial(connection)
        now |= {name: getattr(connection, name) for name in ("create_people", "budget_percent")}
        super().__init__(*args, **kwargs | {"initial": now})
        self.fields["create_people"].label = _("Bring in people who exist only in %(crm)s") % {"crm": crm.name}
        self.stored = bool(connection.secret)
        self.declared = [field for field in self.setup.fields if not (fixed and field.signs_in)]
        common = [self.fields.pop(name) for name in ("create_people", "budget_percent")]
        for declared in self.declared:
            self.fields[declared.name] = _field(declared)
            if declared.is_secret and self.stored:
                self.fields[declared.name].help_text = _(
                    "One is stored. Leave this empty to keep it; another login URL needs it anew."
                )
        self.fields |= dict(zip(("create_people", "budget_percent"), common, strict=True))

    def placed(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields as the page shows them: those that belong to one answer together, beside that answer."""
        groups: list[tuple[str, list[forms.BoundField]]] = []
        for declared in self.declared:
            if groups and groups[-1][0] == declared.shown_when:
                groups[-1][1].append(self[declared.name])
            else:
                groups.append((declared.shown_when, [self[declared.name]]))
        return groups

    def values(self) -> dict[str, Any]:
        """Return what the service takes; a number that is none becomes one that it refuses."""
        given = {declared.name: str(self.cleaned_data.get(declared.name, "")) for declared in self.declared}
        common = {"create_people": self.cleaned_data["create_people"]}
        return self.setup.values(given) | common | {"budget_percent": self.cleaned_data["budget_percent"] or 0}

    def refuse(self, errors: dict[str, list[str]]) -> None:
        for name, messages in errors.items():
            place = self.setup.place_of(name, self.cleaned_data)
            self.add_error(place if place in self.fields else None, messages)

"""Forms for mail and for the team's mail settings. `unsubscribes.mail.compose` validates mails."""

import json
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from unsubscribes.mail import team
from unsubscribes.mail.compose import FIELDS, Draft
from unsubscribes.models import SUBJECT_LIMIT, TEMPLATE_NAME_LIMIT, TeamSettings


def show_errors(form: forms.BaseForm, errors: dict[str, list[str]]) -> None:
    """Show the errors of a service beside their fields, or at the top if there is no visible field of that name."""
    for name, messages in errors.items():
        shown = name if name in form.fields and not form.fields[name].widget.is_hidden else None
        for message in messages:
            form.add_error(shown, message)


class ComposeForm(forms.Form):
    """A mail being written. editor.js turns `body` into a rich-text editor and keeps its HTML in `body_html`."""

    use_required_attribute = False

    subject = forms.CharField(
        label=_("Subject"),
        required=False,
        widget=forms.TextInput({"maxlength": SUBJECT_LIMIT, "autocomplete": "off"}),
    )
    body = forms.CharField(
        label=_("Message"),
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 12, "data-rich": "id_body_html"}),
    )
    body_html = forms.CharField(required=False, widget=forms.HiddenInput)
    language = forms.ChoiceField(label=_("Footer language"), choices=settings.LANGUAGES)
    keep_as = forms.CharField(
        label=_("Name of the template"),
        required=False,
        widget=forms.TextInput({"maxlength": TEMPLATE_NAME_LIMIT, "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].widget.attrs["data-words"] = json.dumps(_editor_words())

    def shown_draft(self) -> Draft:
        texts = {name: str(self[name].value() or "").replace("\r\n", "\n") for name in ("subject", "body", "body_html")}
        return Draft(texts["subject"], texts["body"], texts["body_html"])

    def to_draft(self) -> Draft:
        """Return the draft; an unknown language falls back to the first one."""
        self.full_clean()
        values: dict[str, Any] = self.cleaned_data
        language = values.get("language") or settings.LANGUAGES[0][0]
        return Draft(values["subject"], values["body"].replace("\r\n", "\n"), values["body_html"], language)


class TeamForm(forms.ModelForm):
    use_required_attribute = False

    class Meta:
        model = TeamSettings
        fields = team.FIELDS
        widgets = {name: forms.Textarea({"rows": 3}) for name in team.WORDS}
        help_texts = {
            "company_name": _("Recipients see it in the unsubscribe footer and on the unsubscribe page."),
            "contact_address": _("Where readers can turn when their link is damaged."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language, _name in settings.LANGUAGES:
            self.fields[f"words_{language}"].widget.attrs["placeholder"] = team.default_words(language)


def _editor_words() -> dict[str, Any]:
    return {
        "bold": _t("Bold"),
        "italic": _t("Italic"),
        "insertUnorderedList": _t("Bulleted list"),
        "insertOrderedList": _t("Numbered list"),
        "createLink": _t("Link to an address"),
        "insert": _t("Insert a merge field"),
        "fields": {name: str(label) for name, label in FIELDS.items()},
    }

"""Forms for the compliance card, of one person or of a bulk change. `compliance.card.rules` validates them."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from compliance.card.legal_basis_registry import CONSENTS, AuthorizationType
from compliance.card.rules import NOT_RECORDED, TEXT_LIMIT, Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import ComplianceCard, Policy
from compliance.review.review import NOTE_LIMIT
from compliance.verdict import policy
from compliance.verdict.reason_registry import DECIDED
from salesconnect.lib.slug_choices import SlugChoices
from salesconnect.lib.web.date_fields import DayField

CONDITIONAL = "django/forms/conditional_field.html"
"""Template of a field that only some choices require: it is marked neither *required* nor *optional*."""


def _choices(kind: type[SlugChoices]) -> list[tuple[str, Any]]:
    return [*((choice.slug, choice.label) for choice in kind), (NOT_RECORDED, _("Not recorded"))]


def _text(label: Any, **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, widget=forms.TextInput({"maxlength": TEXT_LIMIT, "autocomplete": "off"}), **kwargs
    )


class CardHalf(forms.Form):
    """Base of both halves of the card: shows rule errors beside their fields and focuses the first error."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, forms.ChoiceField) and not self.initial.get(name):
                field.choices = [("", _("Choose…")), *field.choices]  # type: ignore[misc]

    def add_rule_errors(self, errors: dict[str, list[str]]) -> None:
        for name, messages in errors.items():
            if name not in self.errors:
                self.add_error(name, messages)

    def full_clean(self) -> None:
        """Validate, and give the first field with an error `autofocus`, which works without scripts too."""
        super().full_clean()
        for name in self.fields:
            if name in self.errors:
                self.fields[name].widget.attrs["autofocus"] = True
                break


def _type(slug: str, types: type[SlugChoices]) -> SlugChoices | None:
    return None if slug == NOT_RECORDED else types.from_slug(slug)


class AuthorizationForm(CardHalf):
    authorization_type = forms.ChoiceField(label=_("Authorization Type"), choices=_choices(AuthorizationType))
    authorization_other = _text(_("Describe the other authorization"))
    consent_date = DayField(
        label=_("Date of Consent"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        template_name=CONDITIONAL,
    )
    consent_purpose = _text(_("Purpose of Processing"), template_name=CONDITIONAL)

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.cleaned_data.get("authorization_type"):
            self.add_rule_errors(self.to_authorization().errors(timezone.localdate()))
        return self.cleaned_data

    @property
    def consents(self) -> list[str]:
        """Return the slugs under which date and purpose are asked for."""
        return [kind.slug for kind in CONSENTS]

    def to_authorization(self) -> Authorization:
        kind = _type(self.cleaned_data["authorization_type"], AuthorizationType)
        return Authorization.from_values(self.cleaned_data | {"authorization_type": kind})


class SourceForm(CardHalf):
    source_type = forms.ChoiceField(label=_("Source Type"), choices=_choices(SourceType))
    source_other = _text(_("Describe the other source"))

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.cleaned_data.get("source_type"):
            self.add_rule_errors(self.to_source().errors())
        return self.cleaned_data

    def to_source(self) -> Source:
        kind = _type(self.cleaned_data["source_type"], SourceType)
        return Source.from_values(self.cleaned_data | {"source_type": kind})


class CardForm(AuthorizationForm, SourceForm):
    field_order = ["authorization_type", "authorization_other", "consent_date", "consent_purpose", "source_type"]


class OptOutForm(forms.Form):
    reason = _text(_("Reason"), max_length=TEXT_LIMIT, help_text=_("Optional. It stays in the history."))


class RestrictionForm(forms.Form):
    """Reason for a restriction or for lifting it. `lifts` fixes which of the two the user was asked to confirm."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=TEXT_LIMIT,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("It stays in the history."),
    )
    lifts = forms.BooleanField(required=False, widget=forms.HiddenInput)
    use_required_attribute = False

    @property
    def lifting(self) -> bool:
        return bool(self["lifts"].value() in {True, "True", "on"})


class PolicyForm(forms.ModelForm):
    use_required_attribute = False

    class Meta:
        model = Policy
        fields = policy.FIELDS
        help_texts = {code: decided.help for code, decided in DECIDED.items()}

    def add_errors(self, errors: dict[str, list[str]]) -> None:
        for name, messages in errors.items():
            self.add_error(name, messages)


class NoteForm(forms.Form):
    use_required_attribute = False
    purpose = forms.CharField(
        label=_("Purpose"), max_length=TEXT_LIMIT, help_text=_("What we want to achieve, and why it is legitimate.")
    )
    necessity = forms.CharField(
        label=_("Necessity"),
        max_length=NOTE_LIMIT,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Why it takes this data, and nothing milder does."),
    )
    balance = forms.CharField(
        label=_("Balance"),
        max_length=NOTE_LIMIT,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Why the interests of the person do not outweigh ours."),
    )


def card_values(card: ComplianceCard) -> dict[str, Any]:
    authorization, source = card.authorization_type, card.source_type
    return {
        "authorization_type": AuthorizationType(authorization).slug if authorization else NOT_RECORDED,
        "authorization_other": card.authorization_other,
        "consent_date": card.consent_date,
        "consent_purpose": card.consent_purpose,
        "source_type": SourceType(source).slug if source else NOT_RECORDED,
        "source_other": card.source_other,
    }

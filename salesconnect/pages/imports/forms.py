"""The forms of an import: the file, the card for all rows, the column mapping, and unclear opt-out words."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from compliance.card.rules import NOT_RECORDED
from compliance.imports.headers import FULL_NAME
from compliance.imports.import_jobs import CardDefaults
from compliance.imports.mapping import names
from compliance.imports.rows import LABELS
from salesconnect.pages.person.card_forms import CardForm

FIELD_CHOICES = [
    ("", _("Leave out")),
    (FULL_NAME, _("First and last name in one")),
    *LABELS.items(),
]

SAYS_NO = "no"
WORD_CHOICES = [
    ("", _("Choose")),
    (SAYS_NO, _("means that no mail is wanted")),
    ("nothing", _("says nothing of mail")),
]


class AllRowsForm(CardForm):
    """The card for all rows of the file; unlike the card's own form, nothing is required."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._may_be_blank("authorization_type", _("As the file says, else not recorded"))
        self._may_be_blank("source_type", _("As the file says, else Import"))

    def clean_authorization_type(self) -> str:
        """Take no choice for *Not recorded*, so that the card's rules can be applied to it."""
        return self.cleaned_data["authorization_type"] or NOT_RECORDED

    def clean_source_type(self) -> str:
        return self.cleaned_data["source_type"] or NOT_RECORDED

    def card(self) -> CardDefaults:
        return CardDefaults(self.to_authorization(), self.to_source())

    def _may_be_blank(self, name: str, label: Any) -> None:
        field = self.fields[name]
        field.required = False
        kinds = [choice for choice in field.choices if choice[0] not in ("", NOT_RECORDED)]  # type: ignore[attr-defined]
        field.choices = [("", label), *kinds]  # type: ignore[attr-defined]


class FileForm(AllRowsForm):
    field_order = ["file"]
    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput({"accept": ".csv,.txt,.tsv,text/csv"}),
        help_text=_("CSV with a header, up to 200 MB: comma, semicolon or tab, in UTF-8, UTF-16 or Windows-1252."),
        error_messages={"empty": _("The file is empty."), "required": _("Choose a file.")},
    )


class ColumnsForm(AllRowsForm):
    def __init__(
        self,
        *args: Any,
        headers: list[str],
        unread: Sequence[str] = (),
        words: Mapping[str, Sequence[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.unread = list(unread)
        self.asked = {
            f"word_{place}_{number}": (header, said)
            for place, (header, texts) in enumerate((words or {}).items())
            for number, said in enumerate(texts)
        }
        for name, (header, said) in self.asked.items():
            question = _("“%(word)s” in the column “%(column)s”") % {"word": said, "column": header}
            self.fields[name] = forms.ChoiceField(label=question, choices=WORD_CHOICES, required=False)
        if unread:
            ignored = _("Leave these columns out: they say nothing of consent or opt-out that must be kept")
            self.fields["ignore_unread"] = forms.BooleanField(label=ignored, required=False)
        self.columns = {f"column_{index}": header for index, header in enumerate(names(headers))}
        for name, header in self.columns.items():
            label = header or _("Column without a name")
            self.fields[name] = forms.ChoiceField(label=label, choices=FIELD_CHOICES, required=False)

    def ignored(self, before: Sequence[str]) -> list[str]:
        """Return the columns left out on purpose: those confirmed `before` and now, unless they are mapped."""
        mapped = {header for header, field in self.mapping().items() if field}
        asked = self.unread if self.cleaned_data.get("ignore_unread") else []
        return [header for header in dict.fromkeys([*before, *asked]) if header not in mapped]

    def words(self, before: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """Return the opt-out words by column: those of `before`, replaced where all questions are answered."""
        said: dict[str, dict[str, str]] = {}
        for name, (header, text) in self.asked.items():
            said.setdefault(header, {})[text] = self.cleaned_data[name]
        answered = {
            header: [text for text, meaning in texts.items() if meaning == SAYS_NO]
            for header, texts in said.items()
            if all(texts.values())
        }
        return {header: list(texts) for header, texts in before.items()} | answered

    @property
    def questions(self) -> list[forms.BoundField]:
        return [self[name] for name in self.asked]

    def mapping(self) -> dict[str, str]:
        """Return the field for each column header, `""` for a column that is left out."""
        return {header: self.cleaned_data[name] for name, header in self.columns.items()}


def columns_initial(columns: dict[int, str]) -> dict[str, str]:
    return {f"column_{index}": field for index, field in columns.items()}


def card_initial(card: CardDefaults) -> dict[str, Any]:
    authorization, source = card
    return {
        "authorization_type": authorization.type.slug if authorization.type else "",
        "authorization_other": authorization.other,
        "consent_date": authorization.consent_date,
        "consent_purpose": authorization.consent_purpose,
        "source_type": source.type.slug if source.type else "",
        "source_other": source.other,
    }

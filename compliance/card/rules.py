"""The rules of the compliance card: pure, without database or settings.

The authorization types are the legal bases of GDPR art. 6(1); the codes are what the database stores.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import IntegerChoices
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from salesconnect.lib.web.parsing import in_range

TEXT_LIMIT = 500
NOT_RECORDED = "not_recorded"


class SlugChoices(IntegerChoices):
    """Choices stored as small codes and spoken of by a slug: `consent` in the API, 1 in the database."""

    @property
    def slug(self) -> str:
        """Return the value used in the API, in exports and in the history."""
        return self.name.lower()

    @classmethod
    def from_slug(cls, slug: str) -> "SlugChoices":
        """Return the choice of a slug; `KeyError` when there is none."""
        return cls[slug.upper()] if slug.islower() else cls[""]

    @classmethod
    def slugs(cls) -> list[str]:
        return [choice.slug for choice in cls]


class AuthorizationType(SlugChoices):
    """The ground for processing, in the order in which it is offered."""

    CONSENT = 1, _("Consent")
    LEGITIMATE_INTEREST = 2, _("Legitimate Interest")
    CONTRACT = 3, _("Performance of a Contract")
    LEGAL_OBLIGATION = 4, _("Compliance with Legal Obligation")
    VITAL_INTERESTS = 5, _("Protection of Vital Interests")
    PUBLIC_INTEREST = 6, _("Public Interest/Official Authority")
    OTHER = 7, _("Other")


class SourceType(SlugChoices):
    """How the person's data first came in."""

    CRM_SYNC = 1, _("CRM Sync")
    IMPORT = 2, _("Import")
    MANUAL_UPLOAD = 3, _("Manual Upload")
    CHROME_EXTENSION = 4, _("Chrome Extension")
    OTHER = 5, _("Other")


# By which words an import knows a legal basis beside its slug: the labels in every language, whichever is active, and
# those of other programs.
AUTHORIZATION_WORDS = {
    AuthorizationType.CONSENT: ("Consent", "Samtycke", "Freely given consent from contact"),
    AuthorizationType.LEGITIMATE_INTEREST: (
        "Legitimate Interest",
        "Berättigat intresse",
        "Legitimate interest – prospect/lead",
        "Legitimate interest – existing customer",
        "Legitimate interest – other",
    ),
    AuthorizationType.CONTRACT: ("Performance of a Contract", "Fullgörande av avtal"),
    AuthorizationType.LEGAL_OBLIGATION: ("Compliance with Legal Obligation", "Rättslig förpliktelse"),
    AuthorizationType.VITAL_INTERESTS: ("Protection of Vital Interests", "Skydd av grundläggande intressen"),
    AuthorizationType.PUBLIC_INTEREST: (
        "Public Interest/Official Authority",
        "Allmänt intresse/myndighetsutövning",
    ),
    AuthorizationType.OTHER: ("Other", "Annat"),
}
SOURCE_WORDS = {
    SourceType.CRM_SYNC: ("CRM Sync", "CRM-synkronisering"),
    SourceType.IMPORT: ("Import",),
    SourceType.MANUAL_UPLOAD: ("Manual Upload", "Manuell uppladdning"),
    SourceType.CHROME_EXTENSION: ("Chrome Extension", "Chrome-tillägg"),
    SourceType.OTHER: ("Other", "Annat"),
}
# Whether a source has the data from the person; whoever came in by another one must be told of it (GDPR art. 14).
DIRECT_SOURCES = (SourceType.MANUAL_UPLOAD, SourceType.CHROME_EXTENSION)
INDIRECT_SOURCES = (SourceType.CRM_SYNC, SourceType.IMPORT, SourceType.OTHER)
# The kinds of consent: each must be demonstrable (GDPR art. 7(1)), so it demands its date and its purpose.
CONSENTS = (AuthorizationType.CONSENT,)
# The letter of GDPR art. 6(1) on which a legal basis rests.
ARTICLES = {
    AuthorizationType.CONSENT: "a",
    AuthorizationType.LEGITIMATE_INTEREST: "f",
    AuthorizationType.CONTRACT: "b",
    AuthorizationType.LEGAL_OBLIGATION: "c",
    AuthorizationType.VITAL_INTERESTS: "d",
    AuthorizationType.PUBLIC_INTEREST: "e",
    AuthorizationType.OTHER: "",
}
# From the strictest: nothing recorded and what is no ground of GDPR art. 6(1); then what the person can end at will
# (consent by art. 7(3), the interests by objection, art. 21); last what holds whatever the person wants.
STRICTEST_FIRST = (
    None,
    AuthorizationType.OTHER,
    AuthorizationType.CONSENT,
    AuthorizationType.LEGITIMATE_INTEREST,
    AuthorizationType.PUBLIC_INTEREST,
    AuthorizationType.CONTRACT,
    AuthorizationType.LEGAL_OBLIGATION,
    AuthorizationType.VITAL_INTERESTS,
)


@dataclass(frozen=True, slots=True)
class Authorization:
    """A legal basis as the card holds it; `type` None means that none is recorded."""

    type: AuthorizationType | None = None
    other: str = ""
    consent_date: dt.date | None = None
    consent_purpose: str = ""

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "Authorization":
        """Return the basis in the columns of a card, by name; the date may be ISO 8601, what is absent is empty."""
        kind, date = values.get("authorization_type"), values.get("consent_date")
        return cls(
            AuthorizationType(kind) if kind else None,
            values.get("authorization_other", ""),
            dt.date.fromisoformat(date) if date and isinstance(date, str) else date or None,
            values.get("consent_purpose", ""),
        )

    def values(self) -> dict[str, Any]:
        """Return what the columns of a card hold for it, by name."""
        return {
            "authorization_type": self.type,
            "authorization_other": self.other,
            "consent_date": self.consent_date,
            "consent_purpose": self.consent_purpose,
        }

    def errors(self, today: dt.date) -> dict[str, list[str]]:
        """Return what is wrong by field name; empty when the rules hold.

        Consent must be demonstrable (GDPR art. 7(1)), so it demands its date, not after `today`, and its purpose;
        no other type has them. Only *Other* carries a description.
        """
        errors: dict[str, list[str]] = {}
        if self.type in CONSENTS:
            if self.consent_date is None:
                errors["consent_date"] = [_t("Consent needs the date on which it was given.")]
            elif self.consent_date > today:
                errors["consent_date"] = [_t("The date of consent cannot lie in the future.")]
            elif not in_range(self.consent_date):
                errors["consent_date"] = [_t("Give a day between 1900-01-01 and 2999-12-31.")]
            if not self.consent_purpose.strip():
                errors["consent_purpose"] = [_t("Consent needs the purpose it was given for.")]
        else:
            if self.consent_date is not None:
                errors["consent_date"] = [_t("Only Consent has a date of consent.")]
            if self.consent_purpose:
                errors["consent_purpose"] = [_t("Only Consent has a purpose of processing.")]
        if self.other and self.type != AuthorizationType.OTHER:
            errors["authorization_other"] = [_t("Only Other can be described in words.")]
        errors |= _too_long(consent_purpose=self.consent_purpose, authorization_other=self.other)
        return errors


@dataclass(frozen=True, slots=True)
class Source:
    """Where the data came from as the card holds it; `type` None means that it is not recorded."""

    type: SourceType | None = None
    other: str = ""

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> "Source":
        """Return the source in the columns of a card, by name; what is absent is empty."""
        kind = values.get("source_type")
        return cls(SourceType(kind) if kind else None, values.get("source_other", ""))

    def values(self) -> dict[str, Any]:
        """Return what the columns of a card hold for it, by name."""
        return {"source_type": self.type, "source_other": self.other}

    def errors(self) -> dict[str, list[str]]:
        """Return what is wrong by field name; empty when the rules hold."""
        errors: dict[str, list[str]] = {}
        if self.other and self.type != SourceType.OTHER:
            errors["source_other"] = [_t("Only Other can be described in words.")]
        return errors | _too_long(source_other=self.other)


def _too_long(**texts: str) -> dict[str, list[str]]:
    message = _t("Use at most %(limit)d characters.") % {"limit": TEXT_LIMIT}
    return {name: [message] for name, text in texts.items() if len(text) > TEXT_LIMIT}

"""The rules of the compliance card: pure, without database or settings."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _t

from compliance.card.legal_basis_registry import CONSENTS, AuthorizationType
from compliance.card.source_registry import SourceType
from salesconnect.lib.web.parsing import in_range

TEXT_LIMIT = 500
NOT_RECORDED = "not_recorded"


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

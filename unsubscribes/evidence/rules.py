"""What evidence a new consent needs, and which of two legal bases is stricter. Pure: no database, no settings."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.core.files.base import File
from django.db.models import TextChoices
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from compliance.card.legal_basis_registry import STRICTEST_FIRST
from compliance.card.rules import TEXT_LIMIT, Authorization

WORDING_LIMIT = 2_000
LEAST_REFERENCE = 20
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Channel(TextChoices):
    FORM = "form", _("By a form")
    EMAIL = "email", _("By email")
    WRITING = "writing", _("In writing")
    PHONE = "phone", _("By phone")
    IN_PERSON = "in_person", _("In person")
    OTHER = "other", _("In another way")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence of a consent, with a `document`, or a `reference` to where one is kept.

    GDPR art. 7(1): the controller shall be able to demonstrate the consent.
    """

    consent_date: dt.date | None
    channel: str
    wording: str
    purpose: str
    reference: str = ""
    document: File[Any] | None = None

    def errors(self, today: dt.date, last_no: dt.date | None) -> dict[str, list[str]]:
        """Return the errors by field name; `last_no` is the day of the person's last opt-out."""
        errors: dict[str, list[str]] = {}
        if message := self._wrong_date(today, last_no):
            errors["consent_date"] = [message]
        if self.channel not in Channel.values:
            errors["channel"] = [_t("Say how the consent was given.")]
        errors |= _text_errors("wording", self.wording, WORDING_LIMIT, _t("Give the words that the person agreed to."))
        errors |= _text_errors("purpose", self.purpose, TEXT_LIMIT, _t("Consent needs the purpose it was given for."))
        errors |= _text_errors("evidence_reference", self.reference, TEXT_LIMIT, "")
        if self.document is None and len(self.reference.strip()) < LEAST_REFERENCE:
            message = _t("Attach a document, or say in at least %(least)d characters where one is kept.")
            errors.setdefault("evidence_reference", [message % {"least": LEAST_REFERENCE}])
        return errors

    def _wrong_date(self, today: dt.date, last_no: dt.date | None) -> str:
        if self.consent_date is None:
            return _t("Consent needs the date on which it was given.")
        if self.consent_date > today:
            return _t("The date of consent cannot lie in the future.")
        if last_no and self.consent_date < last_no:
            return _t("The person said no on %(date)s; a consent from before that day no longer counts.") % {
                "date": date_format(last_no)
            }
        return ""


def stricter(one: Authorization, other: Authorization) -> Authorization:
    """Return the stricter of two legal bases; of two consents the older one, on a tie `one`."""
    return min(one, other, key=_latitude)


def _latitude(authorization: Authorization) -> tuple[int, dt.date]:
    return STRICTEST_FIRST.index(authorization.type), authorization.consent_date or dt.date.max


def _text_errors(name: str, text: str, limit: int, missing: str) -> dict[str, list[str]]:
    if missing and not text.strip():
        return {name: [missing]}
    if len(text) > limit:
        return {name: [_t("Use at most %(limit)d characters.") % {"limit": limit}]}
    if UNSEEN.search(text):
        return {name: [_t("Remove the characters that cannot be seen.")]}
    return {}

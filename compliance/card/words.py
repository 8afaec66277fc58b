"""A legal basis and a source in words."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import NOT_RECORDED
from compliance.card.source_registry import SourceType
from salesconnect.lib.slug_choices import SlugChoices


def authorization_words(values: Mapping[str, Any]) -> str:
    """Return a legal basis in words, from its fields as the history or a form holds them."""
    kind = label(AuthorizationType, values.get("authorization_type"))
    if date := values.get("consent_date"):
        given = {
            "kind": kind,
            "date": day(date),
            "purpose": values.get("consent_purpose") or _("a purpose that is no longer held"),
        }
        return _("%(kind)s, given %(date)s for %(purpose)s") % given
    return _described(kind, values.get("authorization_other"))


def source_words(values: Mapping[str, Any]) -> str:
    """Return a source in words, from its fields as the history or a form holds them."""
    return _described(label(SourceType, values.get("source_type")), values.get("source_other"))


def label(kind: type[SlugChoices], slug: str | None) -> str:
    return _("Not recorded") if slug in (None, "", NOT_RECORDED) else str(kind.from_slug(str(slug)).label)


def _described(kind: str, description: str | None) -> str:
    return _("%(kind)s (%(description)s)") % {"kind": kind, "description": description} if description else kind


def day(date: str | dt.date) -> str:
    """Return a day as the reader writes it; the history holds it in ISO 8601."""
    return date_format(dt.date.fromisoformat(date) if isinstance(date, str) else date)

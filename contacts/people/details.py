"""Validation of a person's fields. Pure; every door validates its input here."""

import re
from collections.abc import Mapping
from unicodedata import normalize

from django.utils.translation import gettext as _t

from contacts.people.field_registry import IDENTIFYING, LIMITS
from contacts.people.rules import normalise_address, salesforce_id

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean(values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the details trimmed and in their stored form (Unicode NFC), and what is wrong with them by field name."""
    cleaned = {name: normalize("NFC", value).strip() for name, value in values.items()}
    errors: dict[str, list[str]] = {}
    for name, value in cleaned.items():
        if message := _error(name, value):
            errors[name] = [message]
    if cleaned.get("salesforce_id") and "salesforce_id" not in errors:
        cleaned["salesforce_id"] = salesforce_id(cleaned["salesforce_id"])
    return cleaned, errors


def identity_errors(values: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the error of a person without a name and without an address; empty for anybody else."""
    if any(values.get(name, "").strip() for name in IDENTIFYING):
        return {}
    return {"last_name": [_t("Give a name or an email address.")]}


def _error(name: str, value: str) -> str:
    if len(value) > LIMITS[name]:
        return _t("Use at most %(limit)d characters.") % {"limit": LIMITS[name]}
    if UNPRINTABLE.search(value):
        return _t("Remove the characters that cannot be seen.")
    try:
        if value and name == "email":
            normalise_address(value)
        if value and name == "salesforce_id":
            salesforce_id(value)
    except ValueError as problem:
        return str(problem)
    return ""

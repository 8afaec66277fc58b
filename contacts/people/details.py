"""The details of a person: their names, limits and checks. Pure; every door cleans its input here."""

import re
from collections.abc import Mapping
from unicodedata import normalize

from django.utils.translation import gettext as _t

from contacts.people.rules import normalise_address, salesforce_id

LIMITS = {
    "first_name": 200,
    "last_name": 200,
    "company": 200,
    "title": 200,
    "email": 254,
    "phone": 50,
    "website": 500,
    "other": 500,
    "facebook": 500,
    "twitter": 500,
    "linkedin": 500,
    "salesforce_id": 18,
}
DETAILS = tuple(LIMITS)
# What lists are sorted by, and where the keys for it are stored.
SORTED = {"company": "sort_company", "last_name": "sort_last", "first_name": "sort_first"}
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# A person is somebody one can name or write to.
IDENTIFYING = ("first_name", "last_name", "email")


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


def nobody(values: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the error of a person without a name and without an address; empty for anybody else."""
    if any(values.get(name, "").strip() for name in IDENTIFYING):
        return {}
    return {"last_name": [_t("Give a name or an email address.")]}


def _error(name: str, value: str) -> str:
    if len(value) > LIMITS[name]:
        return _t("Use at most %(limit)d characters.") % {"limit": LIMITS[name]}
    if UNSEEN.search(value):
        return _t("Remove the characters that cannot be seen.")
    try:
        if value and name == "email":
            normalise_address(value)
        if value and name == "salesforce_id":
            salesforce_id(value)
    except ValueError as problem:
        return str(problem)
    return ""

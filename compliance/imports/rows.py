"""One row of an import, checked before it comes near the database. Pure."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from django.utils.translation import gettext_lazy as _

from compliance.card.legal_basis_registry import CONSENTS, AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.imports import cell_values as cells
from contacts.people.details import clean, identity_errors
from contacts.people.field_registry import DETAILS, FIELDS
from salesconnect.lib.csv import RowError

LABELS = {
    **{field.name: field.label for field in FIELDS},
    "authorization_type": _("Authorization Type"),
    "authorization_other": _("Authorization, other"),
    "consent_date": _("Date of Consent"),
    "consent_purpose": _("Purpose of Processing"),
    "source_type": _("Source Type"),
    "source_other": _("Source, other"),
    "opted_out": _("Unsubscribed"),
}
_AUTHORIZATION = ("authorization_type", "authorization_other", "consent_date", "consent_purpose")
_SOURCE = ("source_type", "source_other")
_NO_AUTHORIZATION = Authorization()
_NO_SOURCE = Source()

Errors = dict[str, list[str]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CleanRow:
    """What a row says, in its stored form. Blank cells are not in `details`, for they overwrite nothing.

    A type of None means that the row says nothing about it. `opted_out` can only be a "no": an import opts nobody in.
    """

    details: dict[str, str]
    authorization: Authorization = field(default_factory=Authorization)
    source: Source = field(default_factory=Source)
    opted_out: bool = False


def clean_row(values: Mapping[str, str], *, today: dt.date) -> CleanRow | RowError:
    """Return the row in its stored form, or all that is wrong with it in words.

    `values` holds texts by field name as `mapping.apply` gives them; fields that no column fills may be missing.
    `today` is the day after which no consent can have been given.
    """
    details, errors = clean({name: value for name in DETAILS if (value := values.get(name, "").strip())})
    errors |= identity_errors(details)
    authorization, problems = _authorization(values, today)
    errors |= problems
    source, problems = _source(values)
    errors |= problems
    opted_out = _read(values, "opted_out", cells.opted_out, errors)
    if errors:
        return RowError(_in_words(errors))
    return CleanRow(details, authorization, source, bool(opted_out))


def _authorization(values: Mapping[str, str], today: dt.date) -> tuple[Authorization, Errors]:
    if not any(values.get(name) for name in _AUTHORIZATION):
        return _NO_AUTHORIZATION, {}
    errors: Errors = {}
    authorization = Authorization(
        type=_read(values, "authorization_type", cells.authorization_type, errors),
        other=_read(values, "authorization_other", cells.text, errors) or "",
        consent_date=_read(values, "consent_date", cells.consent_date, errors),
        consent_purpose=_read(values, "consent_purpose", cells.text, errors) or "",
    )
    return authorization, errors or _whole(authorization, today).errors(today)


def _whole(authorization: Authorization, today: dt.date) -> Authorization:
    """Return the basis with what a blank cell leaves to the card or to the values for all rows, so that the rest shows.

    Whether those have it only the database knows; see `imports.statements`.
    """
    says_consent = bool(authorization.consent_date or authorization.consent_purpose)
    kind = authorization.type or (AuthorizationType.CONSENT if says_consent else None)
    if kind not in CONSENTS:
        return replace(authorization, type=kind or (AuthorizationType.OTHER if authorization.other else None))
    date, purpose = authorization.consent_date or today, authorization.consent_purpose or "-"
    return replace(authorization, type=kind, consent_date=date, consent_purpose=purpose)


def _source(values: Mapping[str, str]) -> tuple[Source, Errors]:
    if not any(values.get(name) for name in _SOURCE):
        return _NO_SOURCE, {}
    errors: Errors = {}
    source = Source(
        type=_read(values, "source_type", cells.source_type, errors),
        other=_read(values, "source_other", cells.text, errors) or "",
    )
    kind = source.type or (SourceType.OTHER if source.other else None)
    return source, errors or replace(source, type=kind).errors()


def _read(values: Mapping[str, str], name: str, parse: Callable[[str], T], errors: Errors) -> T | None:
    """Return what a cell means, None for a blank one; a cell that means nothing goes into `errors`."""
    try:
        return parse(text) if (text := values.get(name, "").strip()) else None
    except ValueError as problem:
        errors[name] = [str(problem)]
        return None


def _in_words(errors: Errors) -> str:
    return " ".join(f"{LABELS[name]}: {message}" for name, messages in errors.items() for message in messages)

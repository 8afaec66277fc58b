"""When the CRM's word counts. Pure. In doubt, and at the same moment, it is an opt-out."""

import datetime as dt
import re
from dataclasses import dataclass

from unsubscribes.crm.values import Attribution

# The CRM writes whole seconds, and its `Date` header, from which its time is known, has no more either.
GRAIN = dt.timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class PendingReconsent:
    """A re-consent of which the CRM has not heard yet: when it was given, by the CRM's clock, None if unknown;
    the record's stamp as it was known then; whether the sync itself had written the opt-out, and as which user.
    """

    given_at: dt.datetime | None
    known_stamp: dt.datetime | None
    pushed: bool
    our_user: str


def predates_reconsent(stamp: dt.datetime, modified_by: str, given: PendingReconsent) -> bool:
    """Tell whether a box that is ticked in the CRM is still the opt-out from before the re-consent.

    It is when the record has not moved since, when it was we who wrote it last, or when it moved before the
    re-consent was given.
    """
    if given.known_stamp is not None and stamp <= given.known_stamp:
        return True
    if given.pushed and given.our_user and modified_by == given.our_user:
        return True
    return given.given_at is not None and stamp + GRAIN <= given.given_at


_TIME = "%Y-%m-%d %H:%M"
_EXACT = "In {crm} by {who}, {at} UTC"
_LATEST = "In {crm}, {at} UTC at the latest; the record was last changed by {who}"
_READ = (
    (re.compile(r"In (?P<crm>\w+) by (?P<who>.+), (?P<at>[\d-]{10} \d\d:\d\d) UTC"), True),
    (
        re.compile(
            r"In (?P<crm>\w+), (?P<at>[\d-]{10} \d\d:\d\d) UTC at the latest; .+ last changed by (?P<who>.+)",
        ),
        False,
    ),
)


def reason(said: Attribution, crm: str) -> str:
    """Return who opted out and when, as the history keeps it; `attribution` reads it again."""
    words = _EXACT if said.exact else _LATEST
    return words.format(crm=crm, who=said.who, at=f"{said.at.astimezone(dt.UTC):{_TIME}}")


def attribution(text: str) -> Attribution | None:
    """Return what the reason of an opt-out tells of the CRM; None for any other reason."""
    for pattern, exact in _READ:
        if found := pattern.fullmatch(text):
            at = dt.datetime.strptime(found["at"], _TIME).replace(tzinfo=dt.UTC)
            return Attribution(found["who"], at, exact, found["crm"])
    return None

"""When Salesforce's word counts. Pure. In doubt, and at the same moment, it is an opt-out."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import NamedTuple

# Salesforce writes whole seconds, and its `Date` header, from which its time is known, has no more either.
GRAIN = dt.timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Reconsent:
    """A re-consent of which Salesforce has not heard yet: when it was given, by Salesforce's clock, None if unknown;
    the record's stamp as it was known then; whether the sync itself had written the opt-out, and as which user.
    """

    given_at: dt.datetime | None
    known_stamp: dt.datetime | None
    pushed: bool
    our_user: str


def is_the_old_no(stamp: dt.datetime, modified_by: str, given: Reconsent) -> bool:
    """Tell whether a box that is ticked in Salesforce is still the opt-out from before the re-consent.

    It is when the record has not moved since, when it was we who wrote it last, or when it moved before the
    re-consent was given.
    """
    if given.known_stamp is not None and stamp <= given.known_stamp:
        return True
    if given.pushed and given.our_user and modified_by == given.our_user:
        return True
    return given.given_at is not None and stamp + GRAIN <= given.given_at


class Attribution(NamedTuple):
    """Who ticked a box in Salesforce, and when; not `exact`: who changed the record last, and so the latest moment."""

    who: str
    at: dt.datetime
    exact: bool


_TIME = "%Y-%m-%d %H:%M"
_EXACT = "In Salesforce by {who}, {at} UTC"
_LATEST = "In Salesforce, {at} UTC at the latest; the record was last changed by {who}"
_READ = (
    (re.compile(r"In Salesforce by (?P<who>.+), (?P<at>[\d-]{10} \d\d:\d\d) UTC"), True),
    (
        re.compile(r"In Salesforce, (?P<at>[\d-]{10} \d\d:\d\d) UTC at the latest; .+ last changed by (?P<who>.+)"),
        False,
    ),
)


def reason(said: Attribution) -> str:
    """Return who opted out and when, as the history keeps it; `attribution` reads it again."""
    words = _EXACT if said.exact else _LATEST
    return words.format(who=said.who, at=f"{said.at.astimezone(dt.UTC):{_TIME}}")


def attribution(text: str) -> Attribution | None:
    """Return what the reason of an opt-out tells of Salesforce; None for any other reason."""
    for pattern, exact in _READ:
        if found := pattern.fullmatch(text):
            at = dt.datetime.strptime(found["at"], _TIME).replace(tzinfo=dt.UTC)
            return Attribution(found["who"], at, exact)
    return None

"""Whether an opt-out in the CRM is newer than a re-consent here. Pure. In doubt, and on a tie, the opt-out wins."""

import datetime as dt
import re
from dataclasses import dataclass

from unsubscribes.crm.values import Attribution

# Stamps of the CRM and its `Date` header, from which we know its time, have whole seconds: each may be off by one.
GRAIN = dt.timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class PendingReconsent:
    """A re-consent that is not written to the CRM yet.

    `given_at` is by the CRM's clock, None if unknown; `known_stamp` is the record's stamp at that time; `pushed` says
    that the sync had written the opt-out itself, as `our_user`.
    """

    given_at: dt.datetime | None
    known_stamp: dt.datetime | None
    pushed: bool
    our_user: str


def predates_reconsent(stamp: dt.datetime, modified_by: str, given: PendingReconsent) -> bool:
    """Tell whether a box that is ticked in the CRM is the opt-out from before the re-consent.

    That is so if the record has not changed since, if the sync itself changed it last, or if its last change came
    before the re-consent.
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
    """Return who opted out and when as the text that the history stores; `attribution` parses it."""
    words = _EXACT if said.exact else _LATEST
    return words.format(crm=crm, who=said.who, at=f"{said.at.astimezone(dt.UTC):{_TIME}}")


def attribution(text: str) -> Attribution | None:
    """Parse the stored reason of an opt-out; None if it was not made in a CRM."""
    for pattern, exact in _READ:
        if found := pattern.fullmatch(text):
            at = dt.datetime.strptime(found["at"], _TIME).replace(tzinfo=dt.UTC)
            return Attribution(found["who"], at, exact, found["crm"])
    return None

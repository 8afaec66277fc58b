"""When Salesforce's word counts. Pure. In doubt, and at the same moment, it is an opt-out."""

import datetime as dt
from dataclasses import dataclass

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

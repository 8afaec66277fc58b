"""Clocks that differ: Salesforce's, as its answers tell, and the one here.

Nothing that is read depends on the clock here, but a signed assertion ends by it, and a person who looks for the cause
of a refusal has to be told.
"""

import datetime as dt
from email.utils import parsedate_to_datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

CODE = "CLOCK_DIFFERS"
MOST = dt.timedelta(seconds=60)
MINUTE = 60


def ahead(header: str | None) -> dt.timedelta | None:
    """Return by how much the clock of an answer's `Date` header is ahead of ours; None when it tells no time."""
    try:
        return parsedate_to_datetime(header or "") - timezone.now()
    except (TypeError, ValueError):
        return None


def is_off(skew: dt.timedelta | None) -> bool:
    """Tell whether two clocks differ by more than a slow answer explains."""
    return skew is not None and abs(skew) > MOST


def words(skew: dt.timedelta | None) -> str:
    """Say by how much the clock here differs from Salesforce's."""
    seconds = round(skew.total_seconds()) if skew else 0
    number = abs(seconds)
    if number < 2 * MINUTE:
        length = ngettext("%(number)d second", "%(number)d seconds", number) % {"number": number}
    else:
        number = round(number / MINUTE)
        length = ngettext("%(number)d minute", "%(number)d minutes", number) % {"number": number}
    if seconds > 0:
        return _("The clock here is %(length)s behind Salesforce's") % {"length": length}
    if seconds < 0:
        return _("The clock here is %(length)s ahead of Salesforce's") % {"length": length}
    return _("The clock here agrees with Salesforce's")

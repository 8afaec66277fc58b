"""The difference between the CRM's clock, from the `Date` header of its answers, and ours.

Reading never depends on our clock. A signed JWT assertion does: it carries an expiry time, and a wrong clock is the
usual cause of a refusal that is otherwise hard to explain.
"""

import datetime as dt
from email.utils import parsedate_to_datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

CODE = "CLOCK_DIFFERS"
MAX_SKEW = dt.timedelta(seconds=60)
MINUTE = 60


def ahead(header: str | None) -> dt.timedelta | None:
    """Return how far a `Date` header is ahead of our clock; None for a missing or malformed header."""
    try:
        return parsedate_to_datetime(header or "") - timezone.now()
    except (TypeError, ValueError):
        return None


def is_off(skew: dt.timedelta | None) -> bool:
    """Tell whether the difference is larger than a slow answer can explain."""
    return skew is not None and abs(skew) > MAX_SKEW


def words(skew: dt.timedelta | None, crm: str) -> str:
    """Return how the clocks differ; `crm` is what the CRM is called."""
    seconds = round(skew.total_seconds()) if skew else 0
    number = abs(seconds)
    if number < 2 * MINUTE:
        length = ngettext("%(number)d second", "%(number)d seconds", number) % {"number": number}
    else:
        number = round(number / MINUTE)
        length = ngettext("%(number)d minute", "%(number)d minutes", number) % {"number": number}
    said = {"length": length, "crm": crm}
    if seconds > 0:
        return _("The clock here is %(length)s behind %(crm)s's") % said
    if seconds < 0:
        return _("The clock here is %(length)s ahead of %(crm)s's") % said
    return _("The clock here agrees with %(crm)s's") % said

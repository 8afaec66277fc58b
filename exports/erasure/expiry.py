"""What an erasure keeps for a limited time, removed when that time is over."""

from dateutil.relativedelta import relativedelta
from django.utils import timezone

from compliance.suppression import erased
from exports.erasure import deletion_settings
from salesconnect.lib.database.transactions import act
from unsubscribes.crm.people import erasing
from unsubscribes.links import links


@act
def forget_old() -> int:
    """Forget expired address hashes, their links, and Salesforce records of erased people; return how many went."""
    hashes = erased.forget_old()
    links.forget([], hashes)
    months = deletion_settings.current().erased_months
    return len(hashes) + erasing.forget(timezone.now() - relativedelta(months=months))

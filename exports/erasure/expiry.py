"""What an erasure leaves for a stated time goes when that is over."""

from dateutil.relativedelta import relativedelta
from django.utils import timezone

from compliance.suppression import erased
from exports.erasure import deletion_settings
from salesconnect.lib.database.transactions import act
from unsubscribes.crm.people import erasing
from unsubscribes.links import links


@act
def forget_old() -> int:
    """Forget addresses remembered long enough, their links, and records gone in Salesforce; returns how many."""
    hashes = erased.forget_old()
    links.forget([], hashes)
    months = deletion_settings.current().erased_months
    return len(hashes) + erasing.forget(timezone.now() - relativedelta(months=months))

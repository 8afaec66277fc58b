"""The reason of an opt-out that was made in the CRM: who ticked the box, and when.

Only a read of changes asks for it: what a full read finds may be years old.
"""

from collections.abc import Sequence

from unsubscribes.crm.models import SyncRecord
from unsubscribes.crm.provider import CrmSession
from unsubscribes.crm.reading.rules import reason
from unsubscribes.crm.values import CrmRecord


def reasons(rows: Sequence[CrmRecord], session: CrmSession) -> dict[str, str]:
    news = _news(rows, session.connection.user_id)
    if not news:
        return {}
    return {sf_id: reason(each, session.provider.name) for sf_id, each in session.attributions(news).items()}


def _news(rows: Sequence[CrmRecord], our_user: str) -> list[CrmRecord]:
    ticked = [row for row in rows if row.opted_out and row.modified_by != our_user]
    known = SyncRecord.objects.filter(sf_id__in=[row.sf_id for row in ticked], opted_out=True)
    old = set(known.values_list("sf_id", flat=True))
    return [row for row in ticked if row.sf_id not in old]

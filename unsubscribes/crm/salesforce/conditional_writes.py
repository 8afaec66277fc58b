"""Whether the org refuses a write to a record that has changed since it was read (`If-Unmodified-Since`).

A re-consent relies on it: somebody may opt out between our reading and our writing. It is proven with a date in 1999,
after which every record has changed: the answer has to be 412. What is sent is the value that stands there, so that an
org, or a proxy before it, that ignores the date changes nothing either.
"""

import datetime as dt

from django.db.models import Q
from django.db.models.functions import Now

from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.salesforce import missing_records
from unsubscribes.crm.salesforce.api.client import Client
from unsubscribes.crm.salesforce.mapping import SOBJECTS
from unsubscribes.crm.salesforce.targets import target
from unsubscribes.crm.values import WriteTarget

LONG_AGO = dt.datetime(1999, 1, 1, tzinfo=dt.UTC)
PROVEN_FOR = dt.timedelta(days=1)
REFUSED = (ErrorKind.SCHEMA, ErrorKind.PERMISSION, ErrorKind.READ_ONLY, ErrorKind.RULE)


def holds(place: WriteTarget, client: Client, *, value: bool) -> bool:
    """Tell whether the org honours the condition; it is tried on this record, whose box is `value`, once a day.

    Raises `ProviderError` when the record cannot be written at all.
    """
    fresh = Q(conditional_at__gt=Now() - PROVEN_FOR)
    row = SyncConnection.objects.filter(fresh).exclude(conditional_writes=None).first()
    if row is not None:
        return bool(row.conditional_writes)
    return prove(place, client, value=value)


def prove(place: WriteTarget, client: Client, *, value: bool) -> bool:
    """Try it on this record, and remember what came out."""
    try:
        client.change(place.sobject, place.sf_id, {place.field: value}, unmodified_since=LONG_AGO)
    except ProviderError as error:
        if error.kind is not ErrorKind.MOVED_ON:
            raise
        refused = True
    else:
        refused = False
    SyncConnection.objects.update(conditional_writes=refused, conditional_at=Now())
    return refused


def prove_on_any(client: Client, connection: SyncConnection) -> bool | None:
    """Try it on some record of the org; None where there is none."""
    for sobject in SOBJECTS:
        select = sobject.select(connection.opt_out_field, persons=connection.person_accounts)
        converted = " AND IsConverted = FALSE" if "IsConverted" in sobject.fields else ""
        try:
            answer = client.get("query", q=f"{select} WHERE IsDeleted = FALSE{converted} LIMIT 1")
            found = [
                each
                for page in client.pages(answer)
                for each in missing_records.rows_of(sobject, page, connection.opt_out_field)
            ]
            if found:
                there = found[0]
                return prove(target(there, connection.opt_out_field), client, value=there.opted_out)
        except ProviderError as error:
            if error.kind not in REFUSED:  # another line of the test says what is missing
                raise
    return None

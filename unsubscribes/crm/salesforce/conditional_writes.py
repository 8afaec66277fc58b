"""Tests whether the org honours `If-Unmodified-Since`: whether it refuses to write a record that has changed.

Clearing a box relies on it: somebody may opt out between our read and our write. The test sends a date in 1999, after
which every record has changed, and expects a 412. It writes the value that the box has already, so that nothing changes
if the org, or a proxy in front of it, ignores the header.
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
    """Tell whether the org honours the header; tested once a day, on this record, whose box has the value `value`.

    Raises `ProviderError` when the record cannot be written at all.
    """
    fresh = Q(conditional_at__gt=Now() - PROVEN_FOR)
    row = SyncConnection.objects.filter(fresh).exclude(conditional_writes=None).first()
    if row is not None:
        return bool(row.conditional_writes)
    return prove(place, client, value=value)


def prove(place: WriteTarget, client: Client, *, value: bool) -> bool:
    """Run the test on this record and store the result."""
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
    """Run the test on any record of the org; None when there is none."""
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

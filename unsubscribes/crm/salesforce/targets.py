"""Where the opt-out of a record is written: on the record itself, or on the Account of a person account.

A person account is an Account and a Contact in one. Its Contact is read like any other, but refuses updates of fields
that belong to the person account; the opt-out is written on the Account, which changes the stamp of both.
"""

from unsubscribes.crm.models import SyncRecord
from unsubscribes.crm.salesforce.mapping import on_account
from unsubscribes.crm.values import CrmRecord, WriteTarget

ACCOUNT = "Account"


def target(record: SyncRecord | CrmRecord, opt_out_field: str) -> WriteTarget:
    if record.person_account and record.account_id:
        return WriteTarget(ACCOUNT, record.account_id, on_account(opt_out_field))
    return WriteTarget(record.sobject, record.sf_id, opt_out_field)

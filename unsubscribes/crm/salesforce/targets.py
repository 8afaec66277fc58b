"""Which row of Salesforce holds the box of a record: the record itself, or the account of a person (person account).

A person account is an Account and a Contact in one. Its Contact is read like any other, but refuses changes of what
the record type owns; the opt-out is written on the account, and both rows move.
"""

from unsubscribes.crm.models import SyncRecord
from unsubscribes.crm.salesforce.mapping import on_account
from unsubscribes.crm.values import CrmRecord, WriteTarget

ACCOUNT = "Account"


def target(record: SyncRecord | CrmRecord, opt_out_field: str) -> WriteTarget:
    if record.person_account and record.account_id:
        return WriteTarget(ACCOUNT, record.account_id, on_account(opt_out_field))
    return WriteTarget(record.sobject, record.sf_id, opt_out_field)

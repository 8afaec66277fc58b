"""Which row of Salesforce holds the box of a record: the record itself, or the account of a person (person account).

A person account is an Account and a Contact in one. Its Contact is read like any other, but refuses changes of what
the record type owns; the opt-out is written on the account, and both rows move.
"""

from typing import NamedTuple

from unsubscribes.crm.models import SyncRecord
from unsubscribes.crm.salesforce.mapping import Row, on_account

ACCOUNT = "Account"


class Target(NamedTuple):
    """What is written: the object, its id, the name of the box there."""

    sobject: str
    sf_id: str
    field: str


def target(record: SyncRecord | Row, opt_out_field: str) -> Target:
    """Return where the box of a record is written."""
    if record.person_account and record.account_id:
        return Target(ACCOUNT, record.account_id, on_account(opt_out_field))
    return Target(record.sobject, record.sf_id, opt_out_field)

"""Creates people who exist only in the CRM, if the team has chosen that."""

from collections.abc import Sequence

from compliance.card import staging
from compliance.card.creation import create_staged
from compliance.card.rules import Source
from compliance.card.source_registry import SourceType
from compliance.card.staging import NewPerson
from contacts.models import Contact
from contacts.people.details import clean
from contacts.people.field_registry import LIMITS
from salesconnect.lib.actor import system
from unsubscribes.crm.people import erasing, record_ids
from unsubscribes.crm.provider import Provider
from unsubscribes.crm.values import CrmRecord


def create(rows: Sequence[CrmRecord], provider: Provider) -> int:
    """Create a person for each address that nobody here has; returns how many. Runs in the transaction of the page.

    People who were erased here are not created again. Those who are opted out in the CRM are created as opted out,
    because applying the page has suppressed their address already.
    """
    erased = erasing.erased_among([row.sf_id for row in rows])
    here = (row for row in rows if row.sf_id not in erased and not (row.deleted or row.successor_id))
    wanted = {row.email_key: row for row in here if row.email_key}
    known = set(Contact.objects.filter(email_key__in=list(wanted)).values_list("email_key", flat=True))
    new = [row for key, row in wanted.items() if key not in known]
    if not new:
        return 0
    staging.stage([_person(row, provider) for row in new])
    created = create_staged(actor=system("sync"), owner_id=None).created
    if provider.names_people:
        record_ids.brought_in(row.sf_id for row in new)
    return created


def _person(row: CrmRecord, provider: Provider) -> NewPerson:
    details, errors = clean({name: value[: LIMITS[name]] for name, value in row.details.items()})
    kept = {name: value for name, value in details.items() if name not in errors}
    name = {"salesforce_id": row.sf_id} if provider.names_people else {}
    return NewPerson({**kept, **name}, source=Source(SourceType.CRM_SYNC))

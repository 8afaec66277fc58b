"""A newer opt-out in the CRM beats a re-consent that the CRM has not heard of: it is given up, and said so."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models.functions import Now

from unsubscribes.crm.models import OutboxEntry, SyncRecord
from unsubscribes.crm.outbox import outbox, sync_errors

OVERRULED = "OPT_OUT_WINS"
ON_THE_WAY = (*outbox.WAITING, OutboxEntry.State.LEASED)
OPEN = (*ON_THE_WAY, OutboxEntry.State.DEAD)


def pending_reconsents(people: Collection[int], hashes: Collection[UUID]) -> list[OutboxEntry]:
    """Return the re-consents on their way that end with an opt-out of these people and addresses.

    It may stand on another record than they: on the contact that a lead became after the consent, with the box as it
    was. Whoever converted it saw the tick and left it, so it counts as any other save does.
    """
    if not people and not hashes:
        return []
    # Each half is served by an index.
    of_people = SyncRecord.objects.filter(contact_id__in=list(people)).values_list("pk", flat=True)
    of_hashes = SyncRecord.objects.filter(address_hash__in=list(hashes)).values_list("pk", flat=True)
    entries = OutboxEntry.objects.filter(record_id__in={*of_people, *of_hashes}, desired=False, state__in=ON_THE_WAY)
    return list(entries.prefetch_related("record"))


def overrule(entries: Sequence[OutboxEntry]) -> None:
    """Give up these re-consents, and let somebody know."""
    for entry in {entry.pk: entry for entry in entries}.values():
        OutboxEntry.objects.filter(pk=entry.pk).update(
            state=OutboxEntry.State.SUPERSEDED, code=OVERRULED, finished_at=Now(), lease=None
        )
        sync_errors.record_error(entry.record, "pull", OVERRULED, dead=True)

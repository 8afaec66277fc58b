"""Last write wins: a newer opt-out in the CRM supersedes a re-consent that is not written there yet."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models.functions import Now

from unsubscribes.crm.models import OutboxEntry, SyncRecord
from unsubscribes.crm.outbox import outbox, sync_errors

OVERRULED = "OPT_OUT_WINS"
ON_THE_WAY = (*outbox.WAITING, OutboxEntry.State.LEASED)
OPEN = (*ON_THE_WAY, OutboxEntry.State.DEAD)


def pending_reconsents(people: Collection[int], hashes: Collection[UUID]) -> list[OutboxEntry]:
    """Return the re-consents in the outbox that an opt-out of these people and addresses supersedes.

    The opt-out may be on another record, such as the Contact into which a Lead was converted after the consent, with
    the box still ticked. Whoever converted it saw the tick and kept it, so it counts like any other save.
    """
    if not people and not hashes:
        return []
    # Two queries instead of one OR, so that each can use its index.
    of_people = SyncRecord.objects.filter(contact_id__in=list(people)).values_list("pk", flat=True)
    of_hashes = SyncRecord.objects.filter(address_hash__in=list(hashes)).values_list("pk", flat=True)
    entries = OutboxEntry.objects.filter(record_id__in={*of_people, *of_hashes}, desired=False, state__in=ON_THE_WAY)
    return list(entries.prefetch_related("record"))


def overrule(entries: Sequence[OutboxEntry]) -> None:
    """Mark these re-consents superseded, and leave a dead letter so that somebody looks at them."""
    for entry in {entry.pk: entry for entry in entries}.values():
        OutboxEntry.objects.filter(pk=entry.pk).update(
            state=OutboxEntry.State.SUPERSEDED, code=OVERRULED, finished_at=Now(), lease=None
        )
        sync_errors.record_error(entry.record, "pull", OVERRULED, dead=True)

"""Search for records of the CRM by person, by id, or by the state of their sync."""

from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from salesconnect.lib.actor import Actor
from unsubscribes.crm import provider_registry
from unsubscribes.crm.models import OutboxEntry, SyncRecord
from unsubscribes.crm.outbox import outbox

MOST_PEOPLE = 1_000


class RecordFilter(TextChoices):
    ALL = "", _("All")
    WAITING = "waiting", _("Waiting")
    DEAD = "dead", _("Given up")
    UNMATCHED = "unmatched", _("Nobody here")
    AMBIGUOUS = "ambiguous", _("Ambiguous")


def find(actor: Actor, *, search: str = "", show: str = "") -> QuerySet[SyncRecord]:
    """Return the records that match a record ID or a search for people, and the filter `show`.

    A search for people considers the first 1,000 matches only.
    """
    actor.require("view_people")
    found = SyncRecord.objects.filter(_shown(show))
    if show == RecordFilter.AMBIGUOUS:
        found = found.filter(_ambiguous(), deleted=False).exclude(contact_id=None)
    if not search.strip():
        return found
    try:
        return found.filter(sf_id=provider_registry.current().record_id(search))
    except ValueError:
        people = Contact.objects.visible_to(actor).matching(search).values_list("pk", flat=True)
        return found.filter(contact_id__in=list(people[:MOST_PEOPLE]))


def _shown(show: str) -> Q:
    states = {
        RecordFilter.WAITING: (*outbox.WAITING, OutboxEntry.State.LEASED),
        RecordFilter.DEAD: (OutboxEntry.State.DEAD,),
    }
    if show in states:
        return Q(pk__in=OutboxEntry.objects.filter(state__in=states[RecordFilter(show)]).values("record_id"))
    return Q(contact_id=None, deleted=False) if show == RecordFilter.UNMATCHED else Q()


def _ambiguous() -> Exists:
    """Return the condition that a record's address belongs to another person than the one it is linked to."""
    return Exists(Contact.objects.filter(address_hash=OuterRef("address_hash")).exclude(pk=OuterRef("contact_id")))

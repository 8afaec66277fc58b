"""The history of all people in the order of event ids, for programs that follow it without missing an event.

Ids come from a sequence but transactions commit in any order, so the feed ends at the last settled id: below it no
event can appear any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from contacts.events import history
from contacts.models import ContactEvent
from contacts.sealing.settled import settled
from salesconnect.lib.database.replica import PRIMARY

# How many ids a page scans when it is filtered by action, so that a page costs as much for rare actions as for all.
SCAN_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some events, oldest first, and after which number the next page begins; None when there is no more by now."""

    events: list[ContactEvent]
    next_after: int | None


def page(after: int, size: int, actions: Sequence[str] = ()) -> FeedPage:
    """Return the events that follow the number `after`; of some actions, or of all."""
    # The settled id is the primary's, so the events are read there too: the replica may lag behind it.
    until = settled()
    found = ContactEvent.objects.using(PRIMARY).filter(id__gt=after, at__lt=timezone.now() + history.CLOCK_SKEW)
    if actions:
        reached = min(until, after + SCAN_LIMIT)
        events = list(found.filter(id__lte=reached, action__in=actions).order_by("id")[: size + 1])
    else:
        reached = until
        events = list(found.filter(id__lte=reached).order_by("id")[: size + 1])
    if len(events) > size:
        return FeedPage(events[:size], events[size - 1].id)
    return FeedPage(events, reached if reached < until else None)

"""The history of everybody in the order of its numbers, for programs that follow it: nothing is skipped, ever.

Read to the last number that is settled, and no further: an event that commits late has a number that was not read yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from contacts.events import history
from contacts.models import ContactEvent
from contacts.sealing.settled import settled
from salesconnect.lib.database.replica import PRIMARY

# So many numbers one page looks at where it looks for some actions only, so that rare ones cost no more than all.
SCAN_LIMIT = 20_000


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Some events, oldest first, and after which number the next page begins; None when there is no more by now."""

    events: list[ContactEvent]
    next_after: int | None


def page(after: int, size: int, actions: Sequence[str] = ()) -> FeedPage:
    """Return the events that follow the number `after`; of some actions, or of all."""
    # The copy of the database may not have what the primary knows to be settled.
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

"""A bulk mail that was written to two records of one person is sent once."""

from django.db.models import Exists, OuterRef, Q

from unsubscribes.mail import mail_events
from unsubscribes.models import Message

MessageState = Message.State


def hold(contact_id: int) -> int:
    """Hold back waiting messages of a bulk mail of which the person has another message; returns how many.

    The caller, a merge, holds the lock of the person's card, so that no worker claims a message meanwhile.
    """
    same = Message.objects.filter(contact_id=contact_id, batch_id=OuterRef("batch_id")).exclude(pk=OuterRef("pk"))
    leaves = Q(state__in=(MessageState.SENDING, MessageState.SENT, MessageState.UNKNOWN)) | Q(
        state=MessageState.QUEUED, pk__lt=OuterRef("pk")
    )
    waiting = Message.objects.filter(contact_id=contact_id, batch_id__isnull=False, state=MessageState.QUEUED)
    numbers = list(waiting.filter(Exists(same.filter(leaves))).values_list("pk", flat=True))
    doubles = Message.objects.filter(pk__in=numbers)
    doubles.update(state=MessageState.HELD, reason=Message.Reason.DOUBLE)
    for message in doubles:
        mail_events.held([message])
    return len(numbers)

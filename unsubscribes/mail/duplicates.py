"""One bulk mail written to two records that turn out to be one person: it leaves once."""

from django.db.models import Exists, OuterRef, Q

from unsubscribes.mail import mail_events
from unsubscribes.models import Message

MessageState = Message.State


def hold(contact_id: int) -> int:
    """Hold back what still waits of a bulk mail that the person gets, or got, already; returns how many those are.

    For the merge, which holds the person's card: no message of theirs is claimed meanwhile.
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

"""What the history keeps of mail: sent, held back, or failed, and why. Each in the transaction that made it so."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import cast

from contacts.events import history
from salesconnect.lib.actor import Actor
from salesconnect.lib.doors import Door
from unsubscribes.models import Message


def sent(message: Message, *, by: Actor | None = None) -> None:
    """Record that a message left, in the name of who wrote it or of who says so."""
    changes = {"subject": (None, message.subject), "mail": (None, message.pk)}
    actor = by or writer(message)
    history.record([message.contact_id], history.MAILED, actor=actor, batch_id=message.batch_id, changes=changes)


def held(messages: Sequence[Message]) -> None:
    """Record that messages, all of one writer, were held back: one statement a reason, however many there are."""
    for reason, group in groupby(sorted(messages, key=_reason), _reason):
        people = [message.contact_id for message in group]
        actor, batch_id = writer(messages[0]), messages[0].batch_id
        changes = {"held": (None, str(reason))}
        history.record(people, history.MAIL_HELD, actor=actor, batch_id=batch_id, changes=changes)


def failed(messages: Iterable[Message]) -> None:
    """Record that messages failed for good, or that nobody knows whether they left; few at a time ever do."""
    for message in messages:
        changes = {"failed": (None, str(message.reason)), "mail": (None, message.pk)}
        actor, batch_id = writer(message), message.batch_id
        history.record([message.contact_id], history.MAIL_FAILED, actor=actor, batch_id=batch_id, changes=changes)


def arrived(message: Message) -> None:
    """Record that a message that had come back was delivered after all; it left only once."""
    changes = {"mail": (None, message.pk)}
    actor, batch_id = writer(message), message.batch_id
    history.record([message.contact_id], history.MAIL_ARRIVED, actor=actor, batch_id=batch_id, changes=changes)


def writer(message: Message) -> Actor:
    """Return who wrote a message, for the history alone: the actor has no rights."""
    return Actor(message.user_id, message.actor_name, "", cast("Door", message.door))


def _reason(message: Message) -> str:
    return str(message.reason)

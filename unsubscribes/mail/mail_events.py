"""Records the events of mail, each in the transaction that changes the message."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import cast

from contacts.events import history
from salesconnect.lib.actor import Actor
from salesconnect.lib.door_registry import Door
from unsubscribes.models import Message


def sent(message: Message, *, by: Actor | None = None) -> None:
    """Record that a message was sent, by its writer or by the user who marked it as sent."""
    changes = {"subject": (None, message.subject), "mail": (None, message.pk)}
    actor = by or writer(message)
    history.record([message.contact_id], history.MAILED, actor=actor, batch_id=message.batch_id, changes=changes)


def held(messages: Sequence[Message]) -> None:
    """Record that messages of one writer were held back, with one statement per reason."""
    for reason, group in groupby(sorted(messages, key=_reason), _reason):
        people = [message.contact_id for message in group]
        actor, batch_id = writer(messages[0]), messages[0].batch_id
        changes = {"held": (None, str(reason))}
        history.record(people, history.MAIL_HELD, actor=actor, batch_id=batch_id, changes=changes)


def failed(messages: Iterable[Message]) -> None:
    """Record that messages failed for good, or that it is unknown whether they were sent. Meant for few at a time."""
    for message in messages:
        changes = {"failed": (None, str(message.reason)), "mail": (None, message.pk)}
        actor, batch_id = writer(message), message.batch_id
        history.record([message.contact_id], history.MAIL_FAILED, actor=actor, batch_id=batch_id, changes=changes)


def arrived(message: Message) -> None:
    """Record that a message was delivered after it had been reported as undelivered."""
    changes = {"mail": (None, message.pk)}
    actor, batch_id = writer(message), message.batch_id
    history.record([message.contact_id], history.MAIL_ARRIVED, actor=actor, batch_id=batch_id, changes=changes)


def writer(message: Message) -> Actor:
    """Return the writer of a message as an actor for events; it has no rights."""
    return Actor(message.user_id, message.actor_name, "", cast("Door", message.door))


def _reason(message: Message) -> str:
    return str(message.reason)

"""Queries for messages."""

from django.db.models import Count, QuerySet

from salesconnect.lib.actor import Actor
from unsubscribes.links import links
from unsubscribes.mail.compose import with_link as filled
from unsubscribes.models import Message

HIDDEN = "https://…/u/…/"
COUNT_CAP = 10_000


def visible(actor: Actor) -> QuerySet[Message]:
    """Return the messages that the actor may see, each with its person and link."""
    messages = Message.objects.select_related("contact", "link")
    return messages if actor.may("view_people") else messages.none()


def of_person(contact_id: int) -> QuerySet[Message]:
    return Message.objects.filter(contact_id=contact_id).order_by("-pk")


def counts() -> dict[str, int]:
    """Count the messages that are not final by state, each up to 10,000."""
    waiting = (Message.State.QUEUED, Message.State.UNKNOWN, Message.State.FAILED, Message.State.HELD)
    return {state: Message.objects.filter(state=state)[:COUNT_CAP].aggregate(n=Count("pk"))["n"] for state in waiting}


def shown(message: Message, *, with_link: bool) -> tuple[str, str]:
    """Return text and HTML as sent; without `with_link` the unsubscribe link is masked.

    A message that was not sent has no link yet, and keeps the placeholder.
    """
    if message.link is None:
        return message.text, message.html
    url = links.url(message.link) if with_link else None
    return filled(message.text, url or HIDDEN), filled(message.html, url or HIDDEN)

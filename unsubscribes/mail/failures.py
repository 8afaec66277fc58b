"""Undelivered mail: what happens to the message, and when further mail to the address is held back.

A mailbox that does not exist is a permanent opt-out. A temporary failure, such as a full mailbox or a block of our own
server, is not: it marks the message, and only several in a row hold back the next one, until a mail is delivered or a
user allows it again.
"""

import datetime as dt
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.card import card_changes
from compliance.models import Suppression
from compliance.suppression import suppression
from compliance.verdict import current_verdict, verdict
from contacts.events import history
from contacts.models import Contact
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Missing
from salesconnect.lib.outcome import Outcome
from unsubscribes.mail import informing_mail, mail_events
from unsubscribes.mail.gate import ON_ITS_WAY
from unsubscribes.models import FAILURES_TO_HOLD, MailFailure, Message

MessageState, MessageReason = Message.State, Message.Reason
LEFT = (MessageState.SENT, MessageState.UNKNOWN)
"""The states of a message that left, or may have."""
MAIL_SERVER = Actor(user_id=None, name="Mail server", role="member", door="task")


def no_such_user(
    address_hash: UUID, hash_key: str, *, actor: Actor, reason: str, skeleton: UUID | None = None
) -> Outcome:
    """Opt out an address whose mailbox does not exist, and whoever has it; `skeleton` is its hash, if known."""
    said = suppression.unsubscribe_address(
        [address_hash], hash_key, actor=actor, source=Suppression.Source.BOUNCE, reason=reason, skeleton=skeleton
    )
    return said.outcome


@act
def came_back(message: Message, said: str, at: dt.datetime | None = None) -> None:
    """Mark a message that was sent, or is being sent, as undelivered; idempotent.

    The report may arrive before the worker that sends the message has stored its result, which is then discarded.
    """
    stored = _reported(message, at, Q(reported_at__lt=at or timezone.now()))
    if stored is None or stored.state not in (*LEFT, MessageState.SENDING):
        return
    if stored.state in ON_ITS_WAY:
        mail_events.sent(stored)
        stored.sent_at = stored.claimed_at or stored.created_at
    stored.state, stored.reason, stored.error = MessageState.FAILED, MessageReason.UNDELIVERED, said[:500]
    stored.save(update_fields=["state", "reason", "error", "sent_at", "reported_at"])
    mail_events.failed([stored])
    informing_mail.unmark_reader_informed(stored)


@act
def count(
    contact_id: int, address_hash: UUID, *, key: str, said: str, at: dt.datetime | None = None, reported: bool = True
) -> bool:
    """Count an undelivered mail to the person's present address; returns False if `key` was counted before.

    Failures of an address that the person no longer has are deleted.
    """
    card_changes.lock(Contact.objects.filter(pk=contact_id))
    of_person = MailFailure.objects.filter(contact_id=contact_id)
    of_person.exclude(address_hash=address_hash).delete()
    known = set(of_person.values_list("key", flat=True))
    if key not in known and Contact.objects.filter(pk=contact_id, address_hash=address_hash).exists():
        values = {"key": key, "said": said[:500], "at": at, "reported": reported}
        MailFailure.objects.create(contact_id=contact_id, address_hash=address_hash, number=len(known) + 1, **values)
    return key not in known


def arrived(hashes: list[UUID], at: dt.datetime | None) -> int:
    """Delete the failures of addresses to which a mail was delivered, except newer ones. Returns how many."""
    before = Q() if at is None else Q(at=None) | Q(at__lte=at)
    return MailFailure.objects.filter(before, address_hash__in=hashes).delete()[0]


@act
def arrived_after_all(message: Message, at: dt.datetime | None = None) -> None:
    """Mark a message as sent after a report that it was delivered.

    It may be *being sent* or *unknown*, if its worker has not stored a result; or undelivered, if the provider
    delivered it at a later attempt.
    """
    stored = _reported(message, at, Q(reported_at__lte=at or timezone.now()))
    if stored is None:
        return
    came_back_before = stored.state == MessageState.FAILED and stored.reason == MessageReason.UNDELIVERED
    if came_back_before:
        mail_events.arrived(stored)
    elif stored.state in ON_ITS_WAY:
        mail_events.sent(stored)
        stored.sent_at = stored.claimed_at or stored.created_at
    if came_back_before or stored.state in ON_ITS_WAY:
        stored.state, stored.reason, stored.error = MessageState.SENT, "", ""
        informing_mail.mark_reader_informed(stored)
    stored.save(update_fields=["state", "reason", "error", "sent_at", "reported_at"])


def _reported(message: Message, at: dt.datetime | None, is_news: Q) -> Message | None:
    """Lock a message for a report, its card first; None if a newer report was applied before.

    Reports arrive in any order, and repeatedly. One without a time counts as made now.
    """
    card_changes.lock(Contact.objects.filter(pk__in=Message.objects.filter(pk=message.pk).values("contact_id")))
    stored = Message.objects.select_for_update().filter(Q(reported_at=None) | is_news, pk=message.pk).first()
    if stored:
        stored.reported_at = at or timezone.now()
    return stored


def forget_refusals(contact_id: int) -> None:
    """Delete the failures that the mail server itself had caused, once it accepts a mail to the person."""
    MailFailure.objects.filter(contact_id=contact_id, reported=False).delete()


@act
def allow(contact_id: int, *, actor: Actor) -> Outcome:
    """Allow mail to the person's address again after failures, with an event. Raises `Forbidden` and `Missing`.

    This includes restricted people: their mail stays held back for the restriction.
    """
    actor.require("mail_people")
    if not card_changes.lock(Contact.objects.filter(pk=contact_id)):
        raise Missing
    forgotten = MailFailure.objects.filter(contact_id=contact_id).delete()[0]
    if forgotten:
        history.record([contact_id], history.MAIL_ALLOWED, actor=actor, changes={"failures": (forgotten, 0)})
    return Outcome(changed=min(forgotten, 1), unchanged=int(not forgotten))


@current_verdict.noted
def _undeliverable(contact: Contact) -> verdict.VerdictReason | None:
    # Like an unsendable address, it is neither an opt-out nor a matter of the legal basis, so the verdict stays "may".
    of_person = MailFailure.objects.filter(number=FAILURES_TO_HOLD, contact_id=contact.pk)
    if not (contact.address_hash and of_person.filter(address_hash=contact.address_hash).exists()):
        return None
    words = _("The last %(number)d mails to the address did not arrive, so the next one is held back.")
    return verdict.VerdictReason(MessageReason.UNDELIVERABLE.value, words % {"number": FAILURES_TO_HOLD}, verdict.MAY)

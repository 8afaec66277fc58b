"""Sending: claim a message, ask the gate, commit, hand it over if the gate still lets it, commit what became of it.

1. The claim locks message and card together, passing over what somebody else holds, asks the gate, and commits the
   message as *being sent*. 2. The mail goes out, outside any transaction; the gate is asked again
   when the server is ready to take it, for that may take long. 3. The fate is committed. A worker that is
   killed between 1 and 3 leaves a message whose fate nobody knows: after LEASE_SECONDS it is *unknown* and waits for a
   person. No message is ever claimed twice without one.
"""

import datetime as dt
import logging
import time
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from contacts.models import Contact
from salesconnect.lib.database import failures as trouble
from salesconnect.lib.database.transactions import act
from unsubscribes.links import links
from unsubscribes.mail import failures, gate, informing_mail, mail_events, team
from unsubscribes.mail.sending import backends, envelope, server
from unsubscribes.mail.sending.transport import DeliveryResult, Transport
from unsubscribes.models import Message
from unsubscribes.reports import meanings
from unsubscribes.reports.meanings import Meaning

LEASE_SECONDS = 90
TURN_SECONDS = 13
# Half a minute, then four times as long each time, up to six hours: about a day in all.
DELAYS = (30, 120, 480, 1_920, 7_200, 21_600, 21_600, 21_600)

# After these the next mail would fare no better: what breaks off after a mail's content may do so after every one, and
# each would wait for a person.
STOPPING = (DeliveryResult.AWAY, DeliveryResult.UNKNOWN)

MessageState, MessageReason = Message.State, Message.Reason
logger = logging.getLogger(__name__)


def drain(seconds: float = TURN_SECONDS) -> int:
    """Send what is due for a short turn, so that other tasks get theirs; returns how many messages were taken."""
    taken, deadline = 0, time.monotonic() + seconds
    if not _can_send():
        return 0
    with Transport() as carrier:
        while time.monotonic() < deadline and (message := claim()):
            taken += 1
            if message.state == MessageState.SENDING and deliver(message, carrier) in STOPPING:
                break
    return taken


def send_one(message_id: int) -> None:
    message = claim(message_id) if _can_send() else None
    if message and message.state == MessageState.SENDING:
        with Transport() as carrier:
            deliver(message, carrier)


def _can_send() -> bool:
    """Tell whether there is a mail server and it is not left alone for a while; without one nothing is claimed."""
    return backends.has_server() and not server.is_paused()


@act
def claim(message_id: int | None = None) -> Message | None:
    """Take the next message that is due, or the one with this id; None when there is none to take.

    It comes back as *being sent*, or held back by the gate. Only one of all workers gets it. One that breaks what it
    goes through is put back for a while, so that it holds up no other.
    """
    message = _due(message_id).first()
    if message is None:
        return None
    try:
        with transaction.atomic():
            _decide(message)
    except Exception as problem:
        if trouble.classify(problem):
            raise
        logger.exception("Message %s cannot be claimed", message.pk)
        _put_back(message, message.attempts + 1)
    return message


def _decide(message: Message) -> None:
    """Ask the gate about a message, and store that it is held back or being sent."""
    [decision] = gate.decide(Contact.objects.filter(pk=message.contact_id), informs=message.informs)
    message.contact, message.reason, message.error = decision.contact, decision.reason, ""
    if decision.reason:
        message.state = MessageState.HELD
    else:
        message.state = MessageState.SENDING
        message.claimed_at = timezone.now()
        message.attempts += 1
        message.email = decision.contact.email
        message.link = links.for_message(message, decision.contact)
    message.save(update_fields=["state", "reason", "error", "claimed_at", "attempts", "email", "link"])
    if decision.reason:
        mail_events.held([message])


@act
def _put_back(message: Message, attempts: int) -> None:
    """Let a message that cannot be prepared wait, longer each time, and fail in the end."""
    mine = Message.objects.filter(pk=message.pk, state__in=(MessageState.QUEUED, MessageState.SENDING))
    mine = mine.filter(claimed_at=message.claimed_at) if message.state == MessageState.SENDING else mine
    message.state, message.reason, message.error = MessageState.QUEUED, MessageReason.BROKEN, ""
    if attempts > len(DELAYS):
        message.state = MessageState.FAILED
    later = timezone.now() + dt.timedelta(seconds=DELAYS[min(attempts, len(DELAYS)) - 1])
    if mine.update(state=message.state, reason=message.reason, error="", attempts=attempts, not_before=later) and (
        message.state == MessageState.FAILED
    ):
        mail_events.failed([message])


def deliver(message: Message, carrier: Transport) -> DeliveryResult:
    """Hand a claimed message over and store what became of it."""
    try:
        mail = envelope.build(message, team.current())
        mail.message()
    except ValueError as problem:
        fate, said = DeliveryResult.REFUSED, str(problem)[:500]
    except Exception as problem:
        if trouble.classify(problem):
            raise
        logger.exception("Message %s cannot be built", message.pk)
        _put_back(message, message.attempts)
        return DeliveryResult.LATER
    else:
        fate, said = carrier.carry(mail, partial(gate.may_still_leave, message))
        if fate is DeliveryResult.WITHHELD:
            _decide_anew(message)
            return fate
        stops = fate in STOPPING and server.failed(said, message.pk)
        if fate is DeliveryResult.AWAY and not stops:
            fate = DeliveryResult.LATER
        if fate in (DeliveryResult.SENT, DeliveryResult.REFUSED, DeliveryResult.LATER) and not carrier.proven:
            server.recovered()
            carrier.proven = True
        if not (fate is DeliveryResult.REFUSED and carrier.of_the_message):
            _take_the_word(message, fate, said)
    _settle(message, fate, said)
    return fate


@act
def _decide_anew(message: Message) -> None:
    """Hold back a claimed message that did not leave, for what came between; without a reason it is due again."""
    informing_mail.lock_card(message.pk)
    mine = Message.objects.select_for_update().filter(
        pk=message.pk, claimed_at=message.claimed_at, state__in=gate.ON_ITS_WAY
    )
    stored = mine.first()
    if stored is None:
        return
    [decision] = gate.decide(Contact.objects.filter(pk=stored.contact_id), informs=stored.informs)
    stored.state, stored.reason = (MessageState.HELD if decision.reason else MessageState.QUEUED), decision.reason
    stored.attempts, stored.not_before = stored.attempts - 1, timezone.now()
    stored.save(update_fields=["state", "reason", "attempts", "not_before"])
    if decision.reason:
        mail_events.held([stored])


def _take_the_word(message: Message, fate: DeliveryResult, said: str) -> None:
    """Act on what the server said of the address: no mailbox is an opt-out, another refusal one failure in a row.

    Before the message is settled, and in a transaction of its own: what the server said stays true whatever becomes of
    this claim, and whoever opts out locks in the order in which all others do.
    """
    link = message.link
    if (
        link is None
        or link.address_hash is None
        or (fate not in (DeliveryResult.REFUSED, DeliveryResult.SENT) and not _gives_up(message, fate))
    ):
        return
    if fate is DeliveryResult.SENT:
        failures.forget_refusals(message.contact_id)
    elif fate is DeliveryResult.REFUSED and meanings.of_replies([said]) is Meaning.NO_SUCH_USER:
        if not Message.objects.filter(pk=message.pk).exists():
            return  # somebody who was erased meanwhile leaves no hash behind
        teller = failures.MAIL_SERVER
        failures.no_such_user(
            link.address_hash, link.hash_key, actor=teller, reason=teller.name, skeleton=link.skeleton_hash
        )
    else:
        failures.count(message.contact_id, link.address_hash, key=str(message.pk), said=said, reported=False)


def _gives_up(message: Message, fate: DeliveryResult) -> bool:
    return fate is DeliveryResult.LATER and message.attempts > len(DELAYS)


@act
def mark_lost_unknown() -> int:
    """Mark messages *unknown* whose worker has not come back within its lease; returns how many there were."""
    limit = timezone.now() - dt.timedelta(seconds=LEASE_SECONDS)
    lost = Message.objects.filter(state=MessageState.SENDING, claimed_at__lt=limit)
    ids = list(lost.select_for_update(skip_locked=True).values_list("pk", flat=True))
    if ids:
        given_up = Message.objects.filter(pk__in=ids)
        given_up.update(state=MessageState.UNKNOWN, reason=MessageReason.INTERRUPTED)
        mail_events.failed(given_up)
        logger.warning("The fate of %d messages is unknown; somebody has to decide", len(ids))
    return len(ids)


def _due(message_id: int | None) -> QuerySet[Message]:
    due = Message.objects.filter(state=MessageState.QUEUED, not_before__lte=Now(), contact__card__isnull=False)
    if message_id is not None:
        due = due.filter(pk=message_id)
    # The card is locked with the message, or neither: whoever locks a card first and its messages later never waits
    # for one who holds a message and waits for its card.
    locked = due.select_for_update(skip_locked=True, of=("self", "contact__card"))
    return locked.select_related("contact__card", "link", "user").order_by("not_before", "pk")


@act
def _settle(message: Message, fate: DeliveryResult, said: str) -> None:
    """Store a fate for this claim alone; it also replaces *unknown* if the lease ran out before it was known."""
    values = _of_fate(message, fate)
    mine = Message.objects.filter(pk=message.pk, claimed_at=message.claimed_at, state__in=gate.ON_ITS_WAY)
    tells = message.informs and fate is DeliveryResult.SENT
    if tells:
        informing_mail.lock_card(message.pk)
    if not mine.update(error=said, **values):
        return
    stored = Message.objects.get(pk=message.pk)
    if stored.state == MessageState.SENT:
        mail_events.sent(stored)
        if tells:
            informing_mail.mark_reader_informed(stored)
    elif stored.state in {MessageState.FAILED, MessageState.UNKNOWN}:
        mail_events.failed([stored])


def _of_fate(message: Message, fate: DeliveryResult) -> dict[str, object]:
    match fate:
        case DeliveryResult.SENT:
            return {"state": MessageState.SENT, "reason": "", "sent_at": timezone.now()}
        case DeliveryResult.REFUSED:
            return {"state": MessageState.FAILED, "reason": MessageReason.REFUSED}
        case DeliveryResult.UNKNOWN:
            return {"state": MessageState.UNKNOWN, "reason": MessageReason.INTERRUPTED}
        case DeliveryResult.AWAY:
            # Due at once, behind all others: the next attempt is another mail's, should this one be the trouble.
            away = {"state": MessageState.QUEUED, "reason": MessageReason.SERVER, "not_before": timezone.now()}
            return away | {"attempts": message.attempts - 1}
        case DeliveryResult.LATER if _gives_up(message, fate):
            return {"state": MessageState.FAILED, "reason": MessageReason.GAVE_UP}
        case DeliveryResult.LATER | DeliveryResult.WITHHELD:  # what was withheld is decided anew instead
            delay = dt.timedelta(seconds=DELAYS[message.attempts - 1])
            return {"state": MessageState.QUEUED, "reason": MessageReason.LATER, "not_before": timezone.now() + delay}

"""Sends messages, each at most once.

1. The claim locks message and card together (SKIP LOCKED), asks the gate, and commits the message as *being sent*.
2. The mail is sent outside any transaction; the gate is asked again when the server is ready, which may take long.
3. The result is committed. If a worker is killed between 1 and 3, it is unknown whether the mail was sent: after
   LEASE_SECONDS the message is *unknown* and waits for a user. It is never claimed again without one.
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
from salesconnect.lib.database import failures as database_failures
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

# Results after which to stop the turn: the next mail would fail in the same way. UNKNOWN is among them because a
# connection that breaks after each content would leave every mail for a user to resolve.
STOPPING = (DeliveryResult.AWAY, DeliveryResult.UNKNOWN)

MessageState, MessageReason = Message.State, Message.Reason
logger = logging.getLogger(__name__)


def drain(seconds: float = TURN_SECONDS) -> int:
    """Send due messages for a few seconds, so that other tasks get the worker; returns how many were claimed."""
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
    return backends.has_server() and not server.is_paused()


@act
def claim(message_id: int | None = None) -> Message | None:
    """Claim the next due message, or the one with this id; None if there is none.

    It is returned as *being sent*, or held back by the gate. Only one worker gets it. A message that raises an error is
    put back with a delay, so that it does not block the others.
    """
    message = _due(message_id).first()
    if message is None:
        return None
    try:
        with transaction.atomic():
            _decide(message)
    except Exception as problem:
        if database_failures.classify(problem):
            raise
        logger.exception("Message %s cannot be claimed", message.pk)
        _put_back(message, message.attempts + 1)
    return message


def _decide(message: Message) -> None:
    """Ask the gate, and store the message as held back or being sent."""
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
    """Retry a message that cannot be prepared, with growing delays; fail it after the last."""
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
    """Send a claimed message and store the result."""
    try:
        mail = envelope.build(message, team.current())
        mail.message()
    except ValueError as problem:
        fate, said = DeliveryResult.REFUSED, str(problem)[:500]
    except Exception as problem:
        if database_failures.classify(problem):
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
    """Ask the gate again about a claimed message that was withheld: it is held back, or due again."""
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
    """Act on the server's reply about the address: an unknown mailbox is an opt-out, another refusal is a failure.

    This is a transaction of its own before the message is settled: the reply is true whatever becomes of this claim,
    and an opt-out has to lock addresses before the card.
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
            return  # the person was erased meanwhile: store no hash of the address
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
    """Mark messages *unknown* whose lease has expired; returns how many."""
    limit = timezone.now() - dt.timedelta(seconds=LEASE_SECONDS)
    lost = Message.objects.filter(state=MessageState.SENDING, claimed_at__lt=limit)
    ids = list(lost.select_for_update(skip_locked=True).values_list("pk", flat=True))
    if ids:
        given_up = Message.objects.filter(pk__in=ids)
        given_up.update(state=MessageState.UNKNOWN, reason=MessageReason.INTERRUPTED)
        mail_events.failed(given_up)
        logger.warning("It is unknown whether %d messages were sent; a user has to resolve them", len(ids))
    return len(ids)


def _due(message_id: int | None) -> QuerySet[Message]:
    due = Message.objects.filter(state=MessageState.QUEUED, not_before__lte=Now(), contact__card__isnull=False)
    if message_id is not None:
        due = due.filter(pk=message_id)
    # Message and card are locked together, or neither (SKIP LOCKED): a transaction that locks the card first and its
    # messages later can never deadlock with one that holds a message and waits for the card.
    locked = due.select_for_update(skip_locked=True, of=("self", "contact__card"))
    return locked.select_related("contact__card", "link", "user").order_by("not_before", "pk")


@act
def _settle(message: Message, fate: DeliveryResult, said: str) -> None:
    """Store the result of this claim only; it also replaces *unknown* if the lease had expired."""
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
            # Due at once, but behind all others: if this mail is the cause, the next attempt is made with another one.
            away = {"state": MessageState.QUEUED, "reason": MessageReason.SERVER, "not_before": timezone.now()}
            return away | {"attempts": message.attempts - 1}
        case DeliveryResult.LATER if _gives_up(message, fate):
            return {"state": MessageState.FAILED, "reason": MessageReason.GAVE_UP}
        case DeliveryResult.LATER | DeliveryResult.WITHHELD:  # what was withheld is decided anew instead
            delay = dt.timedelta(seconds=DELAYS[message.attempts - 1])
            return {"state": MessageState.QUEUED, "reason": MessageReason.LATER, "not_before": timezone.now() + delay}

"""Delivers the newest root: by mail daily, to a webhook with each seal, to a timestamp authority (RFC 3161) hourly.

A root covers every root before it, so none is missed by sending the newest. What fails is tried again, later and later.
"""

import datetime as dt
import hmac
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus

from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rfc3161_client import HashAlgorithm, PKIStatus, TimestampRequestBuilder, decode_timestamp_response

from contacts.jobs import engine
from contacts.models import RootDelivery, RootTimestamp, Seal
from contacts.sealing import destinations, tree
from salesconnect.lib.web import outgoing
from salesconnect.lib.web.outgoing import Undelivered

logger = logging.getLogger(__name__)

FORMAT = "salesconnect-root/1"
DELAYS = (60, 300, 1_800, 7_200, 21_600)


@dataclass(frozen=True, slots=True)
class Channel:
    """How often something goes this way, and how."""

    every: dt.timedelta
    send: Callable[[Seal, str], None]


def send_due() -> int:
    """Send the newest root on each way on which it is due; returns on how many it went."""
    return sum(_send(standing.way, standing.target) for standing in destinations.destinations())


@transaction.atomic
def _send(way: str, target: str) -> bool:
    """Send over one channel. The row lock is the lease; after a killed worker it is sent again, which is harmless."""
    RootDelivery.objects.get_or_create(way=way)
    row = engine.claim(RootDelivery.objects.filter(way=way)).first()
    seal = Seal.objects.order_by("-number").first()
    now = timezone.now()
    if row is None or seal is None or seal.number <= row.sent or row.not_before > now:
        return False
    try:
        CHANNELS[way].send(seal, target)
    except Exception as problem:
        if isinstance(problem, DatabaseError):
            raise
        if not isinstance(problem, Undelivered):
            logger.exception("The root could not be sent by %s", way)
        row.error = (str(problem) or type(problem).__name__)[:300]
        row.not_before = now + dt.timedelta(seconds=DELAYS[min(row.attempts, len(DELAYS) - 1)])
        row.attempts += 1
        row.save()
        return False
    row.sent, row.sent_at, row.attempts, row.error, row.not_before = seal.number, now, 0, "", now + CHANNELS[way].every
    row.save()
    return True


def root_message(seal: Seal) -> dict[str, object]:
    return {
        "format": FORMAT,
        "seal": seal.number,
        "root": bytes(seal.root).hex(),
        "previous": bytes(seal.previous).hex(),
        "events": seal.events,
        "sealed_at": tree.moment(seal.sealed_at),
    }


def _mail(seal: Seal, address: str) -> None:
    backend = get_connection()
    if getattr(backend, "keeps", False):
        raise Undelivered(_("No mail server is configured."))
    words = {"number": seal.number, "time": tree.moment(seal.sealed_at), "root": bytes(seal.root).hex()}
    subject = _("Root of seal %(number)d") % words
    body = _("Keep this mail: nobody can change the history before %(time)s without another root.") % words
    EmailMessage(subject, f"{body}\n\n{words['root']}\n", to=[address], connection=backend).send()


def _webhook(seal: Seal, url: str) -> None:
    body = json.dumps(root_message(seal)).encode()
    signature = hmac.new(destinations.secret(url).encode(), body, sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Signature-SHA256": signature}
    answer = outgoing.post(url, body, headers)
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise Undelivered(_("The webhook answered %(status)d.") % {"status": answer.status})


def _timestamp(seal: Seal, url: str) -> None:
    """Have the root signed (RFC 3161). The answer is seen to be about it; who verifies the token says whom to trust."""
    root = bytes(seal.root).hex().encode()
    asked = TimestampRequestBuilder().data(root).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=True).build()
    headers = {"Content-Type": "application/timestamp-query"}
    answer = outgoing.post(url, asked.as_bytes(), headers)
    if answer.status != HTTPStatus.OK:
        raise Undelivered(_("The timestamp authority answered %(status)d.") % {"status": answer.status})
    stamped = decode_timestamp_response(answer.content)
    if PKIStatus(stamped.status) not in {PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS}:
        raise Undelivered(_("The timestamp authority refused."))
    signed = stamped.tst_info
    if signed.message_imprint.message != sha256(root).digest() or signed.nonce != asked.nonce:
        raise Undelivered(_("The timestamp is not about this root."))
    token = stamped.time_stamp_token()
    RootTimestamp.objects.create(seal_number=seal.number, authority=url, at=signed.gen_time, token=token)


CHANNELS = {
    destinations.MAIL: Channel(dt.timedelta(days=1), _mail),
    destinations.WEBHOOK: Channel(dt.timedelta(), _webhook),
    destinations.TIMESTAMP: Channel(dt.timedelta(hours=1), _timestamp),
}

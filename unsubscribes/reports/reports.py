"""Acts on reports of mail providers: deliveries, failures, complaints and opt-outs that were made there."""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from anymail.signals import AnymailTrackingEvent
from django.db.models import QuerySet
from django.utils import timezone

from compliance.models import Suppression
from compliance.suppression import suppression
from compliance.suppression.suppression import OptOutResult
from contacts.models import Contact
from contacts.people.addresses import address_hashes, newest_key
from contacts.people.found_addresses import addresses_in
from contacts.people.rules import normalise_address
from contacts.people.skeletons import skeleton_hashes
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.outcome import Outcome
from unsubscribes.mail import failures
from unsubscribes.mail.sending import envelope
from unsubscribes.models import Message
from unsubscribes.reports import meanings
from unsubscribes.reports.meanings import MAIL_PROVIDERS, Meaning

__all__ = ["MAIL_PROVIDERS", "take"]

OUR_ID = re.compile(r"<?(?P<number>\d{1,18})\.\d+@")
UNSEEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
OPT_OUT_SOURCES = {
    Meaning.COMPLAINED: Suppression.Source.COMPLAINT,
    Meaning.OPTED_OUT: Suppression.Source.ONE_CLICK,
    Meaning.NO_SUCH_USER: Suppression.Source.BOUNCE,
}


@dataclass(frozen=True, slots=True)
class AddressReport:
    """One report about one address; `mail_id` is the Message-ID, `said` the reply of the receiving server."""

    meaning: Meaning
    hashes: list[UUID]
    mail_id: str
    key: str
    said: str
    at: dt.datetime | None
    skeleton: UUID | None = None


def take(name: str, events: Iterable[AnymailTrackingEvent], *, label: str) -> Outcome:
    """Act on the reports of the provider called `label`; returns how many addresses were opted out, and already were.

    Reports may be repeated and come in any order; an opt-in at the provider is ignored. Each address is a transaction
    of its own, so that a report with many addresses cannot deadlock with another one. If it fails halfway, the provider
    sends it again, which is idempotent.
    """
    actor = Actor(user_id=None, name=label, role="member", door="task")
    outcome = Outcome()
    for reported in [_read(name, event, address) for event in events for address in _addresses(event)]:
        if reported.meaning is Meaning.DELIVERED:
            failures.arrived(reported.hashes, reported.at)
            if message := _named(reported):
                failures.arrived_after_all(message, reported.at)
        elif reported.meaning is not Meaning.NOTHING:
            outcome += _take_one(reported, actor)
    return outcome


@act
def _take_one(reported: AddressReport, actor: Actor) -> Outcome:
    outcome, is_new = Outcome(), True
    if source := OPT_OUT_SOURCES.get(reported.meaning):
        written_to = _recipients(reported)
        no = _opt_out(reported, source, written_to, actor)
        outcome = no.outcome
        # While we waited for the lock, a merge may have moved the mail to another record.
        if not set(written_to) <= set(no.people) and (now := _recipients(reported)) != written_to:
            _opt_out(reported, source, now, actor)
        is_new = bool(outcome.changed)
    elif person := Contact.objects.filter(address_hash__in=reported.hashes).first():
        whose, key, said = person.address_hash or reported.hashes[0], reported.key, reported.said
        is_new = failures.count(person.pk, whose, key=key, said=said, at=reported.at)
    if reported.meaning in (Meaning.NO_SUCH_USER, Meaning.NOT_DELIVERED):
        message = _named(reported) or (_last(reported) if is_new else None)
        if message:
            failures.came_back(message, reported.said, reported.at)
    return outcome


def _opt_out(reported: AddressReport, source: str, written_to: list[int], actor: Actor) -> OptOutResult:
    return suppression.unsubscribe_address(
        reported.hashes,
        newest_key(),
        actor=actor,
        source=source,
        reason=actor.name,
        skeleton=reported.skeleton,
        written_to=written_to,
    )


def _recipients(reported: AddressReport) -> list[int]:
    """Return the person to opt out besides the address: the one to whom the mail was written.

    A mailbox that does not exist is nobody's wish, so only the address is suppressed.
    """
    if reported.meaning is Meaning.NO_SUCH_USER:
        return []
    message = _named(reported) or _last(reported)
    return [message.contact_id] if message else []


def _named(reported: AddressReport) -> Message | None:
    found = OUR_ID.match(reported.mail_id)
    message = _to(reported).filter(pk=int(found["number"])).first() if found else None
    ours = message and envelope.message_id(message).strip("<>") == reported.mail_id.strip("<>")
    return message if ours else None


def _last(reported: AddressReport) -> Message | None:
    """Return the last message to the address, for reports without our Message-ID.

    If none was sent, it may be one that is being sent: a report may arrive before the worker has stored the result.
    """
    by_time = _to(reported).order_by("-claimed_at", "-pk")
    left = by_time.filter(state__in=failures.LEFT).first()
    return left or by_time.filter(state=Message.State.SENDING).first()


def _to(reported: AddressReport) -> QuerySet[Message]:
    return Message.objects.filter(link__address_hash__in=reported.hashes)


def _addresses(event: AnymailTrackingEvent) -> list[str]:
    """Return the normalised address of a report; some providers add a name or angle brackets."""
    recipient = str(event.recipient or "")
    try:
        return [normalise_address(recipient)]
    except ValueError:
        return addresses_in(recipient)[0]


def _read(name: str, event: AnymailTrackingEvent, address: str) -> AddressReport:
    recipient, report = str(event.recipient or ""), event.esp_event
    hashes, skeleton = address_hashes(address), skeleton_hashes(address)[0]
    meaning = meanings.of_report(name, str(event.event_type), report, recipient, event.mta_response)
    mail_id = str(event.message_id or "")
    whole = json.dumps(report, sort_keys=True, default=str)
    known = mail_id or str(event.event_id or "") or whole
    key = hashlib.sha256(f"{name} {known}".encode()).hexdigest()
    said = UNSEEN.sub(" ", str(event.mta_response or event.description or meanings.reason_of(name, report)))
    # A failure dated in the future would never be deleted by a later delivery.
    at = min(event.timestamp, timezone.now()) if event.timestamp else None
    return AddressReport(meaning, hashes, mail_id, key, said, at, skeleton)

"""What mail providers report of addresses: what arrived, what did not and why, and a "no" that was said to them."""

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
    """One report about one address: what it says, which mail it names, and the words of the receiving server."""

    meaning: Meaning
    hashes: list[UUID]
    mail_id: str
    key: str
    said: str
    at: dt.datetime | None
    skeleton: UUID | None = None


def take(name: str, events: Iterable[AnymailTrackingEvent], *, label: str) -> Outcome:
    """Act on what a provider, called `label`, reports; returns how many addresses were opted out and how many were.

    Reports may come twice and in any order. A "yes" to the provider means nothing here. Each address is a transaction
    of its own, so that many in one report wait for nobody in an order of their own; a report that broke off halfway
    comes again, and what was done of it is found done.
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
        # The mail may have gone over to another record by a merge that the "no" waited for.
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
    """Return whose word a "no" is beside the address: the person to whom the mail was written, by that person's number.

    A mailbox that does not exist is no word of anybody, so it is of the address alone.
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
    """Return the last message that left for the address: what a report is about that gives no id of ours.

    It may be one that is just leaving, where no other has: a report may be faster than the worker.
    """
    by_time = _to(reported).order_by("-claimed_at", "-pk")
    left = by_time.filter(state__in=failures.LEFT).first()
    return left or by_time.filter(state=Message.State.SENDING).first()


def _to(reported: AddressReport) -> QuerySet[Message]:
    return Message.objects.filter(link__address_hash__in=reported.hashes)


def _addresses(event: AnymailTrackingEvent) -> list[str]:
    """Return the normalised address that a report is about; some write a name or brackets around it."""
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
    # What a provider dates later than now would outlive every mail that arrives.
    at = min(event.timestamp, timezone.now()) if event.timestamp else None
    return AddressReport(meaning, hashes, mail_id, key, said, at, skeleton)

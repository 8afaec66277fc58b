"""The gate: decides for all mail whether it may leave, when it is written and again when it is sent.

A message is claimed for sending only in a transaction that has called `decide` and holds its locks until the commit. An
opt-out locks the same card, so it comes either before the claim, and is seen, or after it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, CharField, Count, Exists, Func, IntegerField, OuterRef, Q, Value, When
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThan

from compliance.card import card_changes
from compliance.models import Suppression
from compliance.verdict import policy, verdict
from contacts.models import Contact
from contacts.people.addresses import address_hashes
from contacts.people.queries import ContactQuerySet
from unsubscribes.models import FAILURES_TO_HOLD, MailFailure, Message

MessageReason = Message.Reason
PASSES = ""
ON_ITS_WAY = (Message.State.SENDING, Message.State.UNKNOWN)
"""The states of a claimed message that its worker may still be sending, even though its lease may have expired."""


@dataclass(frozen=True, slots=True)
class GateDecision:
    """A person, and why mail to them is held back; an empty reason lets it pass."""

    contact: Contact
    reason: str


def decide(contacts: ContactQuerySet, *, informs: bool = False) -> list[GateDecision]:
    """Decide for each of `contacts`, in the order of their ids; locks their cards until the transaction ends.

    A mail that `informs` (GDPR art. 14) is owed to the person whatever the policy says of contacting; an opt-out, a
    restriction and an address that looks like one that said no hold it back all the same.
    """
    ids = card_changes.lock(contacts)
    people = list(Contact.objects.filter(pk__in=ids).annotate(held=_reason(informs)).order_by("pk"))
    suppressed = _under_any_key(people)
    return [
        GateDecision(person, MessageReason.UNSUBSCRIBED if person.pk in suppressed else person.held)
        for person in people
    ]


def may_still_leave(message: Message) -> bool:
    """Tell whether a claimed message may still leave. Takes no locks, so that no opt-out has to wait for a mail server.

    It may not if the claim has passed to another worker, if the person is gone or has another address, if mail to the
    person is held back by now, or if the claimed address has been suppressed.
    """
    claimed = message.contact.email_key
    ours = Message.objects.filter(pk=message.pk, claimed_at=message.claimed_at, state__in=ON_ITS_WAY)
    people = Contact.objects.filter(pk__in=ours.values("contact_id"))
    no = Exists(Suppression.objects.filter(address_hash__in=address_hashes(claimed)))
    found = people.annotate(held=_reason(message.informs), no=no).values_list("pk", "held", "no", "email_key").first()
    if found is None:
        return False
    contact_id, held, said_no, email_key = found
    # After a merge the survivor may have another address; the mail still goes to the one it was written to.
    moved = contact_id == message.contact.pk and email_key != claimed
    return not (held or said_no or moved)


def forecast(contacts: ContactQuerySet, *, informs: bool = False) -> Counter[str]:
    """Count `contacts` by the reason for which mail to them would be held back now; takes no locks."""
    counts = contacts.annotate(held=_reason(informs)).order_by().values_list("held").annotate(Count("pk"))
    return Counter(dict(counts))


def warned(contacts: ContactQuerySet) -> list[tuple[str, int]]:
    """Return the policy's warnings about writing to `contacts`, each with the number of recipients it concerns."""
    passing = contacts.annotate(held=_reason()).filter(held=PASSES).order_by()
    warnings = verdict.warnings(policy.current())
    numbers = {f"warned_{place}": Count("pk", filter=condition) for place, (_words, condition) in enumerate(warnings)}
    counts = passing.aggregate(**numbers) if numbers else {}
    told = zip([words for words, _condition in warnings], counts.values(), strict=True)
    return [(words, number) for words, number in told if number]


def held_people(contacts: ContactQuerySet, limit: int, *, informs: bool = False) -> list[GateDecision]:
    """Return the first `limit` of `contacts` to whom mail would be held back now; takes no locks."""
    held = contacts.annotate(held=_reason(informs)).exclude(held=PASSES).order_by("pk")
    return [GateDecision(person, person.held) for person in held[:limit]]


def _reason(informs: bool = False) -> Case:
    """Return the most important reason that applies to a contact, as an SQL expression."""
    suppressed = Exists(Suppression.objects.filter(address_hash=OuterRef("address_hash")))
    rules = policy.current()
    reasons = [(MessageReason.UNSUBSCRIBED.value, Q(suppressed)), *verdict.holding(rules, always=True)]
    reasons.append((MessageReason.NO_ADDRESS.value, Q(email="")))
    # As `contacts.people.rules.is_sendable`: an address has more bytes than characters where it has letters
    # outside ASCII.
    in_bytes = Func("email_key", function="octet_length", output_field=IntegerField())
    reasons.append((MessageReason.UNSENDABLE.value, Q(GreaterThan(in_bytes, Length("email_key")))))
    if not informs:
        reasons += verdict.holding(rules, always=False)
    failing = MailFailure.objects.filter(
        number=FAILURES_TO_HOLD, contact_id=OuterRef("pk"), address_hash=OuterRef("address_hash")
    )
    reasons.append((MessageReason.UNDELIVERABLE.value, Q(Exists(failing))))
    whens = [When(condition, then=Value(reason)) for reason, condition in reasons]
    return Case(*whens, default=Value(PASSES), output_field=CharField())


def _under_any_key(people: Sequence[Contact]) -> set[int]:
    """Return the ids of those whose address is suppressed under any hash key, for a key may have been changed."""
    by_hash = {hashed: person.pk for person in people if person.email for hashed in address_hashes(person.email_key)}
    found = Suppression.objects.filter(address_hash__in=list(by_hash)).values_list("address_hash", flat=True)
    return {by_hash[hashed] for hashed in found}

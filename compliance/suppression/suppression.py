"""Suppressions: an opt-out takes effect at once, belongs to the address, and outlives the person's row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from compliance.models import Suppression
from compliance.suppression import address_locks, lookalikes
from compliance.suppression.opt_out_source_registry import REPEATED
from contacts.events import history
from contacts.models import Contact
from contacts.people.addresses import address_hashes, folded_hashes, newest_key
from contacts.people.queries import NO_IDS, ContactQuerySet, array, inlined
from contacts.people.skeletons import skeleton_hashes
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.sql import fill
from salesconnect.lib.database.transactions import retried
from salesconnect.lib.kick import kick
from salesconnect.lib.outcome import Outcome

ADDRESS_CHANGED = "address_changed"

# Database functions, because PostgreSQL caches their plans: one mailing may bring thousands of opt-outs at once.
UNSUBSCRIBE = """
    SELECT people, changed, is_new, holders FROM compliance_unsubscribe(
        ARRAY({ids}), %(address_hashes)s::uuid[], %(hash_key)s, %(source)s, %(reason)s, %(said)s,
        %(batch_id)s, %(actor_id)s, %(door)s, %(actor_name)s, %(skeleton)s, %(of_mail)s
    )
"""
SUPPRESS_MANY = """
    SELECT compliance_suppress(
        %(hashes)s::uuid[], %(hash_key)s, %(source)s, %(reason)s, %(said)s, %(skeletons)s::uuid[])
"""

REKEY = """
    UPDATE compliance_suppression s SET address_hash = given.new, hash_key = %(hash_key)s
    FROM (SELECT DISTINCT ON (new) new, old FROM unnest(%(old)s::uuid[], %(new)s::uuid[]) AS pair (old, new)
          JOIN compliance_suppression held ON held.address_hash = pair.old ORDER BY new, (held.source = 'bounce')) given
    WHERE s.address_hash = given.old
    AND NOT EXISTS (SELECT FROM compliance_suppression n WHERE n.address_hash = given.new)
"""
COPY_FOLDED = """
    INSERT INTO compliance_suppression (address_hash, hash_key, reason, source, since, said_at, skeleton_hash)
    SELECT DISTINCT ON (given.new) given.new, %(hash_key)s, s.reason, s.source, s.since, s.said_at, given.look
    FROM unnest(%(old)s::uuid[], %(new)s::uuid[], %(looks)s::uuid[]) AS given (old, new, look)
    JOIN compliance_suppression s ON s.address_hash = given.old AND s.folded
    ORDER BY given.new, s.since ON CONFLICT (address_hash) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class OptOutResult:
    """What came of a "no": whose it was, how many of them could be mailed before, and whether the address was new.

    `holders` are those of the people who have the address.
    """

    people: Sequence[int]
    changed: int
    new: bool
    holders: Sequence[int]

    @property
    def outcome(self) -> Outcome:
        """Return what came of it for the address: changed when it or somebody could be mailed before."""
        return Outcome(changed=1) if self.changed or self.new else Outcome(unchanged=1)


def unsubscribe(
    contacts: ContactQuerySet,
    *,
    actor: Actor,
    source: str,
    reason: str = "",
    batch_id: int | None = None,
    said: bool = True,
) -> Outcome:
    """Opt all `contacts` out of mail, with their addresses (GDPR art. 21(3)); who already is counts as unchanged.

    A person without an address is marked too, so that an address given later is suppressed from its first moment.
    Where nobody `said` it anew, for records are put right, a new consent need not be newer than this moment.
    """
    whose = inlined(*contacts.card_ids_sql())
    heard = _unsubscribe(whose, actor=actor, source=source, reason=reason, batch_id=batch_id, said=said)
    return Outcome(changed=heard.changed, unchanged=len(heard.people) - heard.changed)


def unsubscribe_address(
    hashes: Sequence[UUID],
    hash_key: str,
    *,
    actor: Actor,
    source: str,
    reason: str = "",
    skeleton: UUID | None = None,
    written_to: Sequence[int] = (),
) -> OptOutResult:
    """Opt an address out that is known by its hashes alone, and whoever has it.

    The first hash is stored, made with the key named `hash_key`; who has the address may be known by another. Who knows
    the address gives the hash of its `skeleton`, for perhaps nobody has it. Where the "no" answers a mail, the people
    whom it was `written_to` are opted out too, with the addresses that they have by now.
    """
    address = (hashes, hash_key, skeleton)
    whose = inlined("SELECT unnest(%s::bigint[])", (array(written_to),)) if written_to else NO_IDS
    return _unsubscribe(whose, actor=actor, source=source, reason=reason, address=address, of_mail=bool(written_to))


@retried
def _unsubscribe(
    whose: str,
    *,
    actor: Actor,
    source: str,
    reason: str,
    batch_id: int | None = None,
    address: tuple[Sequence[UUID], str, UUID | None] = ((), "", None),
    said: bool = True,
    of_mail: bool = False,
) -> OptOutResult:
    """Opt out the people whose ids a statement finds, and an address, all of it in one statement."""
    actor.require("unsubscribe_people")
    values: dict[str, Any] = {
        "address_hashes": [str(each) for each in address[0]],
        "hash_key": address[1],
        "skeleton": str(address[2]) if address[2] else None,
        "source": source,
        "reason": reason,
        "said": said and source not in REPEATED,
        "of_mail": of_mail,
    }
    with connection.cursor() as cursor:
        cursor.execute(fill(UNSUBSCRIBE, ids=whose), values | history.event_values(actor, batch_id))
        heard = OptOutResult(*cursor.fetchone())
    if heard.changed:
        kick("unsubscribes.push_salesforce")
    return heard


def suppress_hashes(
    hashes: Sequence[UUID], *, source: str, reason: str = "", skeletons: Sequence[UUID | None] = ()
) -> None:
    """Suppress addresses known by their hashes under the newest key; whoever has them is unsubscribed separately.

    Who knows the addresses gives the hashes of their `skeletons` beside them, None where one is not known.
    """
    values: dict[str, Any] = {
        "hashes": [str(address_hash) for address_hash in hashes],
        "hash_key": newest_key(),
        "skeletons": [str(skeleton) if skeleton else None for skeleton in skeletons],
        "reason": reason,
        "source": source,
        "said": source not in REPEATED,
    }
    with connection.cursor() as cursor:
        cursor.execute(SUPPRESS_MANY, values)


def opt_out_addresses(addresses: Iterable[str], *, actor: Actor, source: str, reason: str = "") -> int:
    """Suppress normalised addresses and opt out whoever has them; return how many addresses were not suppressed before.

    A bounce gives way to what somebody said, as everywhere. Inside a transaction of the caller.
    """
    hashed = {address: address_hashes(address) for address in addresses}
    every = [address_hash for hashes in hashed.values() for address_hash in hashes]
    address_locks.hold(held for address in hashed for held in address_locks.of_address(address))
    lookalikes.to_newest_key(hashed)
    known = dict(Suppression.objects.filter(address_hash__in=every).values_list("address_hash", "source"))
    fresh = [hashes[0] for hashes in hashed.values() if known.keys().isdisjoint(hashes)]
    bounced = [address_hash for address_hash, held in known.items() if held == Suppression.Source.BOUNCE]
    unsubscribe(Contact.objects.filter(email_key__in=list(hashed)), actor=actor, source=source, reason=reason)
    looks = {each: skeleton_hashes(address)[0] for address, hashes in hashed.items() for each in hashes}
    said = [*fresh, *bounced]
    suppress_hashes(said, source=source, reason=reason, skeletons=[looks[each] for each in said])
    return len(fresh)


def move_to_newest_key(addresses: Iterable[str]) -> None:
    """Move what suppresses normalised addresses to the newest key, by which all that is stored is compared.

    A suppression of the time while the case of domains was folded is copied, for it may be another's too. The
    addresses must be held.
    """
    hashed = {address: (address_hashes(address), folded_hashes(address)) for address in addresses if address}
    older = [(old, new) for (new, *others), _folded in hashed.values() for old in others]
    folded = [(old, new) for (new, *_others), olds in hashed.values() for old in olds]
    looks = {new: skeleton_hashes(address)[0] for address, ((new, *_others), olds) in hashed.items() if olds}
    with connection.cursor() as cursor:
        for statement, pairs in ((REKEY, older), (COPY_FOLDED, folded)):
            if pairs:
                values: dict[str, Any] = {
                    "old": [str(old) for old, _new in pairs],
                    "new": [str(new) for _old, new in pairs],
                    "looks": [str(looks[new]) if new in looks else None for _old, new in pairs],
                    "hash_key": newest_key(),
                }
                cursor.execute(statement, values)


def of_address(email_key: str) -> Suppression | None:
    """Return the suppression of a normalised address, looked up under every hash key; None when it may be mailed."""
    if not email_key:
        return None
    known = Q(address_hash__in=address_hashes(email_key)) | Q(address_hash__in=folded_hashes(email_key), folded=True)
    return Suppression.objects.filter(known).order_by("since").first()


def suppress_address(contact: Contact, *, reason: str) -> None:
    """Store the "no" of an unsubscribed person for the address that the person has now."""
    if contact.address_hash:
        Suppression.objects.get_or_create(
            address_hash=contact.address_hash,
            defaults={
                "hash_key": contact.address_hash_key,
                "reason": reason,
                "source": Suppression.Source.MANUAL,
            },
        )

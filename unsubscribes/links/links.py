"""Unsubscribe links. One is created when a mail is sent, and never expires."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.conf import settings
from django.db import connection
from psycopg2.extras import execute_values

from compliance.suppression import suppression
from compliance.suppression.suppression import OptOutResult
from contacts.models import Contact
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome
from unsubscribes.links import tokens
from unsubscribes.models import MailLink, Message

# Raw SQL, because many people may follow their links at once: building this query in the ORM takes longer than running
# it.
FIND = """
    SELECT id, nonce, digest, address_hash, hash_key, skeleton_hash, replaced_in, created_at,
           ARRAY(SELECT contact_id FROM unsubscribes_message WHERE link_id = link.id
                 UNION SELECT contact_id FROM unsubscribes_message WHERE id = link.replaced_in)
    FROM unsubscribes_maillink link WHERE digest = ANY(%s)
"""
# A hash is kept if a suppression, an erased address or another person needs it.
FORGET = """
    UPDATE unsubscribes_maillink SET address_hash = NULL, hash_key = '', skeleton_hash = NULL
    WHERE address_hash IS NOT NULL AND id IN (
        SELECT id FROM unsubscribes_maillink WHERE address_hash = ANY(%(hashes)s::uuid[])
        UNION SELECT link_id FROM unsubscribes_message WHERE contact_id = ANY(%(people)s) AND link_id IS NOT NULL
    )
    AND NOT EXISTS (SELECT FROM compliance_suppression s WHERE s.address_hash = unsubscribes_maillink.address_hash)
    AND NOT EXISTS (SELECT FROM compliance_erasedaddress e WHERE e.address_hash = unsubscribes_maillink.address_hash)
    AND NOT EXISTS (SELECT FROM contacts_contact c
                    WHERE c.address_hash = unsubscribes_maillink.address_hash AND c.id <> ALL(%(people)s))
"""
RECIPIENT = Actor(user_id=None, name="Recipient", role="member", door="link")


def make(contact: Contact) -> MailLink:
    """Store a new link for the present address of `contact`, which must have one."""
    assert contact.address_hash  # noqa: S101 - the gate lets nobody pass without an address
    nonce = uuid.uuid4()
    return MailLink.objects.create(
        nonce=nonce,
        digest=tokens.digest(tokens.token_of(nonce)),
        address_hash=contact.address_hash,
        hash_key=contact.address_hash_key,
        skeleton_hash=contact.skeleton_hash,
    )


def url(link: MailLink) -> str | None:
    """Return the public URL of a link; None if the key from which its token was derived has changed since."""
    token = tokens.token_of(link.nonce)
    return f"{settings.SITE_URL}/u/{token}/" if tokens.digest(token) == link.digest else None


def for_message(message: Message, contact: Contact) -> MailLink:
    """Return the message's link: that of its first attempt, as long as it is usable and the address is the same.

    A replaced link may have been mailed already, so it keeps a reference to the message and thereby to its person.
    """
    link = message.link
    if link and link.address_hash == contact.address_hash and url(link):
        return link
    if link:
        MailLink.objects.filter(pk=link.pk).update(replaced_in=message.pk)
    return make(contact)


def find(token: str) -> MailLink | None:
    """Return the link of a token, with the people it was written to; None for an unknown or damaged token."""
    with connection.cursor() as cursor:
        cursor.execute(FIND, [tokens.digests(token)])
        row = cursor.fetchone()
    if row is None:
        return None
    *values, written_to = row
    link = MailLink(*values)
    link.written_to = written_to
    return link


def holder(link: MailLink) -> Contact | None:
    return Contact.objects.filter(address_hash=link.address_hash).first() if link.address_hash else None


def forget(people: Sequence[int], hashes: Iterable[UUID]) -> int:
    """Delete the hashes from links that were mailed to people who are being erased; returns how many.

    Such a link then answers that nothing is stored.
    """
    with connection.cursor() as cursor:
        cursor.execute(FORGET, {"people": list(people), "hashes": [str(each) for each in hashes]})
        return cursor.rowcount


def is_nobodys(link: MailLink) -> bool:
    """Tell whether a link has neither an address hash nor a person left to unsubscribe."""
    return link.address_hash is None and not link.written_to


def opt_out(link: MailLink, *, source: str, reason: str) -> Outcome:
    """Opt out by a link; `changed` is 0 if address and person were unsubscribed already.

    This opts out the link's address, whoever has it now, and the person to whom the mail was written, also if that
    person has another address by now or was merged into another record.
    """
    if is_nobodys(link):
        return Outcome()
    said = _opt_out(link, source, reason)
    if said.holders and set(link.written_to) <= set(said.people):
        return said.outcome
    # Nobody has the address, or a mail moved to another record. Look again: while we waited for the lock, a merge may
    # have moved the mail, or the address may have got another hash.
    now = MailLink.objects.get(pk=link.pk)
    if now.address_hash == link.address_hash and set(now.written_to) <= set(said.people):
        return said.outcome
    again = _opt_out(now, source, reason)
    return again.outcome if again.changed or again.new else said.outcome


def _opt_out(link: MailLink, source: str, reason: str) -> OptOutResult:
    return suppression.unsubscribe_address(
        [link.address_hash] if link.address_hash else [],
        link.hash_key,
        actor=RECIPIENT,
        source=source,
        reason=reason,
        skeleton=link.skeleton_hash,
        written_to=link.written_to,
    )


def rehash(hashes: Mapping[UUID, UUID], hash_key: str, looks: Mapping[UUID, UUID]) -> int:
    """Move links from old address hashes to new ones of the key named `hash_key`; returns how many.

    `looks` maps the new address hashes to skeleton hashes. Runs in the transaction that re-hashes the people.
    """
    if not hashes:
        return 0
    statement = """
        UPDATE unsubscribes_maillink link
        SET address_hash = renewed.new::uuid, hash_key = renewed.key, skeleton_hash = renewed.look::uuid
        FROM (VALUES %s) AS renewed (old, new, key, look) WHERE link.address_hash = renewed.old::uuid
    """
    rows = [(str(old), str(new), hash_key, str(looks[new])) for old, new in hashes.items()]
    with connection.cursor() as cursor:
        execute_values(cursor.cursor, statement, rows, page_size=len(rows))
        return cursor.rowcount

"""The way out of every mail: its link is made when the mail is sent, and works for ever."""

import uuid
from collections.abc import Collection, Mapping
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import connection
from psycopg2.extras import execute_values

from compliance import services, suppression
from contacts.models import Contact
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome
from unsubscribes import tokens
from unsubscribes.models import MailLink, Message

# Spelt out, for many may follow their links at once: the ORM would take longer to write these than the database to
# answer them.
FIND = "SELECT id, nonce, digest, address_hash, hash_key, created_at FROM unsubscribes_maillink WHERE digest = %s"
WRITTEN_TO = "SELECT contact_id FROM unsubscribes_message WHERE link_id = %s"
SURVIVORS = """
    SELECT c.id FROM unsubscribes_message m JOIN contacts_contact c ON c.id = m.contact_id
    WHERE m.link_id = %s AND c.address_hash IS DISTINCT FROM %s
    AND EXISTS (SELECT FROM contacts_merge WHERE survivor_id = c.id AND undone_at IS NULL)
"""
RECIPIENT = Actor(user_id=None, name="Recipient", role="member", door="link")


def make(contact: Contact) -> MailLink:
    """Store a new link for the address that `contact` has now; there must be one."""
    assert contact.address_hash  # noqa: S101 - the gate lets nobody pass without an address
    nonce = uuid.uuid4()
    return MailLink.objects.create(
        nonce=nonce,
        digest=tokens.digest(tokens.token_of(nonce)),
        address_hash=contact.address_hash,
        hash_key=contact.address_hash_key,
    )


def url(link: MailLink) -> str | None:
    """Return the public address of a link; None when the key that made its token has been changed since."""
    token = tokens.token_of(link.nonce)
    return f"{settings.SITE_URL}/u/{token}/" if tokens.digest(token) == link.digest else None


def for_message(message: Message, contact: Contact) -> MailLink:
    """Return the message's link: that of its first attempt as long as it is usable and the address the same."""
    link = message.link
    if link and link.address_hash == contact.address_hash and url(link):
        return link
    return make(contact)


def find(token: str) -> MailLink | None:
    """Return the link of a token, or None when the token is unknown or damaged."""
    with connection.cursor() as cursor:
        cursor.execute(FIND, [tokens.digest(token)])
        row = cursor.fetchone()
    return MailLink(*row) if row else None


def holder(link: MailLink) -> Contact | None:
    """Return the person who has the link's address now, if anybody has."""
    return Contact.objects.filter(address_hash=link.address_hash).first()


def opt_out(link: MailLink, *, source: str, reason: str) -> Outcome:
    """Take the "no" of whoever follows the link; `changed` is 0 when the address was unsubscribed already.

    A record that was merged since into another of the same person leaves its mail to that one, and so its "no".
    """
    return suppression.unsubscribe_address(
        link.address_hash,
        link.hash_key,
        actor=RECIPIENT,
        source=source,
        reason=reason,
        others=partial(_survivors, link),
    )


def _survivors(link: MailLink, holders: Collection[int]) -> list[int]:
    """Lock and return the people whose records have taken in the one that the link's mail was written to."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN_TO, [link.pk])
        elsewhere = {row[0] for row in cursor} - set(holders)
    return services.lock_found(SURVIVORS, [link.pk, link.address_hash]) if elsewhere else []


def rehash(hashes: Mapping[UUID, UUID], hash_key: str) -> int:
    """Move links from old address hashes to new ones, made with the key named `hash_key`; returns how many moved.

    For the job that follows a change of the hash key, in the transaction in which it re-hashes the people.
    """
    if not hashes:
        return 0
    statement = """
        UPDATE unsubscribes_maillink link SET address_hash = renewed.new::uuid, hash_key = renewed.key
        FROM (VALUES %s) AS renewed (old, new, key) WHERE link.address_hash = renewed.old::uuid
    """
    rows = [(str(old), str(new), hash_key) for old, new in hashes.items()]
    with connection.cursor() as cursor:
        execute_values(cursor.cursor, statement, rows, page_size=len(rows))
        return cursor.rowcount

"""Giving up a key that is lost for good: what is lost with it, and how that is recorded.

Existing people keep their opt-outs: their addresses are hashed again, and rows under the old hash move with them. Rows
known by hash alone cannot be moved. They are kept, because they are useful again if the key is found and configured
behind the newest one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db import connection
from django.db.models.functions import Now

from compliance.models import ErasedAddress, Suppression
from contacts.models import Contact, KeyFingerprint
from salesconnect.lib.database.sql import fill
from salesconnect.lib.database.transactions import act
from salesconnect.operations import key_fit
from unsubscribes import rehash
from unsubscribes.models import MailLink, SyncConnection

Name = KeyFingerprint.Name
NOBODYS = """
    SELECT count(*) FROM {table} held WHERE hash_key = ANY(%s)
    AND NOT EXISTS (SELECT FROM contacts_contact WHERE address_hash = held.address_hash)
"""


@dataclass(frozen=True, slots=True)
class Loss:
    """One kind of data that is kept or lost: how much, and what it means."""

    kind: str
    number: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is kept and what is lost by giving up the missing keys of a name."""

    fingerprints: list[str]
    kept: list[Loss]
    lost: list[Loss]


def assess(name: Name) -> Assessment:
    """Count what would be kept and lost; change nothing."""
    gone = key_fit.missing(name)
    kept, lost = _WEIGHING[name](gone) if gone else ([], [])
    return Assessment(gone, kept, lost)


def give_up(name: Name) -> Assessment:
    """Give up the missing keys of a name: keep what can be kept, and record what was lost.

    Raises `WrongKey` afterwards if the keys of another name do not fit.
    """
    if name == Name.SUPPRESSION and key_fit.missing(name):
        rehash.rehash_all()
    weighed = _record(name)
    key_fit.check()
    return weighed


@act
def _record(name: Name) -> Assessment:
    weighed = assess(name)
    if name == Name.ENCRYPTION:
        _forget_unreadable()
    KeyFingerprint.objects.filter(name=name, fingerprint__in=weighed.fingerprints).update(
        given_up_at=Now(), lost={loss.kind: loss.number for loss in weighed.lost}
    )
    return weighed


def _of_suppression(gone: list[str]) -> tuple[list[Loss], list[Loss]]:
    people = Contact.objects.filter(address_hash_key__in=gone)
    said_no = people.filter(card__unsubscribed=True)
    kept = [
        Loss("people", people.count(), "people here, whose addresses are hashed anew"),
        Loss("people_unsubscribed", said_no.count(), "of them unsubscribed, who stay so"),
    ]
    lost = [
        Loss(
            "suppressions",
            _nobodys(Suppression, gone),
            "addresses that said no and belong to nobody here: whoever comes in with one of them may be mailed",
        ),
        Loss(
            "erased_addresses",
            _nobodys(ErasedAddress, gone),
            "addresses of people who asked to be erased: whoever comes in with one of them is not held back",
        ),
        Loss(
            "links",
            _nobodys(MailLink, gone),
            "links in mails to addresses that nobody here has: they opt out the person they were mailed to, if that"
            " person is here, and no longer the address",
        ),
    ]
    return kept, lost


def _of_links(_gone: list[str]) -> tuple[list[Loss], list[Loss]]:
    kept = [Loss("links", MailLink.objects.count(), "links in mails, which go on working")]
    return kept, [Loss("shown_links", 0, "links: those of old mails can only not be shown on a page again")]


def _of_encryption(_gone: list[str]) -> tuple[list[Loss], list[Loss]]:
    steps = _unreadable_steps()
    names = ", ".join(sorted({row.user.username for row in steps}))
    return [], [
        Loss(
            "salesforce_secrets",
            sum(key_fit.is_unreadable(secret) for secret in SyncConnection.objects.values_list("secret", flat=True)),
            "secrets of Salesforce, to be entered anew on the page of the sync",
        ),
        Loss(
            "second_steps",
            len(steps),
            f"second steps of sign-in ({names or 'of nobody'}): they are removed, so that a password alone signs in"
            " until they are set up anew",
        ),
    ]


_WEIGHING: dict[str, Callable[[list[str]], tuple[list[Loss], list[Loss]]]] = {
    Name.SUPPRESSION: _of_suppression,
    Name.UNSUBSCRIBE: _of_links,
    Name.ENCRYPTION: _of_encryption,
}


def _nobodys(model: type[Suppression | ErasedAddress | MailLink], gone: list[str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(fill(NOBODYS, table=model._meta.db_table), [gone])
        return int(cursor.fetchone()[0])


def _unreadable_steps() -> list[Authenticator]:
    rows = Authenticator.objects.select_related("user")
    return [row for row in rows if any(key_fit.is_unreadable(text) for text in key_fit.texts_of(row.data))]


def _forget_unreadable() -> None:
    """Remove what no configured key decrypts, so that it locks nobody out and the key no longer counts as needed."""
    Authenticator.objects.filter(pk__in=[row.pk for row in _unreadable_steps()]).delete()
    for row in SyncConnection.objects.all():
        held = {"secret": row.secret, "access_token": row.access_token}
        if gone := {name: "" for name, text in held.items() if key_fit.is_unreadable(text)}:
            SyncConnection.objects.filter(pk=row.pk).update(**gone)

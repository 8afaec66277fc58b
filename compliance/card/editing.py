"""Changing a person's details, never at the cost of a newer change or of somebody's "no"."""

from collections.abc import Mapping

from django.db import IntegrityError, connection, transaction

from compliance.card import card_changes, ownership
from compliance.card.creation import address_taken
from compliance.card.staging import address_columns
from compliance.models import ComplianceCard
from compliance.suppression import erased, lookalikes, suppression
from compliance.suppression.address_locks import lock_people
from contacts.events import history
from contacts.models import Contact, User
from contacts.people.details import clean, identity_errors
from contacts.people.field_registry import SORTED
from contacts.people.rules import normalise_address, sort_key
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Invalid, Missing
from salesconnect.lib.outcome import Outcome


@act
def edit(
    contact_id: int,
    values: Mapping[str, str],
    *,
    actor: Actor,
    version: int | None = None,
    although_erased: bool = False,
) -> Outcome:
    """Set details of one person by field name; names that are absent stay as they are.

    An unsubscribed person stays so under a new address, which is suppressed at once; a new address that is
    suppressed makes the person unsubscribed. Raises `Invalid`, `Missing`, `Restricted`, `Stale` when the
    person is no longer at `version`, and `Conflict`: `address_taken`, or `erased` for the address of somebody who
    asked to be erased, unless a user has decided `although_erased`.
    """
    actor.require("edit_people")
    wanted, errors = clean(values)
    contact = _locked(contact_id, values)
    if version is not None:
        card_changes.check_version(contact_id, version)
    errors |= identity_errors({name: getattr(contact, name) for name in ("first_name", "last_name", "email")} | wanted)
    if errors:
        raise Invalid(errors)
    changes = {
        name: (getattr(contact, name), value) for name, value in wanted.items() if getattr(contact, name) != value
    }
    if not changes:
        return Outcome(unchanged=1)
    _store(contact, {name: new for name, (_, new) in changes.items()})
    if new_address := changes.get("email", ("", ""))[1]:
        key = normalise_address(new_address)
        erased.forget(key) if although_erased else erased.refuse(key)
    history.record([contact_id], history.EDITED, actor=actor, changes=changes)
    if "email" in changes:
        _carry_the_no(contact, actor)
    return Outcome(changed=1)


@act
def assign(contact_id: int, owner: User | None, *, actor: Actor) -> Outcome:
    """Give one person to an owner, or to nobody. Raises `Missing` and `Restricted`."""
    actor.require("edit_people")
    card_changes.lock_one(contact_id)
    return ownership.assign(Contact.objects.filter(pk=contact_id), owner, actor=actor)


def touch(contact_ids: list[int]) -> None:
    """Move version and time of change, which live on the card for the whole person."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE compliance_compliancecard SET version = version + 1, updated_at = now() WHERE contact_id = ANY(%s)",
            [contact_ids],
        )


def lock(contact_id: int, values: Mapping[str, str]) -> None:
    """Lock a person who is to get the details `values`: where an address is among them, with that and the present one.

    Raises `Missing` and `Restricted`.
    """
    if "email" not in values:
        card_changes.lock_one(contact_id)
    elif not lock_people(Contact.objects.filter(pk=contact_id), wanted=[_key(values["email"])]):
        raise Missing


def _key(email: str) -> str:
    """Return the normal form of an address; an empty text for one that will be refused."""
    try:
        return normalise_address(email) if email.strip() else ""
    except ValueError:
        return ""


def _locked(contact_id: int, values: Mapping[str, str]) -> Contact:
    lock(contact_id, values)
    return Contact.objects.select_related("owner").get(pk=contact_id)


def _store(contact: Contact, values: dict[str, str]) -> None:
    columns: dict[str, object] = dict(values)
    if "email" in values:
        columns |= address_columns(values["email"])
        lookalikes.to_newest_key(filter(None, [str(columns["email_key"])]))
    columns |= {SORTED[name]: sort_key(value) for name, value in values.items() if name in SORTED}
    try:
        with transaction.atomic():
            Contact.objects.filter(pk=contact.pk).update(**columns)
    except IntegrityError as error:
        if "contact_address_once" not in str(error):
            raise
        raise address_taken(normalise_address(values["email"])) from None
    names = {name: columns[name] for name in ("sort_last", "sort_first") if name in columns}
    if names:
        ComplianceCard.objects.filter(pk=contact.pk).update(**names)
    touch([contact.pk])


def _carry_the_no(contact: Contact, actor: Actor) -> None:
    """Suppress the new address of an unsubscribed person, and unsubscribe a person whose new address is suppressed."""
    new = Contact.objects.select_related("card").get(pk=contact.pk)
    if new.card.unsubscribed:
        suppression.suppress_address(new, reason=suppression.ADDRESS_CHANGED)
    elif held := suppression.of_address(new.email_key):
        suppression.unsubscribe(
            Contact.objects.filter(pk=contact.pk), actor=actor, source=held.source, reason=suppression.ADDRESS_CHANGED
        )

"""Re-consent: an administrator removes the opt-out of one person who has given a new consent.

Nothing else clears an opt-out: database triggers refuse every statement that would, except for the person and the
addresses that `_lift` names in settings of its own transaction.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.card import card_changes
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.models import Suppression
from compliance.suppression.address_locks import lock_people
from contacts.events import history
from contacts.models import Contact
from contacts.people.addresses import address_hashes
from salesconnect.lib.actor import Actor
from salesconnect.lib.database.transactions import act
from salesconnect.lib.errors import Conflict, Invalid, Missing
from salesconnect.lib.kick import kick
from salesconnect.lib.outcome import Outcome
from salesconnect.lib.stored_files import remove_files_on_failure
from unsubscribes.crm.models import SyncNotice
from unsubscribes.evidence import documents, evidence_store
from unsubscribes.evidence.documents import Document
from unsubscribes.evidence.rules import Evidence

LIFT = """
    SELECT set_config('salesconnect.reconsent_contact', %(contact)s, true),
           set_config('salesconnect.reconsent_addresses', %(addresses)s, true);
    DELETE FROM compliance_suppression WHERE address_hash = ANY(%(hashes)s::uuid[]);
    UPDATE compliance_compliancecard SET unsubscribed = false, version = version + 1, updated_at = now()
    WHERE contact_id = %(id)s;
    SELECT set_config('salesconnect.reconsent_contact', '', true),
           set_config('salesconnect.reconsent_addresses', '', true)
"""


def reconsent(contact_id: int, evidence: Evidence, *, actor: Actor, version: int | None = None) -> Outcome:
    """Opt one person in again: the suppression of the address goes, the card becomes Consent with the new date.

    An opt-out that was made, or repeated, after the request began stands: last write wins, and on a tie the opt-out.
    Raises `Forbidden`, `Missing`, `Restricted`, `Stale` when the person is no longer at `version`, `Conflict`
    (`not_unsubscribed`, `unsubscribed_again`), and `Invalid` for evidence that does not show a consent. API tokens are
    refused (`Conflict`, `page_only`), because a person has to look at the evidence.
    """
    require_reconsent_right(actor)
    return _reconsent(contact_id, evidence, began=_clock(), actor=actor, version=version)


@act
@remove_files_on_failure
def _reconsent(
    contact_id: int, evidence: Evidence, *, began: dt.datetime, actor: Actor, version: int | None
) -> Outcome:
    person = _locked(contact_id, version, actor)
    if not person.card.unsubscribed:
        raise Conflict("not_unsubscribed", _("This person is not unsubscribed."))
    said_no = last_no(person)
    if said_no and said_no >= began:
        raise Conflict("unsubscribed_again", _("The person has just said no again. Nothing was changed."))
    document = _checked(evidence, said_no)
    _lift(person)
    record = evidence_store.store(person, evidence, document, actor=actor)
    history.record([contact_id], history.RESUBSCRIBED, actor=actor, changes=evidence_store.changes(record))
    consent = Authorization(AuthorizationType.CONSENT, "", record.consent_date, record.purpose)
    card_changes.authorise(Contact.objects.filter(pk=contact_id), consent, actor=actor)
    SyncNotice.objects.create(contact_id=contact_id, yes=True)
    kick("unsubscribes.push_salesforce")
    return Outcome(changed=1)


def require_reconsent_right(actor: Actor) -> None:
    """Raise unless the actor may remove an unsubscribe now: `Forbidden`, `Conflict` (`page_only`), `SignInAgain`."""
    actor.require("reconsent_people")
    if actor.by_token:
        raise Conflict("page_only", _("Only a signed-in user can remove an unsubscribe, on the page; no token can."))
    actor.require_recent("reconsent_people")


def last_no(person: Contact) -> dt.datetime | None:
    """Return the time of the last opt-out of the person or the address; None if it is not known any more."""
    events = history.of_contact(person.pk).filter(action=history.UNSUBSCRIBED).order_by()
    suppressions = Suppression.objects.filter(address_hash__in=_hashes(person))
    moments = (events.aggregate(at=Max("at"))["at"], suppressions.aggregate(at=Max("said_at"))["at"])
    return max((moment for moment in moments if moment), default=None)


def _clock() -> dt.datetime:
    """Return the database's clock, by which opt-outs are dated. Not now(), which is the start of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: dt.datetime = cursor.fetchone()[0]
        return moment


def _locked(contact_id: int, version: int | None, actor: Actor) -> Contact:
    people = Contact.objects.visible_to(actor).filter(pk=contact_id)
    if not lock_people(people):
        raise Missing
    if version is not None:
        card_changes.check_version(contact_id, version)
    return people.select_related("card").get()


def _checked(evidence: Evidence, said_no: dt.datetime | None) -> Document | None:
    errors = evidence.errors(timezone.localdate(), timezone.localdate(said_no) if said_no else None)
    document = None
    if evidence.document is not None:
        try:
            document = documents.examine(evidence.document)
        except Invalid as refusal:
            errors |= refusal.fields
    if errors:
        raise Invalid(errors)
    return document


def _hashes(person: Contact) -> list[UUID]:
    """Return every hash under which the address may be suppressed, and the stored one, whose key may not be set now."""
    if not person.email_key:
        return []
    return list({*address_hashes(person.email_key), *filter(None, [person.address_hash])})


def _lift(person: Contact) -> None:
    hashes = [str(address_hash) for address_hash in _hashes(person)]
    values: dict[str, Any] = {
        "contact": str(person.pk),
        "addresses": ",".join(hashes),
        "hashes": hashes,
        "id": person.pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(LIFT, values)

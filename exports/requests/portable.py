"""A person's data in a structured, machine-readable format (GDPR art. 20)."""

import json
from typing import Any

from django.db import transaction
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from contacts.events import history
from contacts.models import Contact
from contacts.people.field_registry import DETAILS
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Missing
from unsubscribes.models import ConsentEvidence, Message

FORMAT = "sales-connect-person-1"


@transaction.atomic
def as_json(contact_id: int, *, actor: Actor) -> str:
    """Return a person's data as JSON and record the export. Raises `Forbidden` and `Missing`."""
    actor.require("export_people")
    person = Contact.objects.visible_to(actor).select_related("card").filter(pk=contact_id).first()
    if person is None:
        raise Missing
    history.record([contact_id], history.EXPORTED, actor=actor, changes={"reason": (None, "portability")})
    return json.dumps(_values(person), ensure_ascii=False, indent=2) + "\n"


def _values(person: Contact) -> dict[str, Any]:
    card = person.card
    mails = Message.objects.filter(contact=person, sent_at__isnull=False).order_by("pk")
    return {
        "format": FORMAT,
        "exported_at": timezone.now().isoformat(),
        "person": {name: getattr(person, name) for name in DETAILS} | {"created_at": person.created_at.isoformat()},
        "compliance": {
            "authorization_type": AuthorizationType(card.authorization_type).slug if card.authorization_type else None,
            "authorization_other": card.authorization_other,
            "consent_date": card.consent_date and card.consent_date.isoformat(),
            "consent_purpose": card.consent_purpose,
            "source_type": SourceType(card.source_type).slug if card.source_type else None,
            "source_other": card.source_other,
            "unsubscribed": card.unsubscribed,
        },
        "consents": [
            {
                "date": each.consent_date.isoformat(),
                "channel": each.channel,
                "wording": each.wording,
                "purpose": each.purpose,
            }
            for each in ConsentEvidence.objects.filter(contact=person).order_by("pk")
        ],
        "mails": [
            {"sent_at": each.sent_at and each.sent_at.isoformat(), "subject": each.subject, "text": each.text}
            for each in mails
        ],
    }

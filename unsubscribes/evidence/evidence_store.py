"""Stores the evidence of re-consents, which is never changed, and returns its documents for download."""

from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction

from contacts.events import history
from contacts.models import Contact
from salesconnect.lib import stored_files
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Missing
from unsubscribes.evidence.documents import Document
from unsubscribes.evidence.rules import Evidence
from unsubscribes.models import ConsentEvidence


def store(person: Contact, evidence: Evidence, document: Document | None, *, actor: Actor) -> ConsentEvidence:
    """Store valid evidence. The file is written right before the row, so that no error leaves it behind."""
    record = ConsentEvidence(
        contact=person,
        consent_date=evidence.consent_date,  # type: ignore[misc] # evidence without errors has a date
        channel=evidence.channel,
        wording=evidence.wording.strip(),
        purpose=evidence.purpose.strip(),
        reference=evidence.reference.strip(),
        user_id=actor.user_id,
        actor_name=actor.name,
    )
    if document:
        record.file_name, record.file_kind = document.name, document.kind
        record.size, record.sha256 = len(document.content), document.sha256
        stored_files.save(record.file, "", ContentFile(document.content))
    record.save()
    return record


def changes(record: ConsentEvidence) -> dict[str, tuple[Any, Any]]:
    """Return the values of the event: enough to find the evidence, and to detect whether it was changed."""
    said = {
        "source": "re_consent",
        "evidence": record.pk,
        "consent_date": record.consent_date.isoformat(),
        "channel": record.channel,
        "wording": record.wording,
        "consent_purpose": record.purpose,
        "reference": record.reference,
        "sha256": record.sha256,
    }
    return {name: (None, value) for name, value in said.items() if value}


@transaction.atomic
def for_download(contact_id: int, record_id: int, *, actor: Actor) -> ConsentEvidence:
    """Return the evidence with the document to download, and record an export event. Raises `Missing`."""
    actor.require("export_people")
    people = Contact.objects.visible_to(actor).filter(pk=contact_id)
    record = ConsentEvidence.objects.filter(pk=record_id, contact__in=people).exclude(file="").first()
    if record is None or not record.file.storage.exists(str(record.file.name)):
        raise Missing
    history.record([contact_id], history.EXPORTED, actor=actor, changes={"reason": (None, record.file_name)})
    return record

"""Collects what is held of one person, for the files of the pack and for its printable page."""

import json
from base64 import b64encode
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import FileField, Model
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.source_registry import SourceType
from compliance.verdict.current_verdict import judged
from compliance.verdict.verdict import Verdict
from contacts.events import history
from contacts.models import Contact, ContactEvent, RootTimestamp, Seal, SealedLeaf
from contacts.people.field_registry import DETAILS, FIELDS
from unsubscribes.crm.monitoring.status import records_of
from unsubscribes.mail import queries
from unsubscribes.models import ConsentEvidence, Message, SyncRecord
from unsubscribes.opt_outs import of_person as unsubscribes
from unsubscribes.opt_outs.of_person import PersonOptOut

FORMAT = "salesconnect-person/1"
SCHEMA = Path(__file__).with_name("person.schema.json")
PIECE = 500
# Models with a file of their own in the pack. Rows of every other model that refers to the person go into `other/`.
OWN_FILES = {"compliancecard", "message", "consentevidence"}


@dataclass(frozen=True, slots=True)
class Contents:
    """A person as of now, with everything that belongs to the person."""

    person: Contact
    numbers: list[int]
    verdict: Verdict
    said: list[PersonOptOut]
    evidence: list[ConsentEvidence]
    records: list[SyncRecord]

    @property
    def mails(self) -> Iterator[Message]:
        """Yield the messages to the person, oldest first, read in pieces."""
        after = 0
        while piece := list(self._messages().filter(pk__gt=after).order_by("pk")[:PIECE]):
            yield from piece
            after = piece[-1].pk

    @property
    def events(self) -> Iterator[tuple[ContactEvent, SealedLeaf | None]]:
        """Yield the person's events by id, each with its leaf in a seal, or None if it is not sealed yet."""
        after = 0
        mine = ContactEvent.objects.filter(contact_id__in=self.numbers).order_by("id")
        while piece := list(mine.filter(id__gt=after)[:PIECE]):
            leaves = SealedLeaf.objects.in_bulk([event.id for event in piece])
            yield from ((event, leaves.get(event.id)) for event in piece)
            after = piece[-1].id

    def _messages(self) -> Any:
        return Message.objects.filter(contact=self.person).select_related("link")


def collect(person: Contact) -> Contents:
    return Contents(
        person=person,
        numbers=history.merged_ids([person.pk]),
        verdict=judged(person.card, timezone.now()),
        said=unsubscribes.of_person(person),
        evidence=list(person.evidence.order_by("pk")),
        records=list(records_of(person.pk)),
    )


def schema() -> dict[str, Any]:
    """Return the JSON schema of `person.json`: the file beside this module, completed with the declared fields."""
    described: dict[str, Any] = json.loads(SCHEMA.read_text())
    described["required"] += DETAILS
    described["properties"] |= {field.name: {"type": "string", "title": field.header} for field in FIELDS}
    card = described["properties"]["compliance"]["properties"]
    card["authorization_type"]["enum"] = [*AuthorizationType.slugs(), None]
    card["source_type"]["enum"] = [*SourceType.slugs(), None]
    return described


def record_of(contents: Contents) -> dict[str, Any]:
    person, card = contents.person, contents.person.card
    return {
        "format": FORMAT,
        "id": person.pk,
        **{name: getattr(person, name) for name in DETAILS},
        "owner": str(person.owner) if person.owner else None,
        "created_at": person.created_at,
        "updated_at": card.updated_at,
        "merged_records": [number for number in contents.numbers if number != person.pk],
        "compliance": {
            "authorization_type": AuthorizationType(card.authorization_type).slug if card.authorization_type else None,
            "authorization_other": card.authorization_other,
            "consent_date": card.consent_date,
            "consent_purpose": card.consent_purpose,
            "source_type": SourceType(card.source_type).slug if card.source_type else None,
            "source_other": card.source_other,
            "unsubscribed": card.unsubscribed,
            "restricted_at": card.restricted_at,
            "informed_at": card.informed_at,
            "reviewed_on": card.reviewed_on,
        },
        "verdict": {
            "verdict": contents.verdict.code,
            "reasons": [{"code": reason.code, "text": str(reason.text)} for reason in contents.verdict.reasons],
        },
        "unsubscribes": [_said(entry) for entry in contents.said],
    }


def mail_of(message: Message) -> dict[str, Any]:
    """Return a message as it was sent. The unsubscribe link is masked: whoever has it can use it."""
    text, html = queries.shown(message, with_link=False)
    names = ("email", "subject", "state", "door", "created_at", "sent_at")
    body = {"id": message.pk, "actor": message.actor_name, **{name: getattr(message, name) for name in names}}
    return body | {"reason": message.why} | {"text": text, "html": html}


def record_of_salesforce(record: SyncRecord) -> dict[str, Any]:
    """Return what is known of a record in Salesforce, and each write to it with its result."""
    names = ("sobject", "opted_out", "stamp", "pushed", "pushed_at", "deleted", "synced_at")
    entries = [
        {name: getattr(entry, name) for name in ("desired", "state", "code", "message", "created_at", "finished_at")}
        for entry in record.entries.all()
    ]
    return {"id": record.sf_id, **{name: getattr(record, name) for name in names}, "writes": entries}


def seals_of(numbers: Collection[int]) -> list[dict[str, Any]]:
    """Return the seals with these numbers and their timestamps by an authority (RFC 3161)."""
    stamps: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
    for stamp in RootTimestamp.objects.filter(seal_number__in=numbers).order_by("pk"):
        token = b64encode(bytes(stamp.token)).decode()
        stamps[stamp.seal_number].append({"authority": stamp.authority, "at": stamp.at, "token": token})
    return [
        {
            "seal": seal.number,
            "root": bytes(seal.root).hex(),
            "events": seal.events,
            "sealed_at": seal.sealed_at,
            "timestamps": stamps[seal.number],
        }
        for seal in Seal.objects.filter(pk__in=numbers)
    ]


def others(person: Contact) -> Iterator[tuple[str, list[Any]]]:
    """Yield the remaining rows that refer to a person, by model name."""
    for relation in Contact._meta.related_objects:
        model: type[Model] = relation.related_model
        name = str(model._meta.model_name)
        if name not in OWN_FILES:
            rows = list(model._base_manager.filter(**{relation.field.name: person}).order_by("pk"))
            if rows:
                yield name, rows


def row_of(row: Any) -> dict[str, Any]:
    """Return the columns of a row; for a file, its name."""
    fields = row._meta.concrete_fields
    return {
        field.attname: str(getattr(row, field.attname)) if isinstance(field, FileField) else getattr(row, field.attname)
        for field in fields
    }


def _said(entry: PersonOptOut) -> dict[str, Any]:
    names = ("at", "kind", "source", "reason", "actor")
    return {**{name: getattr(entry, name) for name in names}, "evidence": entry.evidence and entry.evidence.pk}


def has_document(record: ConsentEvidence) -> bool:
    name = record.file.name
    return bool(name and record.file.storage.exists(name))


def document_path(record: ConsentEvidence) -> str:
    return f"files/consent-{record.pk}.{record.file_kind}"

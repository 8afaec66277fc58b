"""Builds the evidence pack: the export is recorded and sealed first, then the members are written to a file."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.template.loader import render_to_string
from django.utils import timezone

from contacts.events import history
from contacts.models import Contact, ContactEvent
from contacts.sealing import sealing
from contacts.sealing.proof import MAX_SEALS, Prover
from exports import verify_proof
from exports.files import csv_column_registry
from exports.files.csv_export import csv_of
from exports.pack.archive import Archive, as_json
from exports.pack.contents import (
    Contents,
    collect,
    document_path,
    has_document,
    mail_of,
    others,
    record_of,
    record_of_salesforce,
    row_of,
    schema,
    seals_of,
)
from exports.pack.printing import PrintedPage
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Missing
from unsubscribes.crm import provider_registry

PageBuilder = Callable[[Contents], PrintedPage]
EventDescriber = Callable[[ContactEvent], str]


@dataclass(frozen=True, slots=True)
class Pack:
    name: str
    file: IO[bytes]


def evidence_pack(
    contact_id: int, *, actor: Actor, words: PageBuilder, describe: EventDescriber, reason: str = ""
) -> Pack:
    """Return all that is held of one person as a zip. The event of this export is recorded, sealed, and in the pack.

    `words` builds the printable page, `describe` turns an event into a sentence. Raises `Missing`.
    """
    actor.require("export_people")
    with transaction.atomic():
        _person(contact_id)
        changes: dict[str, tuple[Any, Any]] = {"pack": (None, True)}
        changes |= {"reason": (None, reason.strip())} if reason.strip() else {}
        history.record([contact_id], history.EXPORTED, actor=actor, changes=changes)
    sealing.seal_open(MAX_SEALS)
    file = tempfile.TemporaryFile(dir=_folder())  # noqa: SIM115 - handed over open
    try:
        # Reads in a transaction go to the primary database; a replica may not have the new event and seal yet.
        with transaction.atomic():
            person = _person(contact_id)
            _fill(Archive(file), collect(person), words, describe)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    name = csv_column_registry.file_name(person.first_name, person.last_name, timezone.localdate(), contact_id)
    return Pack(f"{Path(name).stem}-evidence.zip", file)


def _person(contact_id: int) -> Contact:
    person = Contact.objects.select_related("card", "owner").filter(pk=contact_id).first()
    if person is None:
        raise Missing
    return person


def _fill(pack: Archive, contents: Contents, words: PageBuilder, describe: EventDescriber) -> None:
    # What reads fonts takes half a second to import: every process would, and few make a pack.
    from exports.pack.pdf import pdf  # noqa: PLC0415

    person, page = contents.person, words(contents)
    named = {"person": person, "crm_name": provider_registry.spoken_of()}
    pack.add("README.txt", [render_to_string("exports/pack_readme.txt", named).encode()])
    pack.add_json("person.json", record_of(contents))
    pack.add_json("person.schema.json", schema())
    pack.add("person.csv", [csv_of(person, timezone.now()).encode()])
    pack.add("person.html", [render_to_string("exports/pack_page.html", {"page": page}).encode()])
    pack.add("person.pdf", [pdf(page)])
    pack.add("history.json", _array(_event(event, leaf, describe) for event, leaf in contents.events))
    pack.add_json("consents.json", [row_of(record) for record in contents.evidence])
    pack.add("mails.json", _array(mail_of(message) for message in contents.mails))
    pack.add_json("salesforce.json", [record_of_salesforce(record) for record in contents.records])
    for name, rows in others(person):
        pack.add_json(f"other/{name}.json", [row_of(row) for row in rows])
    for record in contents.evidence:
        if has_document(record):
            pack.add(document_path(record), _pieces(record.file))
    prover, numbers = Prover(), set()
    for event, leaf in contents.events:
        if leaf:
            pack.add_json(f"proofs/{event.id}.json", prover.prove(event, leaf))
            numbers.add(leaf.seal_number)
    pack.add_json("seals.json", seals_of(numbers))
    pack.add("verify_proof.py", [Path(verify_proof.__file__).read_bytes()])
    pack.close()


def _event(event: ContactEvent, leaf: Any, describe: EventDescriber) -> dict[str, Any]:
    names = ("id", "at", "contact_id", "action", "door", "actor_name", "batch_id", "changes")
    sealed = {"seal": leaf.seal_number, "proof": f"proofs/{event.id}.json"} if leaf else {"seal": None, "proof": None}
    return {**{name: getattr(event, name) for name in names}, "text": describe(event), **sealed}


def _array(values: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    first = True
    for value in values:
        yield (b"[\n" if first else b",\n") + as_json(value).rstrip(b"\n")
        first = False
    yield b"[]\n" if first else b"\n]\n"


def _pieces(file: FieldFile) -> Iterator[bytes]:
    with file.open("rb") as opened:
        yield from opened.chunks()


def _folder() -> Path:
    """Return the folder for the unfinished file: in the protected data folder, not in /tmp."""
    folder = settings.DATA_DIR / "packs"
    folder.mkdir(mode=settings.FILE_UPLOAD_DIRECTORY_PERMISSIONS, parents=True, exist_ok=True)
    return Path(folder)

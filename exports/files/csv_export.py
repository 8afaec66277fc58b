"""CSV exports: one person immediately, many people as a batch. Every export is recorded in the history."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import connections, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import recorded_files
from contacts.events import history
from contacts.jobs import batches, engine
from contacts.models import Batch, Contact
from contacts.people.queries import ContactQuerySet
from exports.files import csv_column_registry, postgres_copy
from exports.models import ExportJob
from salesconnect.lib import csv, stored_files
from salesconnect.lib.actor import Actor
from salesconnect.lib.database import replica
from salesconnect.lib.errors import Conflict, Missing
from salesconnect.lib.outcome import Outcome
from salesconnect.lib.stored_files import remove_files_on_failure

KEEP_FILES = dt.timedelta(days=7)
# For fewer people a second connection costs more than it saves. Exports within a request are always smaller.
PARALLEL_FROM = 10_000
ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class ExportedFile:
    name: str
    content: bytes


@transaction.atomic
def export_one(contact_id: int, *, actor: Actor, reason: str = "") -> ExportedFile:
    """Return the CSV of one person: header and one row, UTF-8 with BOM, CRLF (RFC 4180). Raises `Missing`.

    `reason` says what the data is for; it is kept in the person's history.
    """
    actor.require("export_people")
    person = Contact.objects.visible_to(actor).select_related("card").filter(pk=contact_id).first()
    if person is None:
        raise Missing
    changes = {"reason": (None, reason.strip())} if reason.strip() else {}
    history.record([contact_id], history.EXPORTED, actor=actor, changes=changes)
    now = timezone.now()
    name = csv_column_registry.file_name(person.first_name, person.last_name, timezone.localdate(now), contact_id)
    return ExportedFile(name, csv_of(person, now).encode())


def csv_of(person: Contact, now: dt.datetime) -> str:
    columns = csv_column_registry.COLUMNS
    values = {name: getattr(person, name, getattr(person.card, name, None)) for name in (each.key for each in columns)}
    values |= {"exported_at": now}
    lines = csv.line(csv_column_registry.header(columns)) + csv.line(csv_column_registry.cells(values, columns))
    return csv.BOM + lines


@remove_files_on_failure
@transaction.atomic
def order_export(
    contacts: ContactQuerySet,
    *,
    actor: Actor,
    reason: str,
    selection: dict[str, Any] | None = None,
    missing: int = 0,
    approved: int | None = None,
) -> ExportJob:
    """Order the CSV of many people: the person's columns, then the card's. Up to 5,000 people it is ready on return.

    `reason` says what the data is for; it is kept in every person's history. The rest is as in `batches.order`.
    """
    params = {"reason": reason.strip()[:500]}
    batch = batches.order(
        contacts, "export", actor=actor, params=params, selection=selection, missing=missing, approved=approved
    )
    return _job(batch)


def export_chunk(contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
    """Append some chunks to the file.

    The committed size of the file is stored in the transaction that writes the events. Anything beyond that size, left
    by a killed worker, is cut off first, so file and history always agree. For many people the events take as long as
    the rows, so a thread writes the rows at the same time.
    """
    actor.require("export_people")
    recorded_files.await_erasures()
    job = _job(batch)
    reason = batch.params["reason"]
    changes = {"reason": (None, reason)} if reason else {}
    with default_storage.open(str(job.file.name), "r+b") as file:
        for _look in range(ATTEMPTS):
            # Beyond the committed size there may be rows of a killed worker, or of the attempt before.
            file.seek(job.size)
            file.truncate()
            with transaction.atomic():
                with _written(contacts, file) as written:
                    recorded = history.record_found(
                        contacts, history.EXPORTED, actor=actor, batch_id=batch.pk, changes=changes
                    )
                    rows, size = written()
                if rows == recorded:
                    break
                # Somebody was deleted between the two statements, which read separate snapshots. Both are done again.
                transaction.set_rollback(True)
        else:
            raise RuntimeError("rows and events of an export never agreed")
    job.size += size
    job.save(update_fields=["size"])
    return Outcome(changed=rows)


def read_file(job: ExportJob, *, actor: Actor) -> Iterator[bytes]:
    """Yield the file of a finished export. Raises `Conflict`: `not_ready`, or `expired` after seven days."""
    actor.require("export_people")
    if job.batch.state != Batch.State.DONE:
        raise Conflict("not_ready", _("The file is not ready yet."))
    if not job.file:
        raise Conflict("expired", _("The file has been removed; order the export again."))
    try:
        file = default_storage.open(str(job.file.name), "rb")
    except FileNotFoundError:
        raise Conflict("expired", _("The file has been removed; order the export again.")) from None
    return _pieces(file)


def remove_old_files() -> int:
    """Delete the files of exports older than `KEEP_FILES`; return how many."""
    old = ExportJob.objects.filter(batch__created_at__lt=timezone.now() - KEEP_FILES)
    return engine.remove_files(old.exclude(file=""))


@contextmanager
def _written(contacts: ContactQuerySet, file: IO[bytes]) -> Iterator[Callable[[], tuple[int, int]]]:
    """Append the people's rows to `file`; many of them in a thread, while the caller goes on.

    Yields a function that waits for the rows and returns their number and the number of bytes.
    """
    using = replica.caught_up_source()
    ids = list(contacts.values_list("pk", flat=True)) if contacts.numbers is None else contacts.numbers
    if len(ids) < PARALLEL_FROM:
        done = postgres_copy.append(ids, file, using=using)
        yield lambda: done
        return

    def work() -> tuple[int, int]:
        try:
            return postgres_copy.append(ids, file, using=using)
        finally:
            connections[using].close()  # Django opened it for this thread alone

    with ThreadPoolExecutor(max_workers=1) as writer:
        yield writer.submit(work).result


def _pieces(file: File) -> Iterator[bytes]:
    with file:
        yield from file.chunks()


def _job(batch: Batch) -> ExportJob:
    # `of`: the job alone is locked, not its batch, which the job engine updates.
    job = ExportJob.objects.select_for_update(of=("self",)).select_related("batch").filter(batch=batch).first()
    if job is None:
        head = (csv.BOM + csv.line(csv_column_registry.header(csv_column_registry.ALL_COLUMNS))).encode()
        job = ExportJob(batch=batch, size=len(head))
        # The stored name must not tell whose data it is; the download gets a readable name.
        stored_files.save(job.file, "people.csv", ContentFile(head))
        job.save()
    return job

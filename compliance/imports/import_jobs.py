"""A file of people: handed in, previewed, begun, cancelled. What works it off is `working`."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, NamedTuple, cast

from django.core.files import File
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from compliance.card.rules import Authorization, Source
from compliance.imports import optouts
from compliance.imports.mapping import Mapping as Columns
from compliance.imports.mapping import recognise
from compliance.models import ImportJob, ImportReject, ImportSeen
from compliance.suppression import erased
from contacts.jobs import engine
from salesconnect.lib import stored_files
from salesconnect.lib.actor import Actor
from salesconnect.lib.csv import FileRefused, RowError, Table, open_table
from salesconnect.lib.errors import Conflict, Invalid, Missing
from salesconnect.lib.kick import kick
from salesconnect.lib.stored_files import remove_files_on_failure

RESET_FIELDS = ("line", "created", "updated", "unchanged", "rejected", "suppressed", "consents_ended")


OptOutWords = Mapping[str, Sequence[str]]


class OpenQuestions(NamedTuple):
    """Columns that look like consent or opt-out and are left out, and by column the words that may be a "no"."""

    unread: list[str]
    words: dict[str, list[str]]


class CardDefaults(NamedTuple):
    """The card's values for all rows: for people whom the import creates, and for what is not recorded."""

    authorization: Authorization = Authorization()
    source: Source = Source()

    def as_json(self) -> dict[str, Any]:
        """Return the values as a job stores them, by the names of the card's columns."""
        authorization, source = self
        return {
            "authorization_type": authorization.type,
            "authorization_other": authorization.other,
            "consent_date": authorization.consent_date.isoformat() if authorization.consent_date else None,
            "consent_purpose": authorization.consent_purpose,
            "source_type": source.type,
            "source_other": source.other,
        }


@remove_files_on_failure
@transaction.atomic
def start(
    file: File,
    file_name: str,
    *,
    actor: Actor,
    mapping: Mapping[str, str] | None = None,
    card: CardDefaults | None = None,
    ignore: Sequence[str] = (),
    words: OptOutWords | None = None,
    dry_run: bool = False,
) -> ImportJob:
    """Take a file in and begin to read it at once; a dry run counts what would become of its rows.

    `mapping` (header → field, or `""` to leave a column out) stands above what is recognised. `ignore` names columns
    that are left out on purpose though they look like consent or opt-out; `words` (header → words) are those that say
    no in a column of which one cannot be sure. Raises `Forbidden`, `Invalid` for a file that cannot be read (`file`), a
    mapping that does not fit it, or a card against the rules, and `Conflict` (`unread_consent_column`) for such a
    column that is neither mapped nor named.
    """
    job = receive(file, file_name, actor=actor, mapping=mapping, card=card, ignore=ignore, words=words)
    _ask_about_consent(job)
    return begin(job.pk, actor=actor, dry_run=dry_run)


@remove_files_on_failure
@transaction.atomic
def propose(file: File, file_name: str, *, actor: Actor, card: CardDefaults | None = None) -> ImportJob:
    """Take a file in for a preview, also one whose columns a user has to map first. Raises as `start`."""
    job = receive(file, file_name, actor=actor, card=card)
    usable = columns_of(job).usable
    return begin(job.pk, actor=actor, dry_run=True) if usable else job


@remove_files_on_failure
@transaction.atomic
def receive(
    file: File,
    file_name: str,
    *,
    actor: Actor,
    mapping: Mapping[str, str] | None = None,
    card: CardDefaults | None = None,
    ignore: Sequence[str] = (),
    words: OptOutWords | None = None,
) -> ImportJob:
    """Store a file that can be read, without beginning; its columns may still have to be mapped. Raises as `start`."""
    actor.require("import_people")
    table = _open(file)
    _recognised(table.headers, mapping, ignore, words)
    job = ImportJob(
        file_name=file_name[-255:],
        table={"encoding": table.encoding, "delimiter": table.delimiter, "headers": table.headers},
        mapping=dict(mapping or {}),
        ignore=list(ignore),
        opt_out_words=_as_stored(words),
        card=_checked(card).as_json(),
        total=table.total,
        language=(translation.get_language() or "en")[:5],
        **_ordered_by(actor),
    )
    stored_files.save(job.file, "people.csv", file)
    job.save()
    return job


@transaction.atomic
def change(
    job_id: int,
    *,
    actor: Actor,
    mapping: Mapping[str, str],
    card: CardDefaults,
    ignore: Sequence[str] = (),
    words: OptOutWords | None = None,
) -> ImportJob:
    """Read a file that is not being imported yet with another mapping and card: begins a new dry run."""
    actor.require("import_people")
    erased.await_erasures()
    job = _unbegun(job_id)
    _recognised(job.table["headers"], mapping, ignore, words)
    job.mapping, job.card, job.ignore = dict(mapping), _checked(card).as_json(), list(ignore)
    job.opt_out_words = _as_stored(words)
    job.save(update_fields=["mapping", "card", "ignore", "opt_out_words"])
    return begin(job_id, actor=actor, dry_run=True)


@transaction.atomic
def begin(job_id: int, *, actor: Actor, dry_run: bool) -> ImportJob:
    """Read the file from its beginning: for a preview as often as one likes, for good once.

    Raises `Invalid` (`file`) when no column of a name or an address is known, and `Conflict`: `begun`, or for good
    `unread_consent_column`, while a column that looks like consent or opt-out is left out and nobody has said so.
    """
    actor.require("import_people")
    erased.await_erasures()
    job = _unbegun(job_id)
    if not columns_of(job).usable:
        raise Invalid({"file": [_("No column of the file is known as a name or an email address.")]})
    if not dry_run:
        _ask_about_consent(job)
    ImportReject.objects.filter(job=job).delete()
    ImportSeen.objects.filter(job_id=job_id).delete()
    reset = dict.fromkeys(RESET_FIELDS, 0) | _ordered_by(actor)
    for name, value in reset.items():
        setattr(job, name, value)
    job.dry_run, job.state, job.attempt, job.error = dry_run, ImportJob.State.QUEUED, job.attempt + 1, ""
    job.heartbeat_at, job.started_at, job.finished_at = timezone.now(), None, None
    job.save()
    kick("compliance.run_import", job_id)
    return job


@transaction.atomic
def cancel(job_id: int, *, actor: Actor) -> ImportJob:
    """Stop an import after the rows it is at; what came in stays. A file that was only previewed is removed.

    Only who ordered it may, and administrators. `Conflict` (`ended`) when the import has ended already.
    """
    actor.require("import_people")
    job = _locked(job_id)
    proposed = job.dry_run or not job.attempt
    words = None if proposed and job.file else _("This import has already ended.")
    engine.cancel(job, ordered_by=job.user_id, actor=actor, ended=words)
    ImportSeen.objects.filter(job_id=job_id).delete()
    if proposed:
        ImportReject.objects.filter(job=job).delete()
        transaction.on_commit(partial(engine.remove_files, [job]))
    return job


def columns_of(job: ImportJob) -> Columns:
    return _recognised(job.table["headers"], job.mapping, job.ignore, job.opt_out_words)


def questions_of(job: ImportJob) -> OpenQuestions:
    """Return what somebody has to say before the file is imported, from its header and its first rows."""
    columns = columns_of(job)
    if not job.file:
        return OpenQuestions([], {})
    with job.file.open("rb") as file:
        table = Table(cast("BinaryIO", file), total=job.total, **job.table)
        rows = [cells for _line, cells in islice(table, optouts.SAMPLE_ROWS) if not isinstance(cells, RowError)]
    unread = optouts.unread_consent_columns(columns.headers, columns.left_out, rows)
    asked = {index: kind for index, kind in columns.optouts.items() if index not in columns.decided}
    words = optouts.ambiguous_words(asked, rows)
    return OpenQuestions(
        [columns.headers[index] for index in unread], {columns.headers[index]: said for index, said in words.items()}
    )


def _ask_about_consent(job: ImportJob) -> None:
    """Raise `Conflict` when somebody has to say first what a column means, or a word in it."""
    questions = questions_of(job)
    if not (columns := [*questions.unread, *questions.words]):
        return
    if questions.unread:
        text = _("The column “%(name)s” looks like consent or opt-out and would be left out. Map it, or ignore it.")
    else:
        text = _("The column “%(name)s” holds %(words)s. Say which of these words mean that no mail is wanted.")
    said = ", ".join(f"“{each}”" for each in questions.words.get(columns[0], ()))
    raise Conflict(
        "unread_consent_column",
        text % {"name": columns[0], "words": said},
        column=columns[0],
        columns=columns,
        words=questions.words,
    )


def card_of(job: ImportJob) -> CardDefaults:
    return CardDefaults(Authorization.from_values(job.card), Source.from_values(job.card))


def _open(file: File) -> Table:
    try:
        return open_table(cast("BinaryIO", file))
    except FileRefused as refusal:
        raise Invalid({"file": [str(refusal)]}) from None


def _recognised(
    headers: list[str], chosen: Mapping[str, str] | None, ignore: Sequence[str], words: OptOutWords | None
) -> Columns:
    try:
        return recognise(headers, chosen, ignore, words)
    except ValueError as problem:
        raise Invalid({"mapping": [str(problem)]}) from None


def _as_stored(words: OptOutWords | None) -> dict[str, list[str]]:
    return {header: list(said) for header, said in (words or {}).items()}


def _checked(card: CardDefaults | None) -> CardDefaults:
    card = card or CardDefaults()
    if errors := card.authorization.errors(timezone.localdate()) | card.source.errors():
        raise Invalid(errors)
    return card


def _ordered_by(actor: Actor) -> dict[str, Any]:
    return {"user_id": actor.user_id, "actor_name": actor.name, "door": actor.door}


def _locked(job_id: int) -> ImportJob:
    job = ImportJob.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        raise Missing
    return job


def _unbegun(job_id: int) -> ImportJob:
    job = _locked(job_id)
    if job.attempt and not job.dry_run:
        raise Conflict("begun", _("This file is being imported already."))
    if not job.file:
        raise Conflict("removed", _("The file was removed after a month. Choose it once more."))
    if job.state == ImportJob.State.CANCELLED:
        raise Conflict("ended", _("This import was cancelled. Choose the file once more."))
    return job

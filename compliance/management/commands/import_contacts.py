"""Import a file of people from the command line."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.management.base import BaseCommand
from django.urls import reverse

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.imports import import_jobs, working
from compliance.imports.cell_values import consent_date
from compliance.imports.import_jobs import CardDefaults
from compliance.imports.rejects import first_rejects
from compliance.models import ImportJob
from contacts.jobs.batches import user_actor
from contacts.models import User
from salesconnect.lib.actor import Actor, Forbidden, system
from salesconnect.lib.errors import Conflict, Invalid

POLL_SECONDS = 0.5
SHOWN_REJECTS = 10


class Command(BaseCommand):
    """Read a CSV file here and now: progress on stderr, the summary on stdout.

    Exit code 0 when every row is accounted for, rejected ones too; 1 when the file is refused or the import breaks off.
    """

    help = "Import people from a CSV file. Every row ends as created, updated, unchanged or rejected with its reason."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--authorization-type", choices=AuthorizationType.slugs())
        parser.add_argument("--authorization-other", default="", metavar="TEXT", help="describes the type other")
        parser.add_argument("--consent-date", metavar="YYYY-MM-DD", help="with the type consent")
        parser.add_argument("--consent-purpose", default="", metavar="TEXT", help="with the type consent")
        parser.add_argument("--source-type", choices=SourceType.slugs(), help="import unless the file says otherwise")
        parser.add_argument("--source-other", default="", metavar="TEXT", help="describes the type other")
        parser.add_argument("--map", action="append", default=[], metavar="COLUMN=FIELD", help="may be repeated")
        parser.add_argument("--user", metavar="NAME", help="the user who imports; the system itself by default")
        parser.add_argument(
            "--ignore",
            action="append",
            default=[],
            metavar="COLUMN",
            help="leave a column out on purpose that looks like consent or opt-out",
        )
        parser.add_argument(
            "--opt-out-words",
            action="append",
            default=[],
            metavar="COLUMN=WORD,…",
            help="which words of a column say no, where one cannot be sure; none: COLUMN=",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count what would become of the rows")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            actor = _actor(options["user"])
            with options["file"].open("rb") as file:
                job = import_jobs.start(
                    File(file),
                    options["file"].name,
                    actor=actor,
                    mapping=dict(pair.rpartition("=")[::2] for pair in options["map"]),
                    card=_card(options),
                    ignore=options["ignore"],
                    words=dict(_words(pair) for pair in options["opt_out_words"]),
                    dry_run=options["dry_run"],
                )
            self._work_off(job, actor)
        except Invalid as refusal:
            self._refuse(" ".join(text for texts in refusal.fields.values() for text in texts))
        except Conflict as refusal:
            self._refuse(f"{refusal.message} (--ignore COLUMN, --opt-out-words COLUMN=WORD,…)")
        except OSError as error:
            self._refuse(f"{options['file']} cannot be read: {error.strerror}.")
        except Forbidden:
            self._refuse(f"{options['user']} has no right to import.")
        self._report(job)

    def _work_off(self, job: ImportJob, actor: Actor) -> None:
        try:
            while not job.ended:
                working.run(job.pk, progress=self._show)
                job.refresh_from_db()
                if not job.ended:  # a worker was faster and has it
                    time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            import_jobs.cancel(job.pk, actor=actor)
            self._refuse("Cancelled. What came in stays.")

    def _show(self, done: int, total: int) -> None:
        start, end = ("\r", "" if done < total else "\n") if self.stderr.isatty() else ("", "\n")
        self.stderr.write(f"{start}{done:,} of {total:,} rows", ending=end)

    def _report(self, job: ImportJob) -> None:
        if job.state != ImportJob.State.DONE:
            self._refuse(job.error or "The import was cancelled.")
        names = ("total", "created", "updated", "unchanged", "rejected", "suppressed", "consents_ended")
        self.stdout.write("\n".join(f"{name.replace('_', ' ')}: {getattr(job, name)}" for name in names))
        for reject in first_rejects(job, SHOWN_REJECTS):
            self.stderr.write(f"line {reject.line}: {reject.reason}")
        if job.rejected:
            self.stderr.write(f"Correct the rejected rows: {settings.SITE_URL}{reverse('import', args=[job.pk])}")
        if job.rejected == job.total:
            sys.exit(1)

    def _refuse(self, message: str) -> None:
        self.stderr.write(message)
        sys.exit(1)


def _actor(name: str | None) -> Actor:
    if name is None:
        return system("command")
    user = User.objects.filter(username=name).first()
    if user is None:
        raise Invalid({"user": [f"There is no user {name}."]})
    return user_actor(user, "command")


def _words(pair: str) -> tuple[str, list[str]]:
    column, _equals, words = pair.rpartition("=")
    return column, [word for word in words.split(",") if word.strip()]


def _card(options: dict[str, Any]) -> CardDefaults:
    try:
        date = consent_date(options["consent_date"] or "")
    except ValueError as problem:
        raise Invalid({"consent_date": [str(problem)]}) from None
    kind, source = options["authorization_type"], options["source_type"]
    values = options | {
        "authorization_type": AuthorizationType.from_slug(kind) if kind else None,
        "source_type": SourceType.from_slug(source) if source else None,
        "consent_date": date,
    }
    return CardDefaults(Authorization.from_values(values), Source.from_values(values))

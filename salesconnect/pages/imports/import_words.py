"""Texts about an import: the format of the file, the time left, and the link to the created people."""

import datetime as dt

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from compliance.imports import headers, import_jobs
from compliance.models import ImportJob

ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}


def reading(job: ImportJob) -> list[str]:
    """Return the origin of the file, and its encoding and delimiter."""
    origins = {
        headers.OURS: _("Sales Connect export"),
        headers.SALESFORCE: _("Salesforce report"),
        headers.HUBSPOT: _("HubSpot export"),
        headers.GOOGLE: _("Google Contacts"),
        headers.OUTLOOK: _("Outlook contacts"),
    }
    delimiters = {",": _("comma"), ";": _("semicolon"), "\t": _("tab")}
    encoding = ENCODINGS.get(job.table["encoding"], "UTF-16")
    return [
        origins.get(import_jobs.columns_of(job).origin, _("CSV file")),
        _("%(encoding)s, separated by %(delimiter)s")
        % {"encoding": encoding, "delimiter": delimiters[job.table["delimiter"]]},
    ]


def remaining(job: ImportJob) -> str:
    """Return the estimated time left in words; empty before the first rows are done."""
    if job.ended or not (job.done and job.started_at):
        return ""
    now = timezone.now()
    left = (now - job.started_at) / job.done * (job.total - job.done)
    return timesince(now, now + left, depth=1) if left > dt.timedelta(minutes=1) else _("less than a minute")


def people_url(job: ImportJob) -> str:
    """Return the URL that lists the people created by an import, found by the time in which it ran."""
    if job.dry_run or not (job.created and job.started_at and job.finished_at):
        return ""
    span = {"created_after": job.started_at.isoformat(), "created_before": job.finished_at.isoformat()}
    return f"{reverse('people')}?{urlencode(span)}"

"""The pages of an import: upload, column mapping with preview, progress, result."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.imports import import_jobs, rejects
from compliance.imports.preview import preview
from compliance.models import ImportJob
from exports.files.csv_column_registry import content_disposition
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Conflict, Invalid, Missing
from salesconnect.pages.imports.forms import ColumnsForm, FileForm, card_initial, columns_initial
from salesconnect.pages.imports.import_words import people_url, reading, remaining

LATEST = 5
SHOWN_REJECTS = 10
STATUS = "import-status"


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Upload a file with the card for all its rows, and go on to the preview."""
    actor = page_actor(request)
    actor.require("import_people")
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            return redirect("import", import_jobs.propose(file, file.name, actor=actor, card=form.card()).pk)
        except Invalid as refusal:
            form.add_rule_errors(refusal.fields)
    latest = ImportJob.objects.order_by("-pk")[:LATEST]
    status = 422 if request.method == "POST" else 200
    return render(request, "imports/import_new.html", {"form": form, "latest": latest}, status=status)


@require_http_methods(["GET", "POST"])
def show(request: SignedInRequest, job_id: int) -> HttpResponse:
    """Show the preview of an import before it begins, its progress or its result; POST changes or starts it."""
    actor, job = page_actor(request), _find(job_id)
    actor.require("view_people")
    if request.method == "POST":
        return _decide(request, job)
    if request.htmx.target == STATUS:
        return render(request, "imports/_import_status.html", _status(job))
    if _is_proposal(job):
        return _proposal(request, job, _columns_form(job))
    return render(request, "imports/import.html", _status(job))


@require_POST
def cancel(request: SignedInRequest, job_id: int) -> HttpResponse:
    """Stop an import, keeping what is imported; or discard a file that was only previewed."""
    job = import_jobs.cancel(job_id, actor=page_actor(request))
    if job.dry_run or not job.attempt:
        messages.success(request, _("%(file)s was removed. Nothing was imported.") % {"file": job.file_name})
        return redirect("import-people")
    return redirect("import", job_id)


@require_safe
def rejected(request: SignedInRequest, job_id: int) -> StreamingHttpResponse:
    page_actor(request).require("view_people")
    job = _find(job_id)
    # Rejected rows are personal data.
    headers = {"Content-Disposition": content_disposition(rejects.file_name(job)), "Cache-Control": "no-store"}
    return StreamingHttpResponse(rejects.rejected_file(job), content_type="text/csv; charset=utf-8", headers=headers)


def _decide(request: SignedInRequest, job: ImportJob) -> HttpResponse:
    """Start the import as previewed. If the form has changed, store the change and show the new preview instead."""
    actor = page_actor(request)
    actor.require("import_people")
    form = _columns_form(job, request.POST)
    if not form.is_valid():
        return _proposal(request, job, form, status=422)
    try:
        if "start" in request.POST and not form.has_changed():
            import_jobs.begin(job.pk, actor=actor, dry_run=False)
        else:
            import_jobs.change(
                job.pk,
                actor=actor,
                mapping=form.mapping(),
                card=form.card(),
                ignore=form.ignored(job.ignore),
                words=form.words(job.opt_out_words),
            )
            if "start" in request.POST:
                messages.info(request, _("You changed how the file is read. Look at the new preview, then start."))
    except Invalid as refusal:
        for texts in refusal.fields.values():
            form.add_error(None, texts)
        return _proposal(request, job, form, status=422)
    except Conflict as refusal:
        if refusal.code != "unread_consent_column":
            raise
        form.add_error(None, str(refusal.message))
        return _proposal(request, job, form, status=422)
    return redirect("import", job.pk)


def _columns_form(job: ImportJob, data: Any = None) -> ColumnsForm:
    initial = columns_initial(import_jobs.columns_of(job).columns) | card_initial(import_jobs.card_of(job))
    unread, words = _questions(job)
    return ColumnsForm(data, initial=initial, headers=job.table["headers"], unread=unread, words=words)


def _questions(job: ImportJob) -> import_jobs.OpenQuestions:
    try:
        return import_jobs.questions_of(job)
    except (OSError, UnicodeError):
        return import_jobs.OpenQuestions([], {})  # the preview says that the file is gone


def _proposal(request: SignedInRequest, job: ImportJob, form: ColumnsForm, status: int = 200) -> HttpResponse:
    seen, columns = preview(job), import_jobs.columns_of(job)
    examples = [
        (form[name], seen.examples[int(name.removeprefix("column_"))]) for name in form.columns if seen.examples
    ]
    context = {
        "form": form,
        "seen": seen,
        "read": [(field, example) for field, example in examples if field.value()],
        "left_out": [(field, example) for field, example in examples if not field.value()],
        "reading": reading(job),
        "optouts": [columns.headers[index] for index in columns.optouts],
    }
    return render(request, "imports/import_preview.html", context | _status(job), status=status)


def _status(job: ImportJob) -> dict[str, Any]:
    return {
        "job": job,
        "open": bool(job.attempt) and not job.ended,
        "remaining": remaining(job),
        "rejects": rejects.first_rejects(job, SHOWN_REJECTS) if job.ended else [],
        "people_url": people_url(job),
    }


def _is_proposal(job: ImportJob) -> bool:
    gone = job.state in (ImportJob.State.FAILED, ImportJob.State.CANCELLED)
    return not gone and bool(job.file) and (job.dry_run or not job.attempt)


def _find(job_id: int) -> ImportJob:
    job = ImportJob.objects.filter(pk=job_id).first()
    if job is None:
        raise Missing
    return job

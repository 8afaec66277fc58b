"""The Tasks page and the running tasks in the top bar."""

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from contacts.jobs import batches, bulk_undo
from contacts.models import Batch
from exports.files import csv_export
from exports.files.csv_column_registry import content_disposition
from exports.models import ExportJob
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Missing
from salesconnect.pages.tasks import task_list
from salesconnect.pages.tasks.announcements import announce

SHOWN = "shown_tasks"


@require_safe
def tasks(request: SignedInRequest) -> HttpResponse:
    page_actor(request).require("view_people")
    return render(request, "tasks/tasks.html", task_list.page(request.GET.get("before", "")))


@require_safe
def task(request: SignedInRequest, batch_id: int) -> HttpResponse:
    """Show the progress or result of a bulk change; htmx polls only the part that changes."""
    page_actor(request).require("view_people")
    alone = request.htmx.target == "task"
    context = task_list.details(_find(batch_id))
    return render(request, "tasks/_task.html" if alone else "tasks/task.html", context)


@require_safe
def running(request: SignedInRequest) -> HttpResponse:
    """Show the user's running tasks in the top bar, with a toast when one of them has ended.

    The session remembers which were shown, so the toast also appears on a later page.
    """
    shown = request.session.get(SHOWN, [])
    going_on = task_list.running(request.user)
    over = task_list.ended(request.user, shown)
    # A response carries one toast; the other ended tasks stay in the session for the next poll.
    waiting = [task.key for task in (*going_on, *over[1:])]
    if waiting != shown:
        request.session[SHOWN] = waiting
    response = render(request, "tasks/_running.html", {"tasks": going_on, "waiting": waiting})
    return announce(response, over[0]) if over else response


@require_POST
def undo(request: SignedInRequest, batch_id: int) -> HttpResponse:
    batch = bulk_undo.undo(_find(batch_id), actor=page_actor(request))
    return announce(HttpResponse(status=204), task_list.of_batch(batch)) if request.htmx else redirect("task", batch.pk)


@require_POST
def approve(request: SignedInRequest, batch_id: int) -> HttpResponse:
    """Approve a batch that waits for a second administrator."""
    batch = batches.approve(_find(batch_id).pk, actor=page_actor(request))
    return redirect("task", batch.pk)


@require_POST
def cancel(request: SignedInRequest, batch_id: int) -> HttpResponse:
    """Stop a bulk change; what it has changed stays changed."""
    batch = batches.cancel(_find(batch_id).pk, actor=page_actor(request))
    if not request.htmx:
        return redirect("task", batch.pk)
    return trigger_client_event(announce(HttpResponse(status=204), task_list.of_batch(batch)), "tasks-changed", {})


@require_safe
def refused(request: SignedInRequest, batch_id: int) -> HttpResponse:
    page_actor(request).require("view_people")
    context = task_list.refusals(_find(batch_id), request.GET.get("cursor"))
    return render(request, "tasks/task_refused.html", context)


@require_safe
def file(request: SignedInRequest, batch_id: int) -> HttpResponse | StreamingHttpResponse:
    job = ExportJob.objects.select_related("batch").filter(batch_id=batch_id).first()
    if job is None:
        raise Missing
    pieces = csv_export.read_file(job, actor=page_actor(request))
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition(
        f"people-{timezone.localdate(job.batch.created_at)}.csv"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _find(batch_id: int) -> Batch:
    batch = Batch.objects.filter(pk=batch_id).select_related("undoes", "export").first()
    if batch is None:
        raise Missing
    return batch

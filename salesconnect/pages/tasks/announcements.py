"""htmx responses about tasks: a toast, and events that make the page follow the task or reload its list."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django_htmx.http import trigger_client_event

from contacts.models.batch import State
from salesconnect.lib.web.htmx import toast
from salesconnect.pages.tasks.task_list import Task

LEVELS = {State.DONE: "success", State.FAILED: "error"}


def announce(response: HttpResponse, task: Task) -> HttpResponse:
    """Add a toast about the task, and the event that makes the page follow it, or reload the list once it has ended."""
    url, text = (task.file_url, _("Download")) if task.file_url else (task.url, _("Show details"))
    level = LEVELS.get(State(task.state), "info")
    toast(response, task.result, level=level, undo_url=task.undo_url, link_url=url, link_text=text)
    if task.kind == "delete":
        trigger_client_event(response, "selection-clear", {})
    return trigger_client_event(response, "tasks-changed" if task.is_open else "people-changed", {})

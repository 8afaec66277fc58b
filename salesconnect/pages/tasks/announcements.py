"""What a page is told of a task that it has ordered or watched: a toast, and to show the people anew."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django_htmx.http import trigger_client_event

from contacts.models.batch import State
from salesconnect.lib.web.htmx import toast
from salesconnect.pages.tasks.task_list import Task

LEVELS = {State.DONE: "success", State.FAILED: "error"}


def announce(response: HttpResponse, task: Task) -> HttpResponse:
    """Let the page say how the task stands, and follow it or show the people anew."""
    url, text = (task.file_url, _("Download")) if task.file_url else (task.url, _("Show details"))
    level = LEVELS.get(State(task.state), "info")
    toast(response, task.result, level=level, undo_url=task.undo_url, link_url=url, link_text=text)
    if task.kind == "delete":
        trigger_client_event(response, "selection-clear", {})
    return trigger_client_event(response, "tasks-changed" if task.is_open else "people-changed", {})

"""Answers to htmx: what a script-run page shows beside the swapped part."""

from django.http import HttpResponse
from django_htmx.http import trigger_client_event


def toast(response: HttpResponse, message: str, *, level: str = "success", **links: str) -> HttpResponse:
    """Let the page show `message` as a toast; `links` are `undo_url`, `link_url` and `link_text`.

    `level` is success, info, warning or error.
    """
    given = {name: value for name, value in links.items() if value}
    return trigger_client_event(response, "toast", {"message": message, "level": level, **given})


def close_dialog(response: HttpResponse) -> HttpResponse:
    return trigger_client_event(response, "dialog-close", {})

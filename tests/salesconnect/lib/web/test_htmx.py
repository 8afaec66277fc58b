"""What an answer to htmx tells the page beside the swapped part."""

import json

from django.http import HttpResponse

from salesconnect.lib.web.htmx import close_dialog, toast


def test_a_toast_names_only_the_links_it_has():
    response = toast(HttpResponse(), "Saved.", undo_url="/undo/", link_url="")
    assert json.loads(response["HX-Trigger"]) == {
        "toast": {"message": "Saved.", "level": "success", "undo_url": "/undo/"}
    }


def test_closing_the_dialog_and_a_toast_go_together():
    response = close_dialog(toast(HttpResponse(), "Gone.", level="warning"))
    assert json.loads(response["HX-Trigger"]) == {
        "toast": {"message": "Gone.", "level": "warning"},
        "dialog-close": {},
    }

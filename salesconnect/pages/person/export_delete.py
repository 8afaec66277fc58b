"""Exporting and deleting one person."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from contacts.models import Contact
from exports.erasure import erasure
from exports.files import csv_export
from exports.files.csv_column_registry import content_disposition
from salesconnect.common import subject_request_words
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Restricted
from salesconnect.pages.bulk.forms import OnRequestForm
from salesconnect.pages.person.person_page import find


@require_POST
def export(request: SignedInRequest, contact_id: int) -> HttpResponse:
    """Download one person as CSV. POST, because it is recorded in the history."""
    file = csv_export.export_one(contact_id, actor=page_actor(request))
    response = HttpResponse(file.content, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition(file.name)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "POST"])
def delete(request: SignedInRequest, contact_id: int) -> HttpResponse:
    actor = page_actor(request)
    actor.require("delete_people")
    person = find(contact_id, actor)
    if request.method == "GET":
        report = erasure.report_of(contact_id)
        context = {
            "person": person,
            "report": report,
            "goes": subject_request_words.goes(report),
            "form": OnRequestForm(),
        }
        context["title"] = _("Delete %(name)s?") % {"name": person}
        return render(request, "person/delete.html", context)
    form = OnRequestForm(request.POST)
    why = erasure.ON_REQUEST if form.is_valid() and form.cleaned_data["on_request"] else ""
    if erasure.delete(Contact.objects.filter(pk=contact_id), actor=actor, why=why).refused:
        raise Restricted
    # Without the name: the message is stored in the session until a page shows it, after the person is erased.
    messages.success(request, _("The person was deleted."))
    # htmx would follow a plain redirect itself and swap the list into the dialog.
    people = reverse("people")
    return HttpResponseClientRedirect(people) if request.htmx else redirect(people)

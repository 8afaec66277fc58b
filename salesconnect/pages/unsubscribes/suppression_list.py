"""Importing a list of addresses that must not be mailed, and its result."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from exports.files.csv_column_registry import content_disposition
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib import csv
from salesconnect.lib.csv import FileRefused
from salesconnect.lib.errors import Missing
from unsubscribes.models import SuppressionList
from unsubscribes.opt_outs import address_list

SIZE_LIMIT = 10 << 20
"""Bytes. A file is imported while the browser waits; the management command takes larger ones."""
SHOWN_REJECTS = 20
LATEST = 10


class ListForm(forms.Form):
    use_required_attribute = False

    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput({"accept": ".csv,.txt,text/csv,text/plain"}),
        help_text=_("A CSV with a column of addresses, or a list with one address on each line; at most 10 MB."),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > SIZE_LIMIT:
            raise forms.ValidationError(_t("The file is larger than 10 MB; an operator can import it by a command."))
        return file


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require("import_suppressions")
    form = ListForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            return redirect("suppression-file", address_list.take(file.file, file.name, actor=actor).pk)
        except FileRefused as refusal:
            form.add_error("file", str(refusal))
    latest = SuppressionList.objects.order_by("-pk")[:LATEST]
    context = {"form": form, "latest": latest}
    return render(request, "unsubscribes/suppression_import.html", context, status=422 if form.errors else 200)


@require_GET
def result(request: SignedInRequest, list_id: int) -> HttpResponse:
    taken = _taken(request, list_id)
    context = {"taken": taken, "rejects": taken.rejects[:SHOWN_REJECTS]}
    return render(request, "unsubscribes/suppression_list.html", context)


@require_GET
def rejected(request: SignedInRequest, list_id: int) -> HttpResponse:
    """Download the numbers of the invalid lines with the reasons; the lines themselves are not stored."""
    taken = _taken(request, list_id)
    lines = csv.BOM + csv.line(("Line", "Reason")) + "".join(csv.line(reject) for reject in taken.rejects)
    response = HttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition(f"{taken.file_name.rpartition('.')[0]}-invalid.csv")
    return response


def _taken(request: SignedInRequest, list_id: int) -> SuppressionList:
    page_actor(request).require("import_suppressions")
    taken = SuppressionList.objects.filter(pk=list_id).first()
    if taken is None:
        raise Missing
    return taken

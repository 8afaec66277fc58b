"""The record of processing activities as page, JSON and CSV, and the form for the team's texts."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from exports.files.csv_column_registry import content_disposition
from exports.overview import processing
from exports.overview.models import ProcessingTexts
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib import csv


class TextsForm(forms.ModelForm):
    use_required_attribute = False

    class Meta:
        model = ProcessingTexts
        fields = processing.TEXTS
        widgets = {name: forms.Textarea({"rows": 3}) for name in processing.TEXTS}
        help_texts = {
            "purposes": _("What you use people’s data for; the legal bases and recorded purposes are filled in."),
            "transfers": _("Say so when there are none."),
            "measures": _("Such as backups, encryption of disks, access to the premises."),
        }


@require_safe
def record(request: SignedInRequest) -> HttpResponse:
    sections = processing.record(actor=page_actor(request))
    context = {
        "sections": sections,
        "gaps": processing.gaps(sections),
        "texts": processing.texts(),
        "now": timezone.now(),
    }
    return render(request, "compliance/processing.html", context)


@require_safe
def as_json(request: SignedInRequest) -> HttpResponse:
    sections = processing.record(actor=page_actor(request))
    body = {
        "as_of": timezone.now().isoformat(),
        "missing": processing.gaps(sections),
        "sections": processing.body(sections),
    }
    response = JsonResponse(body, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response.headers["Content-Disposition"] = content_disposition(f"record-{timezone.localdate()}.json")
    return response


@require_safe
def as_csv(request: SignedInRequest) -> HttpResponse:
    rows = [("Article", "Section", "Said by", "Text")]
    for section in processing.record(actor=page_actor(request)):
        for who, lines in (("system", section.facts), ("team", section.own), ("missing", section.missing)):
            rows += [(f"30(1)({section.letter})", section.title, who, line) for line in lines]
    response = HttpResponse(csv.BOM + "".join(map(csv.line, rows)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = content_disposition(f"record-{timezone.localdate()}.csv")
    return response


@require_http_methods(["GET", "POST"])
def settings(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require("edit_team")
    form = TextsForm(request.POST or None, instance=processing.texts())
    if request.method == "POST" and form.is_valid():
        processing.change(form.cleaned_data, actor=actor)
        messages.success(request, _t("Saved."))
        return redirect("processing")
    context = {"form": form}
    return render(request, "compliance/processing_settings.html", context, status=422 if form.errors else 200)

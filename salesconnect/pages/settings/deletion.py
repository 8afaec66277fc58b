"""The deletion settings."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from exports.erasure import deletion_settings
from exports.models import DeletionSettings
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Invalid
from unsubscribes.crm import provider_registry


class SettingsForm(forms.ModelForm):
    class Meta:
        model = DeletionSettings
        fields = list(deletion_settings.FIELDS)
        help_texts = {
            "approval_above": gettext_lazy("Empty: nobody has to approve a deletion."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = _(
            "As a code that cannot be read back. Meanwhile imports, %(crm)s and programs do not bring the "
            "person back, and who creates the person by hand is asked. It counts for erasures from now on."
        )
        self.fields["erased_months"].help_text = words % {"crm": provider_registry.spoken_of()}


@require_http_methods(["GET", "POST"])
def settings(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require("edit_retention")
    form = SettingsForm(request.POST or None, instance=deletion_settings.current())
    if request.method == "POST" and form.is_valid():
        try:
            deletion_settings.change(form.cleaned_data, actor=actor)
            messages.success(request, _("Saved."))
            return redirect("deletion-settings")
        except Invalid as refusal:
            for name, texts in refusal.fields.items():
                form.add_error(name if name in form.fields else None, texts)
    status = 422 if form.errors else 200
    return render(request, "settings/deletion_settings.html", {"form": form}, status=status)

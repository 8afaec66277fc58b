"""The proof settings: seals, where their roots are published, and the last verification."""

from django import forms
from django.contrib import messages
from django.db.models import Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from contacts.models import RootPlaces, Seal
from contacts.sealing import destinations, published, verification
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Invalid


class PlacesForm(forms.ModelForm):
    webhook_url = forms.URLField(
        label=gettext_lazy("Webhook"),
        help_text=gettext_lazy("Each root separately, as signed JSON over https."),
        required=False,
        assume_scheme="https",
    )
    timestamp_url = forms.URLField(
        label=gettext_lazy("Timestamp authority (RFC 3161)"),
        help_text=gettext_lazy("The newest root once an hour; the signed timestamp is kept here."),
        required=False,
        assume_scheme="https",
    )

    class Meta:
        model = RootPlaces
        fields = ["mail_to", "webhook_url", "timestamp_url"]
        help_texts = {"mail_to": gettext_lazy("The newest root once a day.")}


@require_http_methods(["GET", "POST"])
def page(request: SignedInRequest) -> HttpResponse:
    """Show seals and verification; administrators also set where roots are published."""
    actor = page_actor(request)
    actor.require("verify_history" if request.method == "GET" else "edit_team")
    form = PlacesForm(request.POST or None, instance=destinations.current())
    if request.method == "POST" and form.is_valid():
        try:
            destinations.change(form.cleaned_data, actor=actor)
            messages.success(request, _("Saved."))
            return redirect("seals")
        except Invalid as refusal:
            for name, problems in refusal.fields.items():
                form.add_error(name, problems)
    return render(request, "settings/seals.html", _context(form), status=422 if form.errors else 200)


@require_POST
def verify(request: SignedInRequest) -> HttpResponse:
    verification.order(actor=page_actor(request))
    messages.success(request, _("The history is being verified. Reload this page to see how far it is."))
    return redirect("seals")


def _context(form: PlacesForm) -> dict[str, object]:
    webhook, newest = destinations.current().webhook_url, Seal.objects.order_by("-number").first()
    return {
        "form": form,
        "newest": newest,
        "root": bytes(newest.root).hex() if newest else "",
        "events": Seal.objects.aggregate(number=Sum("events"))["number"] or 0,
        "file": published.file(),
        "last": verification.last(),
        "running": verification.running(),
        "standing": destinations.destinations(),
        "secret": destinations.secret(webhook) if webhook else "",
    }

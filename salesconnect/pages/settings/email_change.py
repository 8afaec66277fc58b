"""Changing the user's own address: a link is sent to the new address, which confirms it."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from contacts.accounts import email_change
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Conflict, Invalid


class EmailForm(forms.Form):
    email = forms.EmailField(
        label=gettext_lazy("New email"),
        help_text=gettext_lazy(
            "A link is sent there. The address changes when you open it, and the old address is notified."
        ),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )


@require_http_methods(["GET", "POST"])
def propose(request: SignedInRequest) -> HttpResponse:
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        try:
            email_change.propose(request.user.pk, email, actor=page_actor(request))
            words = _("A link was sent to %(email)s. Open it there to make the change.")
            messages.success(request, words % {"email": email})
            return redirect("profile")
        except Invalid as refusal:
            form.add_error("email", refusal.fields["email"])
        except Conflict as refusal:
            form.add_error(None, refusal.message)
    context = {"form": form, "title": _("Change email"), "present": request.user.email}
    return render(request, "settings/email_change.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def confirm(request: SignedInRequest, token: str) -> HttpResponse:
    """Confirm the address of a link. GET only asks, because mail scanners open every link."""
    actor = page_actor(request)
    if request.method == "POST":
        user = email_change.confirm(token, actor=actor)
        messages.success(request, _("Your address is now %(email)s.") % {"email": user.email})
        if not user.old_address_told:
            messages.warning(request, email_change.old_address_notice())
        return redirect("profile")
    context = {"title": _("Confirm your new address"), "email": email_change.read(token, actor=actor)}
    return render(request, "settings/email_confirm.html", context)

"""The dialog that unsubscribes one person by hand."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.pages.person.card_forms import OptOutForm
from salesconnect.pages.person.person_page import Toast, done, find


@require_http_methods(["GET", "POST"])
def unsubscribe(request: SignedInRequest, contact_id: int) -> HttpResponse:
    """Ask for confirmation and an optional reason, then unsubscribe the person."""
    actor = page_actor(request)
    actor.require("unsubscribe_people")
    person = find(contact_id, actor)
    form = OptOutForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"person": person, "form": form, "title": _("Unsubscribe %(name)s?") % {"name": person}}
        return render(request, "person/unsubscribe.html", context, status=422 if form.is_bound else 200)
    people, reason = Contact.objects.filter(pk=contact_id), form.cleaned_data["reason"]
    outcome = suppression.unsubscribe(people, actor=actor, source=Suppression.Source.MANUAL, reason=reason)
    if outcome.changed:
        return done(request, contact_id, Toast(_("%(name)s gets no more mail.") % {"name": person}))
    return done(request, contact_id, Toast(_("%(name)s was unsubscribed already.") % {"name": person}, "info"))

"""The dialog that restricts the processing of one person, or lifts the restriction."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from compliance.review import restriction as acts
from contacts.models import Contact
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.pages.person.card_forms import RestrictionForm
from salesconnect.pages.person.person_page import Toast, done, find


@require_http_methods(["GET", "POST"])
def restriction(request: SignedInRequest, contact_id: int) -> HttpResponse:
    """Ask, then restrict or lift. The form says which of the two the user saw, whatever others did meanwhile."""
    actor = page_actor(request)
    actor.require("restrict_people")
    person = find(contact_id, actor)
    form = RestrictionForm(request.POST or None, initial={"lifts": person.card.restricted_at is not None})
    if not form.is_valid():
        title = _("Lift the restriction of %(name)s?") if form.lifting else _("Restrict the processing of %(name)s?")
        context = {"person": person, "form": form, "title": title % {"name": person}}
        return render(request, "person/restriction.html", context, status=422 if form.is_bound else 200)
    people, reason = Contact.objects.filter(pk=contact_id), form.cleaned_data["reason"]
    if form.lifting:
        acts.lift(people, reason, actor=actor)
        return done(request, contact_id, Toast(_("The restriction of %(name)s is lifted.") % {"name": person}))
    acts.restrict(people, reason, actor=actor)
    return done(request, contact_id, Toast(_("Processing of %(name)s is restricted.") % {"name": person}))

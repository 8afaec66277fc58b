"""The page to add a person by hand: details and compliance card in one form."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from compliance.card.creation import create_person
from compliance.card.rules import NOT_RECORDED
from compliance.card.source_registry import SourceType
from compliance.card.staging import NewPerson
from contacts.models import Contact
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Conflict, Invalid
from salesconnect.pages.person.card_forms import CardForm
from salesconnect.pages.person.forms import DetailsForm, focus_first
from salesconnect.pages.person.history.edits import show_beside

BY_HAND = {"authorization_type": NOT_RECORDED, "source_type": SourceType.MANUAL_UPLOAD.slug}


@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """Create a person, owned by the user. If the address is taken, the error links to the person who has it."""
    actor = page_actor(request)
    actor.require("create_people")
    details, card = DetailsForm(request.POST or None), CardForm(request.POST or None, initial=BY_HAND)
    if details.is_valid() and card.is_valid():
        person = NewPerson(details.details(), card.to_authorization(), card.to_source())
        try:
            again = details.takes_in_erased()
            made = create_person(person, actor=actor, owner_id=actor.user_id, although_erased=again)
            return _created(request, made)
        except (Invalid, Conflict) as refusal:
            show_beside(details, refusal)
    context = {"details": details, "card": card}
    if request.method == "POST":
        return render(request, "person/person_new.html", context, status=422)
    focus_first(details)
    return render(request, "person/person_new.html", context)


def _created(request: SignedInRequest, person: Contact) -> HttpResponse:
    messages.success(request, _("%(name)s was created.") % {"name": person})
    if person.card.unsubscribed:
        messages.warning(request, _("The address had said no to mail before, so this person is unsubscribed."))
    return redirect("person", person.pk)

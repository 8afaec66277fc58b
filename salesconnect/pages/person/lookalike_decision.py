"""The decision that a person with a look-alike address is not the one who unsubscribed."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from compliance.suppression.lookalikes import tell_apart
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.pages.person.person_page import Toast, done, find


@require_POST
def not_the_same(request: SignedInRequest, contact_id: int) -> HttpResponse:
    actor = page_actor(request)
    actor.require("edit_people")
    person = find(contact_id, actor)
    tell_apart(contact_id, actor=actor)
    return done(request, contact_id, Toast(_("%(name)s counts as another person.") % {"name": person}))

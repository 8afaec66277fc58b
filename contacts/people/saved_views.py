"""Views of the People page that a user has named."""

from django.db import transaction
from django.utils.translation import gettext as _

from contacts.models import SavedView
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Invalid, Missing

NAME_LIMIT = 60
MAX_VIEWS = 50


@transaction.atomic
def save(name: str, query: str, *, actor: Actor) -> SavedView:
    """Keep a query string under a name of the actor's own; the same name again replaces what it meant.

    Raises `Invalid` for a name that is empty or too long, or when there are 50 views already.
    """
    actor.require("view_people")
    name = " ".join(name.split())
    user_id = actor.user_id or 0
    if not 0 < len(name) <= NAME_LIMIT:
        raise Invalid({"name": [_("Give a name of 1 to %(limit)d characters.") % {"limit": NAME_LIMIT}]})
    if SavedView.objects.filter(user_id=user_id).exclude(name=name).count() >= MAX_VIEWS:
        raise Invalid({"name": [_("You have %(most)d views; delete one first.") % {"most": MAX_VIEWS}]})
    view, _created = SavedView.objects.update_or_create(user_id=user_id, name=name, defaults={"query": query})
    return view


def delete(view_id: int, *, actor: Actor) -> str:
    """Delete a view of the actor's own; returns its name. Raises `Missing`."""
    actor.require("view_people")
    view = SavedView.objects.filter(user_id=actor.user_id or 0, pk=view_id).first()
    if view is None:
        raise Missing
    view.delete()
    return view.name

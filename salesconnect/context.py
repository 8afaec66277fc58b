"""What every page's template knows: where one can go, what one may do, how it looks."""

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from salesconnect.lib.actor import EVERYTHING, RIGHTS


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return navigation, rights and theme for the shell around every page."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"nav": [], "can": {}, "theme": "auto"}
    rights = RIGHTS.get(user.role, frozenset())
    return {"nav": _navigation(request), "can": {right: right in rights for right in EVERYTHING}, "theme": user.theme}


def _navigation(request: HttpRequest) -> list[dict[str, Any]]:
    rooms = (
        ("people", _("People"), "users"),
        ("unsubscribes", _("Unsubscribes"), "mail-off"),
        ("mails", _("Mail"), "mail"),
        ("tasks", _("Tasks"), "list-check"),
        ("settings", _("Settings"), "settings"),
    )
    items = []
    for name, label, icon in rooms:
        try:
            url = reverse(name)
        except NoReverseMatch:
            continue
        items.append({"url": url, "label": label, "icon": icon, "current": request.path.startswith(url)})
    return items

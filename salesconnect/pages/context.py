"""The context processor: navigation, rights and theme for every template."""

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from salesconnect.lib.role_registry import ALL_RIGHTS, RIGHTS
from unsubscribes.crm import provider_registry
from unsubscribes.mail.sending.backends import has_server


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return navigation, rights, theme, and `base_template`: the dialog if htmx loads a form into one, else a page."""
    user = getattr(request, "user", None)
    in_dialog = request.headers.get("HX-Target") == "dialog-root"
    base: dict[str, Any] = {"base_template": "base_dialog.html" if in_dialog else "base_form.html"}
    base["mail_leaves"] = has_server()
    # Looked up by pages that name it, once for each.
    base["crm_name"] = SimpleLazyObject(provider_registry.spoken_of)
    base["crm_objects"] = SimpleLazyObject(lambda: provider_registry.shown().sobjects)
    if user is None or not user.is_authenticated:
        return base | {"nav": [], "can": {}, "theme": "auto"}
    rights = {right: right in RIGHTS.get(user.role, frozenset()) for right in ALL_RIGHTS}
    shown = {"nav": _navigation(request), "can": rights, "theme": user.theme}
    return base | shown | {"running_tasks_url": reverse("running-tasks")}


def _navigation(request: HttpRequest) -> list[dict[str, Any]]:
    sections = (
        ("people", _("People"), "users"),
        ("unsubscribes", _("Unsubscribes"), "mail-off"),
        ("mails", _("Mail"), "mail"),
        ("sync", _("Sync"), "refresh"),
        ("compliance", _("Compliance"), "shield-check"),
        ("requests", _("Requests"), "clipboard-list"),
        ("tasks", _("Tasks"), "list-check"),
        ("settings", _("Settings"), "settings"),
    )
    items = []
    for name, label, icon in sections:
        try:
            url = reverse(name)
        except NoReverseMatch:
            continue
        items.append({"url": url, "label": label, "icon": icon, "current": request.path.startswith(url)})
    return items

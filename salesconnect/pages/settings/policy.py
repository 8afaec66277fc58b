"""The policy page: what each reason does, and all earlier versions."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from compliance.models import Policy
from compliance.verdict import policy
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Invalid
from salesconnect.pages.person.card_forms import PolicyForm


@require_http_methods(["GET", "POST"])
def page(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require("edit_policy")
    form = PolicyForm(request.POST or None, instance=policy.current())
    if form.is_bound and form.is_valid():
        try:
            changed = policy.change(form.cleaned_data, actor=actor).changed
            messages.success(request, _("The policy is applied.") if changed else _("Nothing was changed."))
            return redirect("policy")
        except Invalid as refusal:
            form.add_errors(refusal.fields)
    versions = [_version(version) for version in policy.versions()]
    context = {"form": form, "versions": versions}
    return render(request, "settings/policy.html", context, status=422 if form.errors else 200)


def _version(version: Policy) -> dict[str, Any]:
    """Return who made a version, when, and what it changed, in words."""
    before: Policy = version.before  # type: ignore[attr-defined] # set by `policy.versions`
    changes = [
        _("%(field)s: from “%(old)s” to “%(new)s”")
        % {
            "field": PolicyForm.base_fields[name].label,
            "old": _value(before, name),
            "new": _value(version, name),
        }
        for name in policy.differences(before, version)
    ]
    return {"actor": version.actor_name, "since": version.since, "changes": changes}


def _value(version: Policy, name: str) -> str:
    display = getattr(version, f"get_{name}_display", None)
    return str(display() if display else getattr(version, name))

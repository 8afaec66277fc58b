"""The retention settings: the rules, the people listed by each, and starting a run."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import NOT_RECORDED
from compliance.card.source_registry import SourceType
from contacts.models import Batch
from exports.models import RetentionRule
from exports.retention import retention, retention_rules
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import SortKey
from salesconnect.lib.errors import Invalid
from salesconnect.lib.web.paging import neighbours

PAGE_SIZE = 50
ANY = ("", gettext_lazy("Any"))
NONE = (NOT_RECORDED, gettext_lazy("Not recorded"))


class RuleForm(forms.ModelForm):
    source_type = forms.ChoiceField(
        label=gettext_lazy("Source"), required=False, choices=[ANY, *((s.slug, s.label) for s in SourceType), NONE]
    )
    authorization_type = forms.ChoiceField(
        label=gettext_lazy("Authorization"),
        required=False,
        choices=[ANY, *((a.slug, a.label) for a in AuthorizationType), NONE],
    )

    class Meta:
        model = RetentionRule
        fields = list(retention_rules.FIELDS)
        labels = {"age_months": gettext_lazy("Keep for (months)")}
        help_texts = {
            "inactive_months": gettext_lazy(
                "The person clicked nothing, gave no consent, asked for nothing and said nothing about mail. "
                "Your own mail and edits do not count."
            )
        }


@require_safe
def rules(request: SignedInRequest) -> HttpResponse:
    page_actor(request).require("view_people")
    counts = retention.counts()
    context = {
        "rules": [(rule, words(rule), counts.get(rule.pk, (0, 0))) for rule in RetentionRule.objects.all()],
        "runs": Batch.objects.filter(kind=retention.KIND).order_by("-pk")[:5],
    }
    return render(request, "settings/retention.html", context)


@require_http_methods(["GET", "POST"])
def rule(request: SignedInRequest, rule_id: int | None = None) -> HttpResponse:
    actor = page_actor(request)
    actor.require("edit_retention")
    row = retention_rules.find(rule_id, actor=actor) if rule_id else None
    form = RuleForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        try:
            retention_rules.save(form.cleaned_data, actor=actor, rule_id=rule_id)
            messages.success(request, _("Saved."))
            return redirect("retention")
        except Invalid as refusal:
            for name, texts in refusal.fields.items():
                form.add_error(name, texts)
    context = {"form": form, "rule": row, "title": row.name if row else _("New rule")}
    return render(request, "settings/retention_rule.html", context, status=422 if form.errors else 200)


@require_POST
def remove(request: SignedInRequest, rule_id: int) -> HttpResponse:
    name = retention_rules.remove(rule_id, actor=page_actor(request))
    messages.success(request, _("The rule “%(name)s” is removed.") % {"name": name})
    return redirect("retention")


@require_safe
def people(request: SignedInRequest, rule_id: int) -> HttpResponse:
    found = retention_rules.find(rule_id, actor=page_actor(request))
    page = keyset.page(
        retention.cases_of(found),
        [SortKey("id")],
        cursor=request.GET.get("cursor"),
        size=PAGE_SIZE,
        values=lambda case: (case.pk,),
    )
    context = {"rule": found, "words": words(found), "cases": page.rows, **neighbours(page, {})}
    return render(request, "settings/retention_people.html", context)


@require_http_methods(["GET", "POST"])
def run(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require("edit_retention")
    if request.method == "POST":
        batch = retention.run(actor=actor).batch
        if batch and batch.state == batch.State.WAITING:
            messages.warning(request, _("The people are listed. Their erasure waits for a second administrator."))
        else:
            messages.success(request, _("The rules are applied."))
        return redirect("task", batch.pk) if batch and batch.total else redirect("retention")
    context = {"run": retention.run(actor=actor, dry_run=True), "title": _("Apply the rules now?")}
    return render(request, "settings/retention_run.html", context)


def words(rule: RetentionRule) -> str:
    parts = []
    if rule.source_type:
        parts.append(_("Source: %(words)s") % {"words": _label(SourceType, rule.source_type)})
    if rule.authorization_type:
        parts.append(_("Authorization: %(words)s") % {"words": _label(AuthorizationType, rule.authorization_type)})
    if rule.age_months:
        age = {"n": rule.age_months, "since": rule.get_age_since_display()}
        parts.append(_("%(n)d months %(since)s") % age)
    if rule.inactive_months:
        parts.append(_("inactive for %(n)d months") % {"n": rule.inactive_months})
    return capfirst(" · ".join(parts))


def _label(kind: Any, slug: str) -> str:
    return _("Not recorded") if slug == NOT_RECORDED else str(kind.from_slug(slug).label)

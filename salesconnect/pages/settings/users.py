"""The settings index, and the users that an administrator manages."""

from typing import NamedTuple

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from contacts.accounts import email_change, users
from contacts.models import User
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Invalid, Missing
from salesconnect.lib.role_registry import ROLE_DESCRIPTIONS
from unsubscribes.crm import provider_registry


class UserForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["username", "email", "role"]


class AccountForm(forms.ModelForm):
    is_active = forms.BooleanField(label=gettext_lazy("Account is open"), required=False)

    class Meta:
        model = User
        fields = ["email", "role", "is_active"]
        help_texts = {"email": gettext_lazy("Used to reset a forgotten password. The old address is notified.")}


class SettingsSection(NamedTuple):
    name: str
    icon: str
    label: str
    text: str


@require_GET
def index(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    sections = [
        SettingsSection(
            "profile", "user", _("Your profile"), _("Name, language, looks, password, two-step sign-in, tokens.")
        )
    ]
    if actor.may("verify_history"):
        sections.append(
            SettingsSection("seals", "shield-check", _("Proof"), _("Tamper-evident history: seals and verification."))
        )
    if actor.may("manage_users"):
        sections.append(SettingsSection("users", "users", _("Users"), _("Who can sign in, and their roles.")))
    sections.append(
        SettingsSection("retention", "archive", _("Retention"), _("How long data is kept before it is erased."))
    )
    if actor.may("edit_retention"):
        words = _("How long an erased address is remembered, and who approves the deletion of many.")
        sections.append(SettingsSection("deletion-settings", "trash", _("Deletion"), words))
    if actor.may("edit_team"):
        sections.append(SettingsSection("mail-settings", "mail", _("Mail"), _("Sender name and unsubscribe footer.")))
    if actor.may("edit_policy"):
        sections.append(SettingsSection("policy", "gavel", _("Policy"), _("When mail is blocked, held or allowed.")))
    if actor.may("manage_salesforce"):
        sections.append(
            SettingsSection(
                "salesforce-settings",
                "cloud",
                provider_registry.spoken_of(),
                _("The connection that syncs unsubscribes."),
            )
        )
    if actor.may("edit_team"):
        words = _("Controller, purposes, transfers: what the system cannot know.")
        sections.append(SettingsSection("processing-settings", "certificate", _("Record of processing"), words))
    return render(request, "settings/settings.html", {"sections": sections})


@require_http_methods(["GET", "POST"])
def people_who_sign_in(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require("manage_users")
    form, made = UserForm(request.POST if request.method == "POST" else None), None
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = users.create(data["username"], data["role"], email=data["email"], actor=actor)
            form = UserForm()
        except Invalid as refusal:
            for field, texts in refusal.fields.items():
                form.add_error(field if field in form.fields else None, texts)
    everybody = User.objects.order_by("-is_active", "username")
    context = {
        "form": form,
        "made": made,
        "accounts": everybody,
        "role_descriptions": ROLE_DESCRIPTIONS.values(),
    }
    return render(request, "settings/users.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def account(request: SignedInRequest, user_id: int) -> HttpResponse:
    actor = page_actor(request)
    actor.require("manage_users")
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise Missing
    title = str(user)
    form = AccountForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            changed = users.change(
                user_id, role=data["role"], active=data["is_active"], email=data["email"], actor=actor
            )
            messages.success(request, _("Saved."))
            if not changed.old_address_told:
                messages.warning(request, email_change.old_address_notice())
            return redirect("users")
        except Invalid as refusal:
            for field, texts in refusal.fields.items():
                form.add_error(field, texts)
    context = {"form": form, "title": title, "account": user}
    return render(request, "settings/user.html", context, status=422 if form.errors else 200)

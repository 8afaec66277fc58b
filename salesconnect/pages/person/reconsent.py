"""Removing a person's unsubscribe after a new consent, and downloading the evidence."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from compliance.card.rules import TEXT_LIMIT
from contacts.models import Contact
from salesconnect.common.attachments import attachment
from salesconnect.common.sign_in import confirm_password, signed_in_recently
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Conflict, Invalid, Stale
from salesconnect.lib.web.date_fields import DayField
from salesconnect.pages.mail.forms import show_errors
from salesconnect.pages.person.person_page import find
from unsubscribes.evidence import evidence_store
from unsubscribes.evidence.reconsent import last_no, reconsent
from unsubscribes.evidence.rules import LEAST_REFERENCE, WORDING_LIMIT, Channel, Evidence
from unsubscribes.opt_outs import of_person


class ReconsentForm(forms.Form):
    """The evidence of a new consent, and the person's address (or name) typed as confirmation."""

    use_required_attribute = False

    consent_date = DayField(
        label=_("Date of the new consent"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    channel = forms.ChoiceField(
        label=_("How it was given"), choices=[("", _("Choose…")), *Channel.choices], required=False
    )
    wording = forms.CharField(
        label=_("Words agreed to"),
        required=False,
        widget=forms.Textarea({"rows": 3, "maxlength": WORDING_LIMIT}),
        help_text=_("Word for word, as the person read or heard them."),
    )
    purpose = forms.CharField(
        label=_("Purpose of Processing"),
        required=False,
        widget=forms.TextInput({"maxlength": TEXT_LIMIT, "autocomplete": "off"}),
    )
    evidence_file = forms.FileField(
        label=_("Document"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput({"accept": ".pdf,.png,.jpg,.jpeg,.eml,.txt"}),
        help_text=_("PDF, PNG, JPEG, EML or TXT, at most 10 MB."),
    )
    evidence_reference = forms.CharField(
        label=_("Reference"),
        required=False,
        widget=forms.TextInput({"maxlength": TEXT_LIMIT, "autocomplete": "off"}),
    )
    confirmation = forms.CharField(required=False, widget=forms.TextInput({"autocomplete": "off"}))
    password = forms.CharField(
        label=_("Your password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        help_text=_("You signed in more than ten minutes ago; show that it is still you."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, request: SignedInRequest, person: Contact) -> None:
        data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
        super().__init__(data, files, initial={"version": person.card.version})
        self.request = request
        if signed_in_recently(request):
            del self.fields["password"]
        self.wanted = person.email or str(person)
        moment = last_no(person)
        self.last_no = timezone.localdate(moment) if moment else None
        self.fields["consent_date"].widget.attrs["max"] = timezone.localdate().isoformat()
        self.fields["evidence_reference"].help_text = _t(
            "Without a document: where the proof is kept, in at least %(least)d characters."
        ) % {"least": LEAST_REFERENCE}
        self.fields["confirmation"].label = _t("Type %(words)s to confirm") % {"words": self.wanted}

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip().casefold() != self.wanted.casefold():
            raise forms.ValidationError(_t("These are not the words above."))
        return typed

    def clean_password(self) -> str:
        """Check the user's password; wrong ones are throttled like failed sign-ins."""
        if not self.cleaned_data["password"]:
            raise forms.ValidationError(_t("Give your password."))
        confirm_password(self.request, self.cleaned_data["password"])
        return ""

    def clean(self) -> dict[str, Any]:
        """Show all rule errors at once; the service checks the rules again."""
        super().clean()
        # A correct password has made the sign-in recent, so the form need not ask again if other fields are wrong.
        if "password" in self.cleaned_data:
            del self.fields["password"]
        show_errors(self, self.to_evidence().errors(timezone.localdate(), self.last_no))
        return self.cleaned_data

    def to_evidence(self) -> Evidence:
        values = self.cleaned_data
        return Evidence(
            values.get("consent_date"),
            values.get("channel", ""),
            values.get("wording", ""),
            values.get("purpose", ""),
            values.get("evidence_reference", ""),
            values.get("evidence_file"),
        )

    def renew(self, version: int) -> None:
        """Report that the person was changed meanwhile; the form now carries the new version and can be sent again."""
        self.data = {**self.data.dict(), "version": version}  # type: ignore[attr-defined] # what was posted
        self.add_error(None, _t("Something happened to this person meanwhile, and nothing was changed. Look again."))


@require_http_methods(["GET", "POST"])
def page(request: SignedInRequest, contact_id: int) -> HttpResponse:
    """Show the person's opt-outs and opt-ins, ask for the new consent, and remove the unsubscribe."""
    actor = page_actor(request)
    actor.require("reconsent_people")
    person, status = find(contact_id, actor), 422
    form = ReconsentForm(request, person)
    try:
        if form.is_valid():
            # A new actor, because the password has just made the sign-in recent.
            actor = page_actor(request)
            reconsent(contact_id, form.to_evidence(), actor=actor, version=form.cleaned_data["version"])
            messages.success(request, _t("The unsubscribe of %(name)s is removed.") % {"name": person})
            return redirect("person", contact_id)
    except Invalid as refusal:
        show_errors(form, refusal.fields)
    except Stale as refusal:
        # What happened meanwhile may be another "no", so the user must look again before sending.
        form.renew(refusal.current)
        status = 412
    return _show(request, find(contact_id, actor), form, status if form.is_bound else 200)


@require_POST
def document(request: SignedInRequest, contact_id: int, record_id: int) -> FileResponse:
    """Download the document of a piece of evidence. POST, because it is recorded.

    It is never displayed within the site, because it is an uploaded file.
    """
    record = evidence_store.for_download(contact_id, record_id, actor=page_actor(request))
    return attachment(record)


def _show(request: SignedInRequest, person: Contact, form: ReconsentForm, status: int) -> HttpResponse:
    if not person.card.unsubscribed:
        raise Conflict("not_unsubscribed", _t("This person is not unsubscribed."))
    context = {"person": person, "form": form, "said": of_person.of_person(person)}
    return render(request, "person/reconsent.html", context, status=status)

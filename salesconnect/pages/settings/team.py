"""The mail settings: sender, footer and templates."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Invalid
from salesconnect.pages.mail.forms import TeamForm, show_errors
from unsubscribes.mail import informing_mail, mailing, team
from unsubscribes.mail.sending import server
from unsubscribes.models import MailTemplate


@require_http_methods(["GET", "POST"])
def settings(request: SignedInRequest) -> HttpResponse:
    actor = page_actor(request)
    actor.require("edit_team")
    form = TeamForm(request.POST or None, instance=team.current())
    if request.method == "POST" and form.is_valid():
        try:
            team.change(form.cleaned_data, actor=actor)
            messages.success(request, _("Saved."))
            return redirect("mail-settings")
        except Invalid as refusal:
            show_errors(form, refusal.fields)
    context = {"form": form, "templates": MailTemplate.objects.all(), "mail_server": server.status()}
    return render(request, "settings/team.html", context, status=422 if form.errors else 200)


@require_POST
def notice_template(request: SignedInRequest, template_id: int) -> HttpResponse:
    """Set whether a template is used for art. 14 notices."""
    informs = request.POST.get("informs") == "true"
    informing_mail.use(template_id, informs=informs, actor=page_actor(request))
    told = (
        _("This template is now used for art. 14 notices.")
        if informs
        else _("This template is no longer used for art. 14 notices.")
    )
    messages.success(request, told)
    return redirect("mail-settings")


@require_POST
def remove_template(request: SignedInRequest, template_id: int) -> HttpResponse:
    mailing.remove_template(template_id, actor=page_actor(request))
    messages.success(request, _("The template is deleted."))
    return redirect("mails")

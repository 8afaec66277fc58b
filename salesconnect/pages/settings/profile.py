"""The user's profile: name, language, theme, sign-in, and API tokens."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import i18n
from django.views.decorators.http import require_http_methods, require_POST

from contacts.accounts import tokens
from contacts.accounts.preferences import prefer
from contacts.models import ApiToken, User
from salesconnect.common.typed_requests import SignedInRequest, page_actor
from salesconnect.lib.errors import Invalid, Missing


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["first_name", "last_name", "language", "theme", "shortcuts"]
        labels = {"shortcuts": gettext_lazy("Single-key shortcuts")}
        help_texts = {"shortcuts": gettext_lazy("Keys such as j, k and x work without Ctrl. Press ? for all of them.")}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        language = self.fields["language"]
        language.choices = [("", gettext_lazy("As the browser")), *settings.LANGUAGES]  # type: ignore[attr-defined]


class ThemeForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ["theme"]


class TokenForm(forms.ModelForm):
    class Meta:
        model = ApiToken
        fields = ["name"]
        labels = {"name": gettext_lazy("What is it for?")}


@require_http_methods(["GET", "POST"])
def profile(request: SignedInRequest) -> HttpResponse:
    stored = User.objects.get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, instance=stored)
    if form.is_valid():
        prefer(request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return _with_language(redirect("profile"), request.user.language)
    return _page(request, form=form)


@require_POST
def new_token(request: SignedInRequest) -> HttpResponse:
    page_actor(request).require_recent("view_people")
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, token_form=form)
    return _page(request, token=tokens.make(request.user, form.cleaned_data["name"]))


@require_POST
def revoke_token(request: SignedInRequest, token_id: int) -> HttpResponse:
    if not tokens.revoke(request.user, token_id):
        raise Missing
    messages.success(request, _("The token no longer opens anything."))
    return redirect("profile")


@require_POST
def preferences(request: SignedInRequest) -> HttpResponse:
    """Store the theme chosen in the top bar, and return to the page."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        raise Invalid(form.errors)  # type: ignore[arg-type] # lists of messages all the same
    prefer(request.user, theme=form.cleaned_data["theme"])
    following = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(following, {request.get_host()}, require_https=request.is_secure()):
        following = "/"
    return HttpResponseRedirect(following)  # `redirect` could take user input for the name of a URL pattern


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Set Django's language cookie, and store the language for a signed-in user."""
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and chosen in dict(settings.LANGUAGES):
        prefer(request.user, language=chosen)
    return i18n.set_language(request)


def _page(
    request: SignedInRequest,
    *,
    form: ProfileForm | None = None,
    token_form: TokenForm | None = None,
    token: str = "",
) -> HttpResponse:
    shown = form or ProfileForm(instance=request.user)
    token_form = token_form or TokenForm()
    context = {"form": shown, "token_form": token_form, "tokens": request.user.tokens.order_by("-pk"), "token": token}
    status = 422 if shown.errors or token_form.errors else 200
    response = render(request, "settings/profile.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"  # the page may show a new token
    return response


def _with_language(response: HttpResponse, language: str) -> HttpResponse:
    """Set the language cookie, so that the sign-in page has the same language."""
    if language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            samesite="Lax",
        )
    return response

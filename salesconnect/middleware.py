"""Our middleware: caching, time limits, language, input checks, error pages, and public unsubscribe links."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.common import CommonMiddleware
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _

from salesconnect.common.sign_in import sign_in_again
from salesconnect.lib.database.limits import StatementLimits
from salesconnect.lib.errors import Conflict, Forbidden, Invalid, Missing, Restricted, SignInAgain, Stale
from salesconnect.lib.web.parsing import is_storable
from salesconnect.pages.public import unsubscribe
from unsubscribes.links import tokens


class NotStored:
    """Sets `no-store` on responses without a `Cache-Control` of their own, such as static files have."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class TimeLimits:
    """Limits how long a request may wait for the database; beyond that it is answered with 503."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with StatementLimits(**settings.SITE_LIMITS).left().held():
            return self.get_response(request)


class UserLanguage:
    """Activates the language: the user's choice, else that of the cookie or the browser, else English."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "") if hasattr(request, "user") else ""
        language = chosen or translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


class StorableTexts:
    """Refuses texts that PostgreSQL cannot store (NUL, lone surrogates) in path, query and form, with 400.

    The API checks its own input and answers in JSON. Cookies with such texts are not ours and are dropped.
    """

    API = "/api/"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for name, value in list(request.COOKIES.items()):
            if not is_storable(value):
                del request.COOKIES[name]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> HttpResponse | None:
        if request.path_info.startswith(self.API):
            return None
        # Webhooks, exempt from CSRF, read the body themselves; parsing a form here can make the raw body unavailable.
        form = {} if getattr(view, "csrf_exempt", False) else request.POST
        if all(map(is_storable, [request.path_info, *_texts(request.GET), *_texts(form)])):
            return None
        words = _("The request contains characters that cannot be stored: NUL or half of a surrogate pair.")
        return render(request, "400.html", {"messages_list": [words]}, status=400)


def _texts(fields: QueryDict | dict[str, Any]) -> Iterator[str]:
    if isinstance(fields, QueryDict):
        for name, values in fields.lists():
            yield from (name, *map(str, values))


class DomainErrors:
    """Turns exceptions of services into error pages: 400, 403, 404, 409, 412 and 423."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Render the error page, or ask for the password again; None for any other exception."""
        if isinstance(exception, SignInAgain):
            return sign_in_again(request)
        answer: tuple[str, int, dict[str, Any]] | None = None
        match exception:
            case Forbidden():
                answer = "403.html", 403, {}
            case Missing():
                answer = "404.html", 404, {}
            case Conflict():
                answer = "409.html", 409, {"message": exception.message}
            case Restricted():
                message = _("Processing of this person is restricted: the data can be read, and nothing else.")
                answer = "409.html", 423, {"message": message}
            case Stale():
                message = _("Somebody changed this person meanwhile. Nothing was overwritten; look at the new version.")
                answer = "409.html", 412, {"message": message}
            case Invalid():
                messages = [message for messages in exception.fields.values() for message in messages]
                answer = "400.html", 400, {"messages_list": messages}
        if answer is None:
            return None
        template, status, context = answer
        return render(request, template, context, status=status)


class PublicLinks:
    """Answers unsubscribe links (/u/…) ahead of sessions and sign-in, so that no cookie is read or set.

    Everything after /u/ is a token, possibly damaged. Mail programs drop the final slash, double the first one, or
    change the case, so all of these are accepted.
    """

    PREFIX = re.compile(r"/+u/", re.IGNORECASE)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        localized: Any = UserLanguage(convert_exception_to_response(self._answer))  # type: ignore[arg-type] # none waits
        self.answer: Any = convert_exception_to_response(CommonMiddleware(localized))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self.PREFIX.match(request.path_info):
            return self.get_response(request)
        request.META.pop("HTTP_COOKIE", None)
        response: HttpResponse = self.answer(request)
        for name, value in unsubscribe.HEADERS.items():
            response.headers[name] = value
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        return unsubscribe.unsubscribe(request, tokens.salvaged(self.PREFIX.sub("", request.path_info, count=1)))

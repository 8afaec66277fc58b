"""Webhooks on which mail providers report deliveries. Reports are authenticated by the provider's signature."""

import logging
from collections.abc import Callable
from typing import Any

from anymail.exceptions import AnymailConfigurationError, AnymailError
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from salesconnect.lib.database import failures
from unsubscribes.reports import reports

# What django-anymail's parsers raise for a body of unexpected shape, signed or not.
UNREADABLE = (
    AnymailConfigurationError,
    AnymailError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
logger = logging.getLogger(__name__)


@csrf_exempt
@login_not_required
@require_http_methods(["POST", "HEAD"])
def webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """Take a provider's reports: 404 if the provider is not configured, 400 for unsigned or unreadable reports.

    Some providers check the URL with HEAD before they use it.
    """
    receiver = _receiver(provider)
    if request.method == "POST":
        try:
            receiver.run_validators(request)
            events = _read(receiver, request)
        except UNREADABLE as problem:
            if failures.classify(problem):
                raise  # a full disk is our problem; after a 5xx the provider sends the report again
            logger.warning("%s sent a report that cannot be read", receiver.esp_name)
            return HttpResponse(status=400)
        outcome = reports.take(provider, events, label=receiver.esp_name)
        logger.info("%s reported; %d addresses are newly suppressed", receiver.esp_name, outcome.changed)
    return HttpResponse()


def _read(receiver: Any, request: HttpRequest) -> list[Any]:
    """Return the events of a report without unreadable ones, so that other opt-outs are not lost; raise if none is."""
    broken: list[Exception] = []

    def careful(read: Callable[..., Any], instead: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(*given: Any) -> Any:
            try:
                return read(*given)
            except UNREADABLE as problem:
                if failures.classify(problem):
                    raise
                broken.append(problem)
                return instead(*given)

        return attempt

    # anymail's parsers call these for each event of a list; SparkPost's events are wrapped.
    if hasattr(receiver, "esp_to_anymail_event"):
        receiver.esp_to_anymail_event = careful(receiver.esp_to_anymail_event, lambda *_given: None)
    if hasattr(receiver, "unwrap_event"):
        receiver.unwrap_event = careful(receiver.unwrap_event, lambda event: (None, None, event))
    events = [event for event in receiver.parse_events(request) if event is not None]
    if broken and not events:
        raise broken[0]
    if broken:
        logger.warning("%s sent %d events that cannot be read among others", receiver.esp_name, len(broken))
    return events


def _receiver(provider: str) -> Any:
    """Return anymail's view for the provider, which checks signatures. Without a secret to check it is a 404."""
    if provider not in reports.MAIL_PROVIDERS:
        raise Http404
    kind = import_string(f"anymail.webhooks.{reports.MAIL_PROVIDERS[provider].receiver}")
    if kind.warn_if_no_basic_auth and not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    try:
        return kind()
    except AnymailConfigurationError:
        raise Http404 from None

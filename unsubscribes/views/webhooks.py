"""Where mail providers report what became of mail. The signature of the provider is the authority."""

import logging
from typing import Any

from anymail.exceptions import AnymailConfigurationError
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from unsubscribes import reports

logger = logging.getLogger(__name__)


@csrf_exempt
@login_not_required
@require_http_methods(["POST", "HEAD"])
def webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """Take a provider's reports: 404 where it is not configured, 400 for what it has not signed or cannot be read.

    Some providers look with HEAD whether the address answers before they use it.
    """
    receiver = _receiver(provider)
    if request.method == "POST":
        receiver.run_validators(request)
        try:
            outcome = reports.take(provider, receiver.parse_events(request), label=receiver.esp_name)
        except (AnymailConfigurationError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            logger.warning("%s sent a report that cannot be read", receiver.esp_name)
            return HttpResponse(status=400)
        logger.info("%s reported; %d addresses are newly suppressed", receiver.esp_name, outcome.changed)
    return HttpResponse()


def _receiver(provider: str) -> Any:
    """Return the object that checks and reads the provider's reports; only signed ones are ever taken."""
    if provider not in reports.PROVIDERS:
        raise Http404
    kind = import_string(f"anymail.webhooks.{reports.PROVIDERS[provider].receiver}")
    if kind.warn_if_no_basic_auth and not settings.ANYMAIL.get("WEBHOOK_SECRET"):
        raise Http404
    try:
        return kind()
    except AnymailConfigurationError:
        raise Http404 from None

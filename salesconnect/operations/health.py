"""The health endpoints `/healthz` (the process is alive) and `/readyz` (everything it needs is there)."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from salesconnect.operations import readiness
from salesconnect.version import VERSION

RETRY_SECONDS = "5"


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 without checking anything else."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if the site is ready, else 503 with what is missing; within two seconds in any case."""
    missing = readiness.missing()
    body = {"status": "not ready" if missing else "ready", "missing": missing, "version": VERSION}
    if not missing:
        return JsonResponse(body)
    return JsonResponse(body, status=503, headers={"Retry-After": RETRY_SECONDS})

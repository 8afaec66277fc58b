"""Is the site alive, and is everything there that it needs?"""

import redis
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from exports.integrity import running
from salesconnect import heartbeat
from unsubscribes.mail import server
from unsubscribes.mail.backends import has_server

RETRY_SECONDS = "5"


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process can; asks nothing else."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when database, broker and worker are there, else 503 that names what is missing."""
    missing = [] if _database_answers() else ["database"]
    missing += _missing_of_broker()
    if not missing:
        told: dict[str, object] = {"status": "ready", "missing": [], "records": _records()}
        return JsonResponse(told | _warnings())
    headers = {"Retry-After": RETRY_SECONDS}
    return JsonResponse({"status": "not ready", "missing": missing}, status=503, headers=headers)


def _records() -> dict[str, object] | None:
    """Return how many differences between stored records the last check left, and when that was."""
    try:
        found = running.last()
    except Error:
        return None  # a database that is not migrated yet; what is missing is said above
    return {"checked_at": found.finished_at, "differences": found.left} if found else None


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def _warnings() -> dict[str, list[str]]:
    """Return what works badly though the site is ready: mail that waits because of its server takes no site away."""
    try:
        return {"warnings": ["mail server"]} if server.trouble() and has_server() else {}
    except Error:
        return {}


def _missing_of_broker() -> list[str]:
    try:
        with heartbeat.client() as broker:
            return [] if broker.exists(heartbeat.KEY) else ["worker"]
    except redis.RedisError:
        return ["broker", "worker"]

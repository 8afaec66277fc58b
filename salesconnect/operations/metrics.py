"""`/metrics` for Prometheus: figures about queues, mail and the sync, no personal data. Off by default.

It is open to those who can see the figures in the site as well: a signed-in user, or a program with a token
(`Authorization: Token …`, for Prometheus `authorization: {type: Token, credentials: …}`).
"""

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from contacts.accounts import tokens
from contacts.models import Batch
from exports.integrity import check_run
from salesconnect.operations import liveness
from unsubscribes.crm.monitoring import sync_metrics
from unsubscribes.crm.monitoring.sync_metrics import Metric
from unsubscribes.mail import queries
from unsubscribes.mail.sending import server
from unsubscribes.mail.sending.backends import has_server

PREFIX = "salesconnect_"
TYPE = "text/plain; version=0.0.4; charset=utf-8"


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics; 404 if they are off, 401 without sign-in or token."""
    if not settings.METRICS:
        raise Http404
    if not _is_known(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Token"})
    return HttpResponse("".join(map(_text, _all())), content_type=TYPE)


def _is_known(request: HttpRequest) -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() in {"token", "bearer"}:
        return tokens.find(token.strip()) is not None
    return request.user.is_authenticated


def _all() -> Iterator[Metric]:
    orders = Batch.objects.filter(state__in=("queued", "running")).values_list("state").annotate(Count("pk"))
    waiting = [({"state": state}, float(number)) for state, number in sorted(orders)]
    yield Metric("bulk_orders", "gauge", "Bulk changes that wait or run.", waiting)
    mails = [({"state": str(state)}, float(number)) for state, number in queries.counts().items()]
    yield Metric("mails", "gauge", "Messages that are not final, by state; each counted up to 10,000.", mails)
    trouble = server.trouble()
    missing = not has_server()
    seconds = (timezone.now() - trouble.since).total_seconds() if trouble and trouble.since and not missing else 0.0
    yield Metric("mail_server_configured", "gauge", "Whether there is a mail server.", [({}, float(not missing))])
    yield Metric("mail_server_trouble_seconds", "gauge", "How long the mail server has had trouble.", [({}, seconds)])
    yield from _processes()
    yield from sync_metrics.collect()
    yield from _of_records()


def _of_records() -> Iterator[Metric]:
    """Yield the results of the last record check; nothing before the first."""
    if (found := check_run.last()) and found.finished_at:
        left = [({"check": each["check"]}, float(each["left"])) for each in found.differences]
        yield Metric("record_differences", "gauge", "Differences that the last check of the records left.", left)
        when = found.finished_at.timestamp()
        yield Metric("records_checked_timestamp_seconds", "gauge", "When the records were checked last.", [({}, when)])


def _processes() -> Iterator[Metric]:
    """Yield the age of the heartbeats of worker and beat; -1 if there is none, or it is too old."""
    ages = {"beat": liveness.beat_age(), "worker": _worker_age()}
    samples = [({"process": name}, -1.0 if age is None else age) for name, age in ages.items()]
    yield Metric("sign_of_life_seconds", "gauge", "Seconds since the last heartbeat of a process; -1: none.", samples)
    yield Metric(
        "beats_waiting", "gauge", "Beats that stand by for the active one.", [({}, float(liveness.beats_waiting()))]
    )


def _worker_age() -> float | None:
    try:
        return liveness.worker_age()
    except (RedisError, OSError):
        return None


def _text(measure: Metric) -> str:
    name = PREFIX + measure.name
    lines = [f"# HELP {name} {measure.says}", f"# TYPE {name} {measure.kind}"]
    lines += [f"{name}{_labels(labels)} {value:.15g}" for labels, value in measure.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

"""Pages under gunicorn, signed in, against the barest view that does the same work."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import cycle, islice

import requests
from django.conf import settings
from django.core.management import call_command

from contacts.models import Contact, User
from salesconnect.bench import database
from salesconnect.bench.measure import Measure, compared, limited, percentile

ROUNDS = 60
COMBINATIONS = (
    "",
    "ordering=-updated_at",
    "ordering=company",
    "ordering=-created_at",
    "authorization_type=consent",
    "authorization_type=not_recorded&source_type=import",
    "source_type=crm_sync&ordering=-updated_at",
    "unsubscribed=true",
    "verdict=ask_first",
    "authorization_type=vital_interests",
    "consent_before=2025-01-01",
    "authorization_type=contract,legitimate_interest&ordering=first_name",
)
SEARCHES = ("a", "an", "and", "anderss", "andersso", "anna berg", "lars lind", "norrsken", "anna&source_type=import")


@contextmanager
def site() -> Iterator[tuple[str, requests.Session]]:
    """Start gunicorn on the bench's database; yield its address and a signed-in session."""
    port = _free_port()
    call_command("collectstatic", interactive=False, verbosity=0)
    environment = {
        **os.environ,
        "DATABASE_URL": database.url(),
        "PORT": str(port),
        **_keys(),
        "REDIS_URL": settings.REDIS_URL,
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "python:salesconnect.gunicorn_conf", "salesconnect.bench.wsgi"]
    process = subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR)  # noqa: S603 - our own program
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{address}/healthz")
        yield address, _signed_in()
    finally:
        process.terminate()
        process.wait()


def measures() -> Iterator[Measure]:
    """Yield the measures of pages and searches."""
    with site() as (address, session):
        bare = _times(session, [f"{address}/bench/rows/"])
        pages = _times(session, _deep(session, address))
        yield compared(
            "People page, p95 of 12 combinations, first and deep",
            percentile(pages, 0.95) * 1000,
            percentile(bare, 0.95) * 1000,
            8,
            "ms",
        )
        found = _times(session, [f"{address}/api/v1/contacts/?search={words}" for words in SEARCHES])
        yield limited("search, p95", percentile(found, 0.95) * 1000, 100, "ms")
        yield limited("search, worst", max(found) * 1000, 300, "ms")
        person = Contact.objects.order_by("id").values_list("pk", flat=True)[0]
        detail = _times(session, [f"{address}/people/{person}/"])
        yield compared(
            "person detail view, p95", percentile(detail, 0.95) * 1000, percentile(bare, 0.95) * 1000, 3, "ms"
        )
        counts = _times(
            session, [f"{address}/api/v1/contacts/count/?{query}" for query in COMBINATIONS if "ordering" not in query]
        )
        yield limited("counts, p95", percentile(counts, 0.95) * 1000, 100, "ms")


def _deep(session: requests.Session, address: str) -> list[str]:
    """Return the first and a deep page of every combination; the deep one by the API's cursor, which pages share."""
    urls = []
    for query in COMBINATIONS:
        urls.append(f"{address}/people/?{query}")
        following = session.get(f"{address}/api/v1/contacts/?{query}&page_size=1000", timeout=60).json()["next"]
        if following:
            cursor = following.split("cursor=")[1].split("&")[0]
            urls.append(f"{address}/people/?{query}&cursor={cursor}")
    return urls


def _times(session: requests.Session, urls: list[str]) -> list[float]:
    times = []
    for url in islice(cycle(urls), max(ROUNDS, 3 * len(urls))):
        start = time.perf_counter()
        session.get(url, timeout=60).raise_for_status()
        times.append(time.perf_counter() - start)
    return times[len(urls) :]


def _signed_in() -> requests.Session:
    user = User.objects.get(username="bench")
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
    store["_auth_user_hash"] = user.get_session_auth_hash()
    store.save()
    session = requests.Session()
    session.cookies.set(settings.SESSION_COOKIE_NAME, store.session_key)
    return session


def _keys() -> dict[str, str]:
    return {
        "SECRET_KEY": settings.SECRET_KEY,
        "SALESCONNECT_UNSUBSCRIBE_KEY": settings.UNSUBSCRIBE_KEY,
        "SALESCONNECT_SUPPRESSION_KEY": ",".join(settings.SUPPRESSION_KEYS),
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait(url: str) -> None:
    for _attempt in range(100):
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - our own address
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{url} did not answer")

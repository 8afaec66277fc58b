"""The product under gunicorn on the bench's database, and how its answers are timed."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import cycle, islice

import requests
from django.conf import settings
from django.core.management import call_command

from contacts.models import User
from salesconnect.bench import database

ROUNDS = 100
WARM_UPS = 2

Target = tuple[requests.Session, str]


@contextmanager
def site() -> Iterator[tuple[str, requests.Session]]:
    """Start gunicorn on the bench's database; yield its address and a signed-in session."""
    port = _free_port()
    call_command("collectstatic", interactive=False, verbosity=0)
    environment = _environment() | {"PORT": str(port)}
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:salesconnect.serving.gunicorn_conf",
        "salesconnect.bench.wsgi",
    ]
    process = subprocess.Popen(command, env=environment, cwd=settings.BASE_DIR)  # noqa: S603 - our own program
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{address}/healthz")
        yield address, _signed_in()
    finally:
        process.terminate()
        process.wait()


def in_a_worker(kind: str, number: int) -> tuple[float, float]:
    """Work a batch or an import off in a process of its own; return its seconds and its peak memory in MB."""
    command = [sys.executable, "-m", "salesconnect.bench.work", kind, str(number)]
    done = subprocess.run(  # noqa: S603 - our own program
        command, cwd=settings.BASE_DIR, env=_environment(), check=True, stdout=subprocess.PIPE
    )
    seconds, peak = json.loads(done.stdout)
    return seconds, peak


def times(*groups: Sequence[Target]) -> list[list[float]]:
    """Return for each group of pages how long its answers took in milliseconds, after a warm-up of each page.

    The groups take turns, page by page, so that a busy moment of the machine meets all of them.
    """
    longest = max(map(len, groups))
    warm_up = WARM_UPS * longest
    taken: list[list[float]] = [[] for _group in groups]
    turns = zip(*(cycle(group) for group in groups), strict=True)
    for targets in islice(turns, warm_up + max(ROUNDS, 5 * longest)):
        for results, (session, url) in zip(taken, targets, strict=True):
            start = time.perf_counter()
            session.get(url, timeout=60).raise_for_status()
            results.append((time.perf_counter() - start) * 1000)
    return [results[warm_up:] for results in taken]


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


def _environment() -> dict[str, str]:
    """Return the environment of a process on the bench's database, with the secrets that it needs there."""
    return {
        **os.environ,
        "DATABASE_URL": database.url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "SALESCONNECT_UNSUBSCRIBE_KEY": settings.UNSUBSCRIBE_KEY,
        "SALESCONNECT_SUPPRESSION_KEY": ",".join(settings.SUPPRESSION_KEYS),
        **{name: value for name, value in settings.GENERATED_KEYS.items() if name.startswith("SALESCONNECT_ENC")},
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait(url: str) -> None:
    for _attempt in range(600):
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - our own address
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"{url} did not answer")

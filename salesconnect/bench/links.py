"""The unsubscribe link under load, against the barest view that inserts one row."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from urllib.parse import urlsplit

from django.db import connection

from contacts.models import Contact
from salesconnect.bench.measure import Measure, at_least, limited, middle, percentile
from salesconnect.bench.plans import Scans
from salesconnect.bench.site import site
from unsubscribes.links import links, tokens

CONNECTIONS, ROUNDS, SECONDS = 32, 5, 2.0
BODY = "List-Unsubscribe=One-Click"
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
LINKS = 12_000


def measures(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the measures of the unsubscribe POST; both sides by turns, so that a busy moment meets both."""
    paths = _paths(min(LINKS, people // 2))
    number = count()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_row (id bigserial PRIMARY KEY, token text, body text)")
    ours: list[float] = []
    rates: list[float] = []
    bare_rates: list[float] = []
    with site() as (address, _session):
        for round_ in range(ROUNDS + 1):
            bare = _load(address, lambda: f"/bench/insert/{next(number)}/")
            taken = _load(address, lambda: paths[next(number) % len(paths)])
            if round_:
                rates.append(len(taken) / SECONDS)
                bare_rates.append(len(bare) / SECONDS)
                ours += taken
    yield at_least(f"unsubscribe POST, {CONNECTIONS} connections", *middle(rates, bare_rates), 0.6, "requests/s")
    yield limited("the same, p99", percentile(ours, 0.99) * 1000, 300, "ms")


def _paths(number: int) -> list[str]:
    """Make links for as many people; return the paths of their addresses."""
    people = Contact.objects.exclude(address_hash=None).filter(card__unsubscribed=False).order_by("-id")[:number]
    return [f"/u/{tokens.token_of(links.make(person).nonce)}/" for person in people]


def _load(address: str, path: Callable[[], str]) -> list[float]:
    """POST from as many connections for some seconds; return the time of each answer in seconds."""
    times: list[float] = []
    end = time.monotonic() + SECONDS

    def work() -> None:
        link = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        while time.monotonic() < end:
            start = time.perf_counter()
            link.request("POST", path(), BODY, HEADERS)
            answer = link.getresponse()
            answer.read()
            if answer.status != http.client.OK:
                raise RuntimeError(f"POST answered {answer.status}")
            times.append(time.perf_counter() - start)

    threads = [threading.Thread(target=work) for _connection in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times

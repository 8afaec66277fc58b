"""Pages and searches, signed in, against the barest views that do the same work."""

from collections.abc import Iterator, Sequence

import requests
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from contacts.events import history
from contacts.models import Contact, ContactEvent, User
from salesconnect.bench import database
from salesconnect.bench.measure import Measure, Times, compared, limited, percentile
from salesconnect.bench.plans import Scans
from salesconnect.bench.site import Target, site, times
from salesconnect.lib.actor import system

SMALL = 10_000
EVENTS = 200
# Frequent and rare values in several orders, several values at once, and a text anywhere in the company's name.
COMBINATIONS = (
    "",
    "ordering=-updated_at",
    "ordering=company",
    "ordering=-created_at&authorization_type=vital_interests",
    "authorization_type=consent",
    "authorization_type=not_recorded&source_type=import",
    "source_type=crm_sync&ordering=-updated_at",
    "unsubscribed=true&ordering=email",
    "verdict=ask_first",
    "consent_before=2025-01-01",
    "authorization_type=not_recorded,contract,legitimate_interest&ordering=first_name",
    "company=bolaget&unsubscribed=true",
)
SEARCHES = (
    *("a", "z", "and", "zet", "andersso", "zetterbe", "svensson", "norrsken", "nobody"),
    *("anna berg", "zoë zetterberg", "anna&source_type=import"),
)
BOARDS = ("/unsubscribes/", "/tasks/", "/mails/", "/sync/", "/compliance/")
# What the machine takes for next to nothing at the same time, to judge figures by that have no yardstick.
BARE = ("/bench/rows/",)


def lists(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the measures of the People page; the same pages of few people are asked in turn with it."""
    database.use(SMALL)
    small = _people_pages()
    with site() as (few_address, few_session):
        if people != SMALL:
            database.use(people)
        pages = _people_pages()
        _explain(pages, scans)
        with site() as (address, session):
            taken = times(
                _targets(session, address, pages),
                _targets(few_session, few_address, small),
                _targets(session, address, BARE),
            )
    ours, few, bare = map(_p95, taken)
    yield compared("People page, p95 of 12 combinations, first and deep", ours, bare, 8, "ms")
    yield compared(f"the same against {SMALL:,} people", ours, few, 1.3, "ms")


def searches(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the measures of the search."""
    found, bare = _taken(scans, [f"/api/v1/contacts/?search={words}" for words in SEARCHES], BARE)
    yield limited("search, p95", _p95(found), 100, "ms", beside=_p95(bare))
    yield limited("search, worst", max(found), 300, "ms", beside=max(bare))


def person(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the measure of the person detail view."""
    page = f"/people/{_with_events()}/"
    ours, bare = _taken(scans, [page], [f"/bench{page}{_extra_queries(page)}/"])
    yield compared(f"person with {EVENTS} events, p95", _p95(ours), _p95(bare), 3, "ms")


def boards(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the measure of the dashboards and counts."""
    counts = [f"/api/v1/contacts/count/?{query}" for query in COMBINATIONS if "ordering" not in query]
    taken, bare = _taken(scans, [*BOARDS, *counts], BARE)
    yield limited("dashboard and counts, p95", _p95(taken), 100, "ms", beside=_p95(bare))


def _taken(scans: Scans, *groups: Sequence[str]) -> list[Times]:
    """Return the times of groups of pages, asked in turns; the statements of the first are explained before."""
    _explain(groups[0], scans)
    with site() as (address, session):
        return times(*(_targets(session, address, paths) for paths in groups))


def _targets(session: requests.Session, address: str, paths: Sequence[str]) -> list[Target]:
    return [(session, address + path) for path in paths]


def _p95(taken: Sequence[float]) -> float:
    return percentile(taken, 0.95)


def _with_events() -> int:
    """Give the first person as many events as the measure wants; return the person's number."""
    someone = Contact.objects.order_by("id")[0].pk
    missing = EVENTS - ContactEvent.objects.filter(contact_id=someone).count()
    changes = {"company": ("Exempel AB", "Nordisk Provteknik")}
    history.record([someone] * missing, history.EDITED, actor=system("command"), changes=changes)
    return someone


def _extra_queries(person: str) -> int:
    """Return how many queries the page of a person asks beyond those of the barest view under the same middleware."""
    client = _client()
    with override_settings(ROOT_URLCONF="salesconnect.bench.urls"):
        counts = []
        for path in (person, f"/bench{person}0/"):
            with CaptureQueriesContext(connection) as asked:
                client.get(path)
            counts.append(len(asked))
    return counts[0] - counts[1]


def _people_pages() -> list[str]:
    """Return the first and a deep page of every combination; the deep one by the API's cursor, which pages share."""
    client, paths = _client(), []
    for query in COMBINATIONS:
        paths.append(f"/people/?{query}")
        following = client.get(f"/api/v1/contacts/?{query}&page_size=1000").json()["next"]
        if following:
            paths.append(f"/people/?{query}&cursor={following.split('cursor=')[1].split('&')[0]}")
    return paths


def _explain(paths: Sequence[str], scans: Scans) -> None:
    client = _client()
    for path in paths:
        with scans.watched(path.split("&cursor")[0]):
            client.get(path)


def _client() -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username="bench"))
    return client

"""Pages and searches, signed in, against the barest views that do the same work."""

from collections.abc import Iterator, Sequence

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from contacts import history
from contacts.models import Contact, ContactEvent, User
from salesconnect.bench.measure import Measure, compared, limited, percentile
from salesconnect.bench.plans import Scans
from salesconnect.bench.site import Target, site, times
from salesconnect.lib.actor import system

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
BOARDS = ("/unsubscribes/", "/tasks/", "/mails/")


def measures(small: Sequence[Target], scans: Scans) -> Iterator[Measure]:
    """Yield the measures of pages and searches; `small` are the same pages of People at 10,000 people."""
    person = f"/people/{_with_events()}/"
    bare_person = f"/bench{person}{_extra_queries(person)}/"
    deep = people_pages()
    searches = [f"/api/v1/contacts/?search={words}" for words in SEARCHES]
    counts = [f"/api/v1/contacts/count/?{query}" for query in COMBINATIONS if "ordering" not in query]
    _explain([*deep, *searches, *counts, *BOARDS, person], scans)
    with site() as (address, session):

        def targets(*paths: str) -> list[Target]:
            return [(session, address + path) for path in paths]

        people, few, bare = (_p95(taken) for taken in times(targets(*deep), small, targets("/bench/rows/")))
        yield compared("People page, p95 of 12 combinations, first and deep", people, bare, 8, "ms")
        yield compared("the same against 10,000 people", people, few, 1.3, "ms")
        (found,) = times(targets(*searches))
        yield limited("search, p95", _p95(found), 100, "ms")
        yield limited("search, worst", max(found), 300, "ms")
        detail, bare = (_p95(taken) for taken in times(targets(person), targets(bare_person)))
        yield compared(f"person with {EVENTS} events, p95", detail, bare, 3, "ms")
        yield limited("dashboard and counts, p95", _p95(times(targets(*BOARDS, *counts))[0]), 100, "ms")


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


def people_pages() -> list[str]:
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

"""What the sync costs: the calls for many changes, against what they must cost at least, and the time for each thousand
people who came with Salesforce IDs, against what it is with a tenth of them, or as few as are written by a job.

The org is emulated, a process of its own that comes with the tests.
"""

import datetime as dt
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from salesconnect.bench import database
from salesconnect.bench.bulk import ACTOR
from salesconnect.bench.measure import Measure, compared, once
from salesconnect.bench.plans import Scans
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import SyncConnection
from unsubscribes.crm.runs.running import RunTurn
from unsubscribes.crm.salesforce.provider import BATCH, JOB, JOBS_ABOVE

T = TypeVar("T")

MOST, SHARE = 100_000, 10
PAGE = 2_000
# To make a job, to send it, to close it, to fetch what succeeded and what failed. How often it is asked about is not
# counted, for that depends on how long Salesforce takes.
CALLS_OF_A_JOB = 5
POLL = r"jobs/ingest/[^/]+$"
# People with IDs: a tenth of them is the yardstick, where that is enough for a job. Twice the time for each is what
# caches and small steps explain.
TENTH, LINEAR = 10, 2.0


class Org:
    """A running org; `order` does what its people do."""

    def __init__(self, ready: dict[str, str]) -> None:
        self.ready = ready

    def order(self, path: str, /, **body: Any) -> Any:
        """Give an order to the control port; return its answer."""
        request = urllib.request.Request(f"{self.ready['control']}/{path}", json.dumps(body).encode(), method="POST")  # noqa: S310 - our own process
        with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310 - as above
            return json.load(answer)

    def calls(self) -> int:
        """Return how many API calls were made since this was asked last, questions how far a job is left out."""
        made = sum(entry["api_calls"] for entry in self.order("journal"))
        made -= sum(entry["api_calls"] for entry in self.order("journal", method="GET", path=POLL))
        self.order("journal/clear")
        return made


def measures(people: int, scans: Scans) -> Iterator[Measure]:
    """Yield the calls to read and to write as many changes; nothing, and a word, where there is no emulated org."""
    if not (Path(settings.BASE_DIR) / "tests" / "salesforce_org").is_dir():
        sys.stderr.write("The sync is not measured: tests/salesforce_org is not here.\n")
        return
    number = min(MOST, people // SHARE)
    with _org() as org:
        willing = Contact.objects.filter(card__unsubscribed=False).exclude(address_hash=None)
        here, there = _records(org, 2 * number, willing)
        _connect(org)
        _run("both", full=True)
        for ids in _pieces(there[:number]):
            org.order("records/edit", ids=ids, fields={"HasOptedOutOfEmail": True})
        org.calls()
        _run("pull")
        yield compared(f"sync: calls to read {number:,} changes", org.calls(), ceil(number / PAGE), 1.0, "calls")
        for people_here in _pieces(here[number:]):
            suppression.unsubscribe(
                Contact.objects.among(people_here), actor=ACTOR, source=Suppression.Source.MANUAL, reason="bench"
            )
        _run("push")
        yield compared(f"sync: calls to write {number:,} changes", org.calls(), _to_write(number), 1.0, "calls")
        _check(org, 2 * number)
        yield from _paced(org, people)


def _paced(org: Org, people: int) -> Iterator[Measure]:
    """Yield the seconds for 1,000 people who came with IDs, from the first activation to another read of everything."""
    most = min(MOST, people)
    least = min(most, max(most // TENTH, 3 * JOBS_ABOVE))  # so that both are written by jobs
    few, many = (_stages(org, people, number) for number in (least, most))
    for stage, ours in many.items():
        name = f"sync: {stage} of {most:,} with IDs, for 1,000"
        yield compared(name, 1_000 * ours / most, 1_000 * few[stage] / least, LINEAR)


def _stages(org: Org, people: int, number: int) -> dict[str, float]:
    """Return the seconds of each stage for as many people with IDs; in one half of them something changes each time.

    Each begins with a copy of the database of its own: who was opted out for an earlier measure would leave nothing to
    be written.
    """
    database.use(people)
    org.order("reset")
    here, there = _records(org, number, Contact.objects.exclude(address_hash=None))
    _give_ids(here, there)
    _connect(org)
    taken = {"first activation": once(lambda: _run("both", full=True))}
    for ids in _pieces(there[: number // 2]):
        org.order("records/edit", ids=ids, fields={"HasOptedOutOfEmail": True})
    taken["reading"] = once(lambda: _run("pull"))
    for people_here in _pieces(here[number // 2 :]):
        suppression.unsubscribe(
            Contact.objects.among(people_here), actor=ACTOR, source=Suppression.Source.MANUAL, reason="bench"
        )
    taken["writing"] = once(lambda: _run("push"))
    taken["reading everything"] = once(lambda: _run("both", full=True))
    return taken


def _give_ids(here: Sequence[int], there: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contact c SET salesforce_id = found.there"
            " FROM unnest(%s::bigint[], %s::text[]) found (here, there) WHERE c.id = found.here",
            [list(here), list(there)],
        )


def _pieces(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + PAGE] for start in range(0, len(items), PAGE))


def _to_write(number: int) -> int:
    return ceil(number / BATCH) if number <= JOBS_ABOVE else CALLS_OF_A_JOB * ceil(number / JOB)


@contextmanager
def _org() -> Iterator[Org]:
    command = [sys.executable, "-m", "tests.salesforce_org", "--until-stdin-closes"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
    try:
        yield Org(json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait()


def _records(org: Org, number: int, people: QuerySet[Contact]) -> tuple[Sequence[int], Sequence[str]]:
    """Give the org a record of as many of the people; return their numbers here and there."""
    rows = list(people.order_by("-id").values_list("pk", "first_name", "last_name", "email")[:number])
    there: list[str] = []
    # Older than what the next read looks at again to be sure.
    made_at = (timezone.now() - dt.timedelta(hours=1)).isoformat()
    for some in _pieces(rows):
        records = [{"FirstName": first, "LastName": last or "?", "Email": email} for _pk, first, last, email in some]
        there += org.order("records/create", object="Contact", records=records, at=made_at)["ids"]
    return [row[0] for row in rows], there


def _connect(org: Org) -> None:
    connecting.disconnect(actor=ACTOR)
    ready = org.ready
    values = {"login_url": ready["url"], "client_id": ready["client_id"], "secret": ready["client_secret"]}
    connecting.connect(values, actor=ACTOR)
    SyncConnection.objects.update(state=SyncConnection.State.ACTIVE)


def _run(direction: str, *, full: bool = False) -> None:
    run = sync_control.request_run(actor=ACTOR, direction=direction, full=full, start=False)
    RunTurn(run, manual=True).go()
    run.refresh_from_db()
    if run.state != run.State.DONE or run.errors:
        raise RuntimeError(f"the sync ended as {run.state} with {run.errors} errors: {run.message}")


def _check(org: Org, expected: int) -> None:
    """Raise when not everybody is opted out there by now."""
    ticked = org.order("query", soql="SELECT Id FROM Contact WHERE HasOptedOutOfEmail = TRUE")
    if len(ticked) != expected:
        raise RuntimeError(f"{len(ticked)} of {expected} records are opted out")

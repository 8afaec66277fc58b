"""The demo's Salesforce: the emulated org of the tests, with records of some of the demo's people.

It runs as a process of its own and stores nothing. At each start it gets new records, and the sync is connected to it,
unless a real Salesforce is already connected.
"""

import json
import sys
import urllib.request
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPException
from socket import SO_REUSEADDR, SOL_SOCKET, socket
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import Error, connections

from compliance.models import Suppression
from contacts.models import Contact
from salesconnect.embedded import processes
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Conflict, Invalid
from salesconnect.operations.supervisor import Child, terminate
from unsubscribes.crm.connection import connecting
from unsubscribes.crm.models import SyncRun

NAME, SECONDS_TO_STOP, SECONDS_TO_OBEY = "org", 3.0, 60
LOOPBACK = "http://127.0.0.1:"
PEOPLE, EVERY, LEADS, ONLY_THERE = 60, 3, 4, 2
# Short intervals, so that somebody who tries the demo need not wait.
ENVIRONMENT = {"SALESFORCE_PULL_SECONDS": "10", "SALESFORCE_PUSH_SECONDS": "5"}
ACTOR = system("command")
Json = dict[str, Any]


def child(say: Callable[[str], None]) -> Child | None:
    """Start the org and return it for the supervisor; None, with a message, if it cannot or must not be started."""
    if not (settings.BASE_DIR / "tests" / "salesforce_org").is_dir():
        say("The demo has no Salesforce: tests/salesforce_org is not here.")
        return None
    row = connecting.connection()
    if connecting.by_environment() or (row and not row.login_url.startswith(LOOPBACK)):
        say("The demo starts no Salesforce of its own, for one is set up already.")
        return None

    def start() -> processes.Process:
        return _start(say)

    return Child(NAME, start, terminate(SECONDS_TO_STOP), process=start())


def _start(say: Callable[[str], None]) -> processes.Process:
    ports = ["--port", str(free_port(settings.PORT + 1)), "--control-port", str(free_port(settings.PORT + 2))]
    command = [sys.executable, "-m", "tests.salesforce_org", *ports]
    process = processes.attach(command, cwd=settings.BASE_DIR)
    line = process.stdout.readline() if process.stdout else b""
    try:
        _connect(json.loads(line))
        say(f"A stand-in for Salesforce is at {json.loads(line)['control']}/ui/Contact: opt somebody out there or here")
    except (Conflict, Invalid, Error, HTTPException, OSError, ValueError) as problem:
        say(f"The demo's Salesforce is not connected: {type(problem).__name__}")
    finally:
        connections.close_all()
    return process


def free_port(port: int) -> int:
    """Return the port, or 0 (any free one) if it is in use."""
    with closing(socket()) as probe, suppress(OSError, OverflowError):
        probe.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return port
    return 0


def _connect(ready: Json) -> None:
    first = not SyncRun.objects.exists()
    connecting.disconnect(actor=ACTOR)
    _fill(ready["control"], first=first)
    values = {"login_url": ready["url"], "client_id": ready["client_id"], "secret": ready["client_secret"]}
    connecting.connect(values, actor=ACTOR)
    with suppress(SystemExit):  # the Sync page shows what failed
        call_command("sync_salesforce", "--activate", "--yes")


def _fill(control: str, *, first: bool) -> None:
    """Create records for some people. The first time the opt-outs differ, so that the sync has something to do."""
    _order(control, "settings", history={"Contact": ["HasOptedOutOfEmail"], "Lead": ["HasOptedOutOfEmail"]})
    bounced = Suppression.objects.filter(source=Suppression.Source.BOUNCE).values("address_hash")
    people = Contact.objects.exclude(email="").exclude(address_hash__in=bounced).select_related("card").order_by("id")
    chosen = list(people.filter(card__unsubscribed=True)[: PEOPLE // EVERY])
    chosen += people.filter(card__unsubscribed=False)[: PEOPLE - len(chosen)]
    records = [_record(person, opted_out=person.card.unsubscribed and not first) for person in chosen]
    if first:
        for record in records[-ONLY_THERE:]:
            record["HasOptedOutOfEmail"] = True
    _order(control, "records/create", object="Contact", records=records)
    leads = [record | {"Company": person.company or "–"} for person, record in zip(chosen, records, strict=True)]
    _order(control, "records/create", object="Lead", records=leads[::LEADS] + _strangers())


def _record(person: Contact, *, opted_out: bool) -> Json:
    return {
        "FirstName": person.first_name,
        "LastName": person.last_name or person.company or "–",
        "Title": person.title,
        "Email": person.email,
        "Phone": person.phone,
        "HasOptedOutOfEmail": opted_out,
    }


def _strangers() -> list[Json]:
    names = (("Ingrid", "Sand", "Fjärilshuset"), ("Olof", "Bark", "Norrsken Båtar"))
    address = "{0}.{1}@okand.example"
    return [
        {"FirstName": first, "LastName": last, "Company": company, "Email": address.format(first, last).lower()}
        for first, last, company in names
    ]


def _order(control: str, path: str, **body: Any) -> None:
    request = urllib.request.Request(f"{control}/{path}", json.dumps(body).encode(), method="POST")  # noqa: S310 - our own process
    with urllib.request.urlopen(request, timeout=SECONDS_TO_OBEY) as answer:  # noqa: S310 - as above
        answer.read()

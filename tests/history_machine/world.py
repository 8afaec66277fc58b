"""The product with its clock, its users and its doors, for one example; and what a bystander would know of it."""

import base64
import datetime as dt
import json
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from rest_framework.test import APIClient

from compliance.models import ComplianceCard
from contacts.accounts import tokens
from contacts.events import partitions
from contacts.jobs import batches
from contacts.models import Contact, User
from contacts.people.queries import ContactQuerySet
from salesconnect.lib import kick
from tests.history_machine.clock import Clock

ADDRESSES = ("a@example.com", "B@Example.com", "ö@exempel.se", "d@example.com")
"""Few, so that people meet."""
FACTS = {
    "a person": "contacts_contact",
    "two people": "contacts_contact OFFSET 1",
    "an unsubscribed person": "compliance_compliancecard WHERE unsubscribed AND restricted_at IS NULL",
    "a restricted person": "compliance_compliancecard WHERE restricted_at IS NOT NULL",
    "an interest": "compliance_compliancecard WHERE authorization_type = 2 AND restricted_at IS NULL",
    "a merge": "contacts_merge WHERE undone_at IS NULL AND at > now() - interval '30 days'",
    "a document": "unsubscribes_consentevidence WHERE file <> ''",
    "a bulk change": "contacts_batch WHERE kind IN ('authorization', 'source')",
    "a waiting mail": "unsubscribes_message WHERE state = 'queued'",
    "a stopped mail": "unsubscribes_message WHERE state IN ('held', 'failed', 'unknown')",
    "an open request": "exports_datarequest WHERE state <> 'done'",
    "a rule": "exports_retentionrule",
}
"""What may be there, and where one sees it."""
LOOK = "SELECT " + ", ".join(f"EXISTS (SELECT FROM {place})" for place in FACTS.values())
WEBHOOK_SECRET = "postmark:a-long-secret"
OURS = {400, 401, 403, 405, 415}
"""Answers that say that the test asks wrongly, not that the product refuses."""


class Refused(Exception):  # noqa: N818 - an answer
    """A door answered that this may not be, or not now."""


class World:
    """People come in, and things happen to them; files are of this example alone."""

    def __init__(self, alice: User, bob: User) -> None:
        self.clock = Clock()
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        files = {"BACKEND": settings.STORAGES["default"]["BACKEND"], "OPTIONS": {"location": root / "files"}}
        self.settings = override_settings(
            STORAGES=settings.STORAGES | {"default": files},
            ERASURE_LEDGER=str(root / "ledger" / "erasures.jsonl"),
            ANYMAIL={"WEBHOOK_SECRET": WEBHOOK_SECRET},
        )
        self.settings.enable()
        self.alice, self.bob = alice, bob
        self.admin, self.member = batches.user_actor(alice, "page"), batches.user_actor(bob, "page")
        self.sessions: dict[str, Client] = {}
        self.made = 0
        self.links: list[tuple[str, Any]] = []
        self.undo_links: list[tuple[int, int, int]] = []
        self.said_no: set[str] = set()

    def close(self) -> None:
        """Give back time, settings and files."""
        self.settings.disable()
        self.folder.cleanup()
        self.clock.stop()

    def let_pass(self, **much: int) -> None:
        """Let time pass, by the words of a `timedelta`; the sessions of before have run out, so new ones are opened."""
        self.clock.move(dt.timedelta(**much))
        partitions.ensure()
        self.sessions.clear()

    @cached_property
    def admin_api(self) -> APIClient:
        """Return the program of an administrator."""
        return self._program(self.alice)

    @cached_property
    def member_api(self) -> APIClient:
        """Return the program of a member."""
        return self._program(self.bob)

    @property
    def admin_page(self) -> Client:
        """Return the browser of an administrator."""
        return self._browser(self.alice)

    @property
    def admin_session(self) -> APIClient:
        """Return the API as an administrator's browser calls it."""
        client = APIClient()
        client.force_login(self.alice)
        return client

    @property
    def member_page(self) -> Client:
        """Return the browser of a member."""
        return self._browser(self.bob)

    @property
    def anonymous(self) -> Client:
        """Return the browser of a recipient, or a provider's program."""
        return Client()

    @property
    def people(self) -> list[Contact]:
        """Return the people who are here, in the order in which they came."""
        return list(Contact.objects.select_related("card").order_by("pk"))

    def someone(self, who: int, **like: Any) -> Contact:
        """Return one of the people who are here and `like` that."""
        people = list(Contact.objects.select_related("card").filter(**like).order_by("pk"))
        if not people:
            raise Refused("nobody is here")
        return people[who % len(people)]

    def some(self, who: int) -> list[int]:
        """Return the numbers of one or more of the people who are here."""
        people = [person.pk for person in self.people]
        if not people:
            raise Refused("nobody is here")
        first = who % len(people)
        return people[first : first + 1 + who % 3]

    def only(self, person: Contact) -> ContactQuerySet:
        """Return one person as services want people."""
        return Contact.objects.filter(pk=person.pk)

    def name(self) -> dict[str, str]:
        """Return the details of somebody new, whose names nobody else bears."""
        self.made += 1
        mark = "".join(chr(97 + int(digit)) for digit in f"{self.made:03d}")
        return {"first_name": f"Zx{mark}", "last_name": f"Qv{mark}", "other": f"Met zx{mark} at the fair"}

    def ok(self, answer: HttpResponse) -> HttpResponse:
        """Return an answer that says that it was done; raise `Refused` for one that says that it was not."""
        assert answer.status_code not in OURS, (answer.status_code, answer.content[:500])
        if answer.status_code >= 400:
            raise Refused(answer.status_code)
        return answer

    def commit(self) -> None:
        """Do what a commit would: check the foreign keys, and what waits for it, but for waking workers."""
        connection.check_constraints()
        waiting, connection.run_on_commit = connection.run_on_commit, []
        for _savepoints, callback, _robust in waiting:
            if callback.__module__ != kick.__name__:
                callback()

    def facts(self) -> set[str]:
        """Return what is there now."""
        with connection.cursor() as cursor:
            cursor.execute(LOOK)
            facts = {"", *(fact for fact, here in zip(FACTS, cursor.fetchone(), strict=True) if here)}
        return facts | ({"a link"} if self.links else set()) | ({"an edit"} if self.undo_links else set())

    def offer_to_undo(self, person: Contact, since: int) -> None:
        """Remember what the page offers after an edit: to undo what came after an event and led to this version."""
        version = ComplianceCard.objects.values_list("version", flat=True).get(pk=person.pk)
        self.undo_links.append((person.pk, since, version))

    def says_no(self, *addresses: str) -> None:
        """Know that addresses said no."""
        self.said_no |= set(addresses) - {""}

    def report(self, body: dict[str, Any]) -> None:
        """Send what a mail provider reports."""
        signed = f"Basic {base64.b64encode(WEBHOOK_SECRET.encode()).decode()}"
        self.ok(
            self.anonymous.post(
                "/webhooks/postmark/",
                json.dumps(body),
                content_type="application/json",
                headers={"Authorization": signed},
            )
        )

    def _program(self, user: User) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(user, 'machine')}")
        return client

    def _browser(self, user: User) -> Client:
        if user.username not in self.sessions:
            self.sessions[user.username] = Client()
            self.sessions[user.username].force_login(user)
        return self.sessions[user.username]

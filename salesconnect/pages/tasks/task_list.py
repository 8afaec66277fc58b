"""Bulk changes and imports as one list, for the Tasks page and the top bar."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compliance.models import ImportJob
from contacts.jobs.bulk_undo import UNDO_DAYS
from contacts.models import Batch, Contact, User
from contacts.models.batch import OPEN, State
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import SortKey
from salesconnect.lib.web import parsing
from salesconnect.lib.web.paging import neighbours
from salesconnect.pages.people.list_query import ListQuery
from salesconnect.pages.tasks.batch_words import headline, refusal, result, undoable

PAGE = 30
POSITION = re.compile(r"(?P<at>.{1,40})~(?P<kind>[bi])(?P<number>[0-9]{1,18})")
KEY = re.compile(r"[bi][0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Task:
    """A bulk change or import as the pages show it. `key` is `b` or `i` with the id."""

    key: str
    kind: str
    title: str
    result: str
    url: str
    who: str
    at: dt.datetime
    state: str
    state_label: str
    done: int
    total: int
    started_at: dt.datetime | None
    undo_url: str = ""
    cancel_url: str = ""
    file_url: str = ""
    user_id: int | None = None
    approve_url: str = ""

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def percent(self) -> int:
        """Return the progress in per cent; 0 while the total is unknown."""
        return min(100, 100 * self.done // self.total) if self.total else 0

    @property
    def remaining(self) -> str:
        """Return the estimated time left in words; empty before there is progress, and after the end."""
        if not (self.done and self.started_at and self.is_open):
            return ""
        now = timezone.now()
        left = (now - self.started_at) / self.done * max(self.total - self.done, 0)
        if left >= dt.timedelta(minutes=1):
            return timesince(now, now + left, depth=1)
        # Rounded to five seconds, so that the number does not flicker.
        seconds = 5 * (1 + left.seconds // 5)
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}


@dataclass(frozen=True, slots=True)
class ListPosition:
    """A position in the list of tasks: newest first; at the same moment bulk changes before imports, then by id."""

    at: dt.datetime
    kind: str
    number: int

    @classmethod
    def read(cls, text: str) -> "ListPosition | None":
        """Parse a position from a URL; None if it is malformed."""
        found = POSITION.fullmatch(text)
        moment = parsing.moment(found["at"]) if found else None
        return cls(moment, found["kind"], int(found["number"])) if found and moment else None

    @classmethod
    def of(cls, task: Task) -> "ListPosition":
        return cls(task.at, task.key[0], int(task.key[1:]))

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.kind}{self.number}"

    def before(self, kind: str) -> Q:
        tie = Q(pk__lt=self.number) if kind == self.kind else Q() if kind > self.kind else Q(pk__in=[])
        return Q(created_at__lte=self.at) & (Q(created_at__lt=self.at) | Q(created_at=self.at) & tie)


def page(before: str) -> dict[str, Any]:
    """Return a page of tasks older than the position `before`, or the newest ones, with counts for the header."""
    place = ListPosition.read(before)
    orders = Batch.objects.filter(place.before("b") if place else Q())
    imports = ImportJob.objects.filter(place.before("i") if place else Q(), attempt__gt=0, dry_run=False)
    orders = orders.select_related("undoes").prefetch_related("undone_by")
    # One row more than a page tells whether there are older ones.
    found = [
        *map(of_batch, orders.order_by("-created_at", "-pk")[: PAGE + 1]),
        *map(of_import, imports.order_by("-created_at", "-pk")[: PAGE + 1]),
    ]
    # `sort` is stable and both parts are sorted, so bulk changes stay before imports of the same moment.
    found.sort(key=lambda task: task.at, reverse=True)
    tasks = found[:PAGE]
    more = str(ListPosition.of(tasks[-1])) if len(found) > PAGE else ""
    return {"tasks": tasks, "more": more, "newest": not place, "counts": _counts()}


def details(batch: Batch) -> dict[str, Any]:
    return {
        "task": of_batch(batch),
        "batch": batch,
        "title": headline(batch),
        "refused": [(refusal(reason), count) for reason, count in sorted(batch.refused.items())],
        "named": batch.refusals.exists(),
        "picked": batch.selection.get("picked"),
        "people_url": ListQuery(batch.selection.get("filter") or {}).url,
        "filter": batch.selection.get("filter"),
        "forgotten": batch.selection.get("forgotten"),
        "reason": batch.params.get("reason"),
        "undone_by": batch.undone_by.order_by("pk").first(),
        "undo_until": batch.created_at + dt.timedelta(days=UNDO_DAYS),
    }


def refusals(batch: Batch, cursor: str | None) -> dict[str, Any]:
    """Return a page of the people refused by a batch, with the reasons; deleted people have no name."""
    page = keyset.page(
        batch.refusals.all(), [SortKey("id")], cursor=cursor, size=PAGE, values=lambda refused: (refused.pk,)
    )
    people = Contact.objects.in_bulk([row.contact_id for row in page.rows])
    rows = [(row.contact_id, people.get(row.contact_id), refusal(row.reason)) for row in page.rows]
    here = reverse("task-refused", args=[batch.pk])
    return {"batch": batch, "title": headline(batch), "rows": rows, **neighbours(page, {}, here)}


def running(user: User) -> list[Task]:
    orders = Batch.objects.filter(state__in=OPEN, user=user).order_by("pk")
    imports = ImportJob.objects.filter(state__in=OPEN, user=user, attempt__gt=0, dry_run=False).order_by("pk")
    return [*map(of_batch, orders), *map(of_import, imports)]


def ended(user: User, keys: Sequence[str]) -> list[Task]:
    numbers = [key[1:] for key in keys if KEY.fullmatch(key)]
    if not numbers:
        return []
    orders = Batch.objects.filter(pk__in=numbers, user=user).exclude(state__in=OPEN)
    imports = ImportJob.objects.filter(pk__in=numbers, user=user, dry_run=False).exclude(state__in=OPEN)
    return [task for task in (*map(of_batch, orders), *map(of_import, imports)) if task.key in keys]


def of_batch(batch: Batch) -> Task:
    key = [batch.pk]
    recent = batch.created_at > timezone.now() - dt.timedelta(days=UNDO_DAYS)
    can_undo = batch.ended and undoable(batch) and recent and not batch.undone_by.all()
    return Task(
        key=f"b{batch.pk}",
        kind=batch.kind,
        title=headline(batch),
        result=result(batch),
        url=reverse("task", args=key),
        who=batch.actor_name,
        user_id=batch.user_id,
        approve_url=reverse("approve-task", args=key) if batch.state == State.WAITING else "",
        at=batch.created_at,
        state=batch.state,
        state_label=str(State(batch.state).label),
        done=batch.done,
        total=batch.total,
        started_at=batch.started_at,
        undo_url=reverse("undo-task", args=key) if can_undo else "",
        cancel_url="" if batch.ended else reverse("cancel-task", args=key),
        file_url=reverse("task-file", args=key) if batch.kind == "export" and batch.state == State.DONE else "",
    )


def of_import(job: ImportJob) -> Task:
    return Task(
        key=f"i{job.pk}",
        kind="import",
        title=_("Import of %(file)s") % {"file": job.file_name},
        result=job.error or _("%(created)d created, %(updated)d updated, %(rejected)d rejected.") % vars(job),
        url=reverse("import", args=[job.pk]),
        who=job.actor_name,
        user_id=job.user_id,
        at=job.created_at,
        state=job.state,
        state_label=str(State(job.state).label),
        done=job.done,
        total=job.total,
        started_at=job.started_at,
        cancel_url="" if job.ended else reverse("cancel-import", args=[job.pk]),
    )


def _counts() -> dict[str, int]:
    """Return how many bulk changes are open, and how many were done or failed in the last 24 hours."""
    yesterday = timezone.now() - dt.timedelta(days=1)
    return Batch.objects.filter(Q(state__in=OPEN) | Q(created_at__gt=yesterday)).aggregate(
        open=Count("pk", filter=Q(state__in=OPEN)),
        done=Count("pk", filter=Q(state=State.DONE, created_at__gt=yesterday)),
        failed=Count("pk", filter=Q(state=State.FAILED, created_at__gt=yesterday)),
    )

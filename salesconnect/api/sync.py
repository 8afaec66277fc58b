"""The sync with Salesforce in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models.batch import State as RunState
from salesconnect.api.contacts.contacts import PersonEndpoint
from salesconnect.api.protocol.base import PAGING, Endpoint, newest_first, utc
from salesconnect.api.protocol.fields import PAGE_PARAMETERS, Body, Nothing, page_of, read
from salesconnect.common.sync_words import alert_words
from unsubscribes.crm.connection import connecting, sync_control
from unsubscribes.crm.models import SyncConnection, SyncError, SyncJob, SyncRecord, SyncRun
from unsubscribes.crm.monitoring import alerts, status


class RunBody(Body):
    """Which way to sync; a dry run changes nothing on either side."""

    direction = serializers.ChoiceField(("pull", "push", "both"), required=False, default="both")
    dry_run = serializers.BooleanField(required=False, default=False)


class Ordered(serializers.Serializer):
    """The number of a run."""

    run = serializers.IntegerField()


class Usage(serializers.Serializer):
    """The org's API calls of the last 24 hours."""

    used = serializers.IntegerField(allow_null=True)
    max = serializers.IntegerField(allow_null=True)
    budget = serializers.IntegerField(allow_null=True)


class Problem(serializers.Serializer):
    """What is not as it should be though nothing has failed; `count` and `since` where it is work that waits."""

    code = serializers.CharField()
    text = serializers.CharField()
    count = serializers.IntegerField(allow_null=True)
    since = serializers.DateTimeField(allow_null=True)


class StatusReply(serializers.Serializer):
    """How the sync stands; lag and clock in seconds, `clock_ahead` by how much Salesforce's clock is ahead.

    `conditional_writes` says whether the org keeps a changed record from being written over; without it no re-consent
    is written there. Null: not tried yet.
    """

    state = serializers.ChoiceField(SyncConnection.State.choices)
    paused_until = serializers.DateTimeField(allow_null=True)
    lag = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    outbox = serializers.DictField(child=serializers.IntegerField())
    usage = Usage()
    clock_ahead = serializers.IntegerField(allow_null=True)
    conditional_writes = serializers.BooleanField(allow_null=True)
    jobs = serializers.IntegerField()
    problems = Problem(many=True)


class Run(serializers.ModelSerializer):
    """A run and what it came to."""

    state = serializers.ChoiceField(RunState.choices)

    class Meta:
        model = SyncRun
        fields = (
            "id", "kind", "direction", "dry_run", "state", "calls", "read", "changed", "written", "errors",
            "corrections", "findings", "message", "created_at", "started_at", "finished_at",
        )  # fmt: skip


class ErrorReply(serializers.Serializer):
    """Why a record could not be synced."""

    id = serializers.IntegerField()
    record_id = serializers.CharField(source="sf_id")
    sobject = serializers.CharField()
    direction = serializers.ChoiceField(("pull", "push"))
    code = serializers.CharField()
    message = serializers.CharField()
    count = serializers.IntegerField()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    state = serializers.ChoiceField(SyncError.State.choices)


class Record(serializers.Serializer):
    """A record of the person in Salesforce, as it was seen last."""

    id = serializers.CharField(source="sf_id")
    sobject = serializers.CharField()
    opted_out = serializers.BooleanField(allow_null=True)
    deleted = serializers.BooleanField()
    url = serializers.URLField(allow_null=True)
    synced_at = serializers.DateTimeField()
    outbox = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)


class SyncViewSet(Endpoint):
    """The sync as a whole."""

    rights = {
        "status": "view_people",
        "runs": "view_people",
        "errors": "view_people",
        "retry": connecting.RIGHT,
        "run": connecting.RIGHT,
    }
    parameters = {"runs": PAGING, "errors": PAGING}

    @extend_schema(responses=StatusReply)
    @action(detail=False)
    def status(self, request: Request) -> Response:
        """Tell how the sync stands."""
        now = status.status()
        usage = {"used": now.used, "max": now.allowed, "budget": now.budget}
        paused = utc(now.paused_until)
        body = {"state": now.state, "paused_until": paused, "lag": now.lag, "outbox": now.outbox, "usage": usage}
        return Response(body | _of_the_org() | {"problems": [_problem(alert) for alert in alerts.alerts()]})

    @extend_schema(parameters=PAGE_PARAMETERS, responses=page_of(Run))
    @action(detail=False)
    def runs(self, request: Request) -> Response:
        """List the runs, newest first."""
        return newest_first(request, SyncRun.objects.defer("flight"), _run)

    @extend_schema(parameters=PAGE_PARAMETERS, responses=page_of(ErrorReply))
    @action(detail=False)
    def errors(self, request: Request) -> Response:
        """List what could not be synced, newest first."""
        return newest_first(request, SyncError.objects.all(), _error)

    @extend_schema(request=Nothing, responses=ErrorReply)
    @action(detail=False, methods=["post"], url_path="errors/<int:pk>/retry")
    def retry(self, request: Request, pk: int) -> Response:
        """Try a record again that was given up."""
        read(Nothing, request.data)
        return Response(_error(sync_control.retry(pk, actor=self.actor)))

    @extend_schema(request=RunBody, responses={202: Ordered})
    @action(detail=False, methods=["post"])
    def run(self, request: Request) -> Response:
        """Order a run; a worker does it."""
        values = read(RunBody, request.data)
        ordered = sync_control.request_run(actor=self.actor, direction=values["direction"], is_dry=values["dry_run"])
        return Response({"run": ordered.pk}, 202)


class PersonSyncViewSet(PersonEndpoint):
    """What Salesforce has of one person."""

    rights = {"salesforce": "view_people"}

    @extend_schema(responses=page_of(Record))
    @action(detail=True)
    def salesforce(self, request: Request, pk: int) -> Response:
        """List the linked records of a person."""
        self.row(pk)
        row = connecting.connection()
        found = [_record(record, row) for record in status.records_of(pk)]
        return Response({"next": None, "previous": None, "results": found})


def _of_the_org() -> dict[str, Any]:
    row = connecting.connection()
    ahead = row.clock_ahead if row else None
    return {
        "clock_ahead": round(ahead.total_seconds()) if ahead is not None else None,
        "conditional_writes": row.conditional_writes if row else None,
        "jobs": SyncJob.objects.count(),
    }


def _problem(alert: alerts.Alert) -> dict[str, Any]:
    return {"code": alert.code, "text": alert_words(alert).what, "count": alert.number, "since": utc(alert.since)}


def _run(run: SyncRun) -> dict[str, Any]:
    body: dict[str, Any] = {name: getattr(run, name) for name in Run.Meta.fields}
    return body | {name: utc(body[name]) for name in ("created_at", "started_at", "finished_at")}


def _error(error: SyncError) -> dict[str, Any]:
    names = ("id", "sobject", "direction", "code", "message", "count", "state")
    seen = {"first_seen": utc(error.first_seen), "last_seen": utc(error.last_seen)}
    return {name: getattr(error, name) for name in names} | {"record_id": error.sf_id} | seen


def _record(record: SyncRecord, row: SyncConnection | None) -> dict[str, Any]:
    entry = status.newest_entry(record)
    return {
        "id": record.sf_id,
        "sobject": record.sobject,
        "opted_out": record.opted_out,
        "deleted": record.deleted,
        "url": (row and status.url_of(row, record.sf_id)) or None,
        "synced_at": utc(record.synced_at),
        "outbox": entry and entry.state,
        "code": entry and (entry.code or None),
    }

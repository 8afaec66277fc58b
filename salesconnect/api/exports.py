"""Exports in the API: one person within the request, many people as a batch."""

from collections.abc import Iterable
from typing import Any

from django.http import FileResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from compliance.card.rules import TEXT_LIMIT
from contacts.jobs.selected import selected_act
from contacts.models import Batch
from contacts.models.batch import State
from exports.files import csv_export
from exports.files.csv_column_registry import content_disposition
from exports.models import ExportJob
from salesconnect.api.contacts.serializers import refusals
from salesconnect.api.protocol.base import PAGING, Endpoint, idempotent, newest_first, utc
from salesconnect.api.protocol.fields import IDEMPOTENCY_KEY, PAGE_PARAMETERS, Body, Text, page_of, read
from salesconnect.api.protocol.parsers import StrictJSONParser
from salesconnect.common.evidence_pack import pack_answer
from salesconnect.common.selection import Selection
from salesconnect.lib.errors import Invalid, Missing

CSV_FILE = {(200, "text/csv"): OpenApiTypes.BINARY}
ZIP_FILE = {(200, "application/zip"): OpenApiTypes.BINARY}
EXPORT = selected_act("export")
REASON = OpenApiParameter("reason", str, description="What the data is for; it stays in the person's history.")


class ExportBody(Body):
    """The selected people, and what their data is for."""

    selection = serializers.JSONField()
    reason = Text(max_length=TEXT_LIMIT)


class ReasonBody(Body):
    """What the data is for; it stays in the person's history."""

    reason = Text(max_length=TEXT_LIMIT)


class ExportReply(serializers.Serializer):
    """A bulk export; `file` is the URL of the file once it is ready."""

    id = serializers.IntegerField()
    batch = serializers.IntegerField()
    state = serializers.ChoiceField(State.choices)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    reason = serializers.CharField()
    error = serializers.CharField()
    file = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class PersonExportViewSet(Endpoint):
    """The CSV of one person, and all that is held of the person."""

    # An export is recorded; HEAD would record one that did not happen.
    http_method_names = ["get", "post", "options"]
    parser_classes = [StrictJSONParser, FormParser, MultiPartParser]
    on_record = frozenset(("export", "evidence_pack"))
    rights = dict.fromkeys((*on_record, "order_export", "order_evidence_pack"), "export_people")
    parameters = dict.fromkeys(rights, frozenset({"reason"}))

    @extend_schema(parameters=[REASON], responses=CSV_FILE)
    @action(detail=True)
    def export(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Download one person as CSV, with a token."""
        return self._csv(pk)

    @extend_schema(parameters=[REASON], request=ReasonBody, responses=CSV_FILE)
    @export.mapping.post
    def order_export(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Download one person as CSV, with a session or a token."""
        return self._csv(pk)

    @extend_schema(parameters=[REASON], responses=ZIP_FILE)
    @action(detail=True, url_path="evidence-pack")
    def evidence_pack(self, request: Request, pk: int) -> FileResponse:
        """Download all that is held of one person, with the proof of it, with a token."""
        return pack_answer(pk, actor=self.actor, reason=self._reason())

    @extend_schema(parameters=[REASON], request=ReasonBody, responses=ZIP_FILE)
    @evidence_pack.mapping.post
    def order_evidence_pack(self, request: Request, pk: int) -> FileResponse:
        """Download all that is held of one person, with the proof of it, with a session or a token."""
        return pack_answer(pk, actor=self.actor, reason=self._reason())

    def _csv(self, pk: int) -> StreamingHttpResponse:
        file = csv_export.export_one(pk, actor=self.actor, reason=self._reason())
        return csv_answer([file.content], file.name)

    def _reason(self) -> str:
        sent = read(ReasonBody, self.request.data) if self.request.method == "POST" else {}
        reason = sent.get("reason") or self.request.query_params.get("reason", "")
        if len(reason) > TEXT_LIMIT or "\0" in reason:
            raise Invalid({"reason": [_("Use at most %(limit)d characters.") % {"limit": TEXT_LIMIT}]})
        return reason


class ExportViewSet(Endpoint):
    """Bulk exports."""

    rights = dict.fromkeys(("list", "retrieve", "create", "file"), "export_people")
    parameters = {"list": PAGING}

    @extend_schema(parameters=PAGE_PARAMETERS, responses=page_of(ExportReply))
    def list(self, request: Request) -> Response:
        """List bulk exports, newest first."""
        return newest_first(request, ExportJob.objects.select_related("batch"), self._body)

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=ExportBody, responses={202: ExportReply})
    @idempotent
    def create(self, request: Request) -> Response:
        """Order the CSV of many people."""
        values = read(ExportBody, request.data)
        selection = Selection.from_body(values["selection"])
        batch = EXPORT.order(
            selection.queryset(self.actor),
            EXPORT.params(values),
            actor=self.actor,
            selection=selection.as_json(),
            missing=selection.missing(self.actor),
        )
        return Response(self._body(batch.export), 202)

    @extend_schema(responses=ExportReply)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Show a bulk export and how far it is."""
        return Response(self._body(_job(pk)))

    @extend_schema(responses=CSV_FILE)
    @action(detail=True)
    def file(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Download the file of a bulk export, for seven days."""
        job = _job(pk)
        pieces = csv_export.read_file(job, actor=self.actor)
        return csv_answer(pieces, f"people-{timezone.localdate(job.batch.created_at)}.csv")

    def _body(self, job: ExportJob) -> dict[str, Any]:
        batch = job.batch
        ready = batch.state == Batch.State.DONE and job.file
        return {
            "id": job.pk,
            "batch": batch.pk,
            "state": batch.state,
            "total": batch.total,
            "done": batch.done,
            "refused": refusals(batch.refused),
            "reason": batch.params.get("reason", ""),
            "error": batch.error,
            "file": reverse("export-file", [job.pk], request=self.request) if ready else None,
            "created_at": utc(batch.created_at),
            "finished_at": utc(batch.finished_at),
        }


def csv_answer(pieces: Iterable[bytes] | Iterable[str], name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": content_disposition(name)}
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8", headers=headers)


def _job(pk: int) -> ExportJob:
    job = ExportJob.objects.select_related("batch").filter(pk=pk).first()
    if job is None:
        raise Missing
    return job

"""Imports in the API."""

import json
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.card.rules import Authorization, Source
from compliance.imports import import_jobs, rejects
from compliance.models import ImportJob
from contacts.models.batch import State
from salesconnect.api.contacts.card_serializers import Card
from salesconnect.api.exports import CSV_FILE, csv_answer
from salesconnect.api.protocol import parsers
from salesconnect.api.protocol.base import PAGING, Endpoint, idempotent, newest_first, utc
from salesconnect.api.protocol.fields import IDEMPOTENCY_KEY, PAGE_PARAMETERS, page_of, read
from salesconnect.lib.errors import Missing


class ColumnMapping(serializers.CharField):
    """A JSON object from the headers of a file to fields; the empty text leaves a column out."""

    default_error_messages = {"not_a_mapping": _("This is not a JSON object of headers and fields.")}

    def to_internal_value(self, data: Any) -> Any:
        try:
            mapping = json.loads(super().to_internal_value(data))
        except (ValueError, RecursionError):  # deeply nested JSON overflows the parser's stack
            self.fail("not_a_mapping")
        parsers.check(mapping)
        if not isinstance(mapping, dict) or not all(isinstance(field, str) for field in mapping.values()):
            self.fail("not_a_mapping")
        return mapping


class ColumnNames(serializers.CharField):
    """Headers of columns that are left out on purpose: a JSON list, or a single header."""

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        try:
            names = json.loads(text)
        except (ValueError, RecursionError):
            return [text]
        parsers.check(names)
        return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else [text]


class OptOutWords(serializers.CharField):
    """A JSON object from headers to the values in that column that mean an opt-out; all others mean none."""

    default_error_messages = {"no_words": _("This is not a JSON object of headers and lists of words.")}

    def to_internal_value(self, data: Any) -> Any:
        try:
            words = json.loads(super().to_internal_value(data))
        except (ValueError, RecursionError):
            self.fail("no_words")
        parsers.check(words)
        if not isinstance(words, dict) or not all(_are_texts(said) for said in words.values()):
            self.fail("no_words")
        return words


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


class ImportBody(Card):
    """A file of people; the card's fields apply to all its rows."""

    file = serializers.FileField()
    mapping = ColumnMapping(required=False)
    ignore = ColumnNames(required=False)
    opt_out_words = OptOutWords(required=False)
    dry_run = serializers.BooleanField(default=False)


class ImportReply(serializers.Serializer):
    """An import with the results of its rows."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(State.choices)
    file_name = serializers.CharField()
    dry_run = serializers.BooleanField()
    total = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()
    suppressed = serializers.IntegerField()
    consents_ended = serializers.IntegerField()
    error = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ImportViewSet(Endpoint):
    """Imports of files with people."""

    parser_classes = [MultiPartParser]
    rights = {
        "list": "view_people",
        "retrieve": "view_people",
        "rejected": "view_people",
        "create": "import_people",
    }
    parameters = {"list": PAGING}

    @extend_schema(parameters=PAGE_PARAMETERS, responses=page_of(ImportReply))
    def list(self, request: Request) -> Response:
        """List imports, newest first."""
        return newest_first(request, ImportJob.objects.all(), import_body)

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=ImportBody, responses={202: ImportReply})
    @idempotent
    def create(self, request: Request) -> Response:
        """Upload a CSV file and start its import."""
        values = read(ImportBody, request.data)
        file = values["file"]
        job = import_jobs.start(
            file,
            file.name,
            actor=self.actor,
            mapping=values.get("mapping"),
            ignore=values.get("ignore", ()),
            words=values.get("opt_out_words"),
            card=import_jobs.CardDefaults(Authorization.from_values(values), Source.from_values(values)),
            dry_run=values["dry_run"],
        )
        return Response(import_body(job), 202)

    @extend_schema(responses=ImportReply)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Show an import and its progress."""
        return Response(import_body(_job(pk)))

    @extend_schema(responses=CSV_FILE)
    @action(detail=True)
    def rejected(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Download the rejected rows, with line and reason first; once corrected, the file can be imported again."""
        job = _job(pk)
        return csv_answer(rejects.rejected_file(job), rejects.file_name(job))


def import_body(job: ImportJob) -> dict[str, Any]:
    names = ("id", "state", "file_name", "dry_run", "total", "created", "updated", "unchanged", "rejected")
    return {
        **{name: getattr(job, name) for name in (*names, "suppressed", "consents_ended", "error")},
        "created_at": utc(job.created_at),
        "finished_at": utc(job.finished_at),
    }


def _job(pk: int) -> ImportJob:
    job = ImportJob.objects.filter(pk=pk).first()
    if job is None:
        raise Missing
    return job

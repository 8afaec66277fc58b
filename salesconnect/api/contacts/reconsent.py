"""Removing an unsubscribe in the API, and downloading the evidence."""

from typing import Any

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.card.rules import TEXT_LIMIT
from salesconnect.api.contacts.contacts import PersonEndpoint
from salesconnect.api.contacts.serializers import Person
from salesconnect.api.protocol.fields import Body, Day, Text, read
from salesconnect.api.protocol.parsers import StrictJSONParser
from salesconnect.common.attachments import attachment
from salesconnect.lib.errors import Stale
from unsubscribes.evidence import evidence_store
from unsubscribes.evidence.reconsent import reconsent, require_reconsent_right
from unsubscribes.evidence.rules import WORDING_LIMIT, Channel, Evidence


class ReconsentBody(Body):
    """The evidence of a new consent: a file, or a reference to where one is kept."""

    consent_date = Day()
    channel = serializers.ChoiceField(Channel.choices)
    wording = serializers.CharField(max_length=WORDING_LIMIT)
    purpose = serializers.CharField(max_length=TEXT_LIMIT)
    evidence_file = serializers.FileField(required=False, allow_empty_file=True)
    evidence_reference = Text(max_length=TEXT_LIMIT)


class ReconsentViewSet(PersonEndpoint):
    """Re-consent, and the evidence of it."""

    parser_classes = [MultiPartParser, FormParser, StrictJSONParser]
    # A download is recorded; HEAD would record one that did not happen.
    http_method_names = ["get", "post", "options"]
    on_record = frozenset(("document",))
    rights = {"re_consent": "reconsent_people"} | dict.fromkeys(("document", "order_document"), "export_people")

    def handle_exception(self, problem: Exception) -> Response:
        """Leave the request body out of a 412: it may contain a document."""
        response = super().handle_exception(problem)
        if isinstance(problem, Stale):
            response.data.pop("yours")
        return response

    @extend_schema(request={"multipart/form-data": ReconsentBody}, responses=Person)
    @action(detail=True, methods=["post"], url_path="re-consent")
    def re_consent(self, request: Request, pk: int) -> Response:
        """Remove a person's unsubscribe because of a new consent, and show the person.

        A session needs a sign-in within the last ten minutes, as on the page; a token is refused (409, `page_only`).
        """
        require_reconsent_right(self.actor)
        version = self.expected_version(self.row(pk))
        reconsent(pk, _evidence(request.data), actor=self.actor, version=version)
        return self.answer(pk)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, url_path="evidence/<int:record>/file")
    def document(self, request: Request, pk: int, record: int) -> FileResponse:
        """Download the document of a piece of evidence, with a token."""
        return attachment(evidence_store.for_download(pk, record, actor=self.actor))

    @extend_schema(request=None, responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @document.mapping.post
    def order_document(self, request: Request, pk: int, record: int) -> FileResponse:
        """Download the document of a piece of evidence, with a session or a token."""
        return attachment(evidence_store.for_download(pk, record, actor=self.actor))


def _evidence(body: Any) -> Evidence:
    values = read(ReconsentBody, body)
    return Evidence(
        values["consent_date"],
        values["channel"],
        values["wording"],
        values["purpose"],
        values.get("evidence_reference", ""),
        values.get("evidence_file"),
    )

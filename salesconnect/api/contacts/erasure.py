"""Erasure of one person in the API (GDPR art. 17)."""

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from exports.erasure import erasure
from salesconnect.api.protocol.base import Endpoint
from salesconnect.api.protocol.fields import Body, read


class EraseBody(Body):
    """`dry_run`: only report. `on_request`: the person asked for the erasure."""

    dry_run = serializers.BooleanField(default=False)
    on_request = serializers.BooleanField(default=False)


class EraseReply(serializers.Serializer):
    """What is, or would be, removed: rows and files by kind, mails, and mentions of the person elsewhere.

    `salesforce` lists records that somebody must erase there, `templates` those that name the person and are kept.
    If the person asked for it, the address is refused as `erased` until `remembered_until`.
    """

    dry_run = serializers.BooleanField()
    people = serializers.IntegerField()
    rows = serializers.DictField(child=serializers.IntegerField())
    mails = serializers.IntegerField()
    files = serializers.DictField(child=serializers.IntegerField())
    mentions = serializers.DictField(child=serializers.IntegerField())
    salesforce = serializers.ListField(child=serializers.CharField())
    templates = serializers.ListField(child=serializers.CharField())
    suppressed = serializers.BooleanField()
    on_request = serializers.BooleanField()
    remembered_until = serializers.DateField(allow_null=True)


class EraseViewSet(Endpoint):
    """The erasure of one person."""

    rights = {"erase": "delete_people"}

    @extend_schema(request=EraseBody, responses=EraseReply)
    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: int) -> Response:
        """Erase a person everywhere and report what was removed; with `dry_run` report what would be.

        With `on_request` a hash of the address is kept for a limited time, so that no import brings the person back.
        """
        values = read(EraseBody, request.data)
        dry_run, on_request = values["dry_run"], values["on_request"]
        report = erasure.erase(pk, actor=self.actor, dry_run=dry_run, on_request=on_request)
        return Response({"dry_run": dry_run, **asdict(report)})

"""Erasure of one person through the API (GDPR art. 17): what would go, or what went."""

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
    """Whether only to say what would go, and whether the person asked for it."""

    dry_run = serializers.BooleanField(default=False)
    on_request = serializers.BooleanField(default=False)


class EraseReply(serializers.Serializer):
    """What goes, or went: rows by kind, mails, files by kind, and places elsewhere that named the person.

    `salesforce` are the records that somebody has to erase there, `templates` those that name the person and are kept.
    Until `remembered_until` the address of somebody who asked for it is refused as `erased`.
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
        """Erase a person everywhere and report what went; with `dry_run` say what would go.

        With `on_request` the address is remembered for a stated time, so that nobody brings the person back.
        """
        values = read(EraseBody, request.data)
        dry_run, on_request = values["dry_run"], values["on_request"]
        report = erasure.erase(pk, actor=self.actor, dry_run=dry_run, on_request=on_request)
        return Response({"dry_run": dry_run, **asdict(report)})

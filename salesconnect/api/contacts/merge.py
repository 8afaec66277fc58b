"""Merging two records of one person in the API."""

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.people.field_registry import DETAILS
from salesconnect.api.contacts.contacts import PersonEndpoint
from salesconnect.api.contacts.serializers import Person
from salesconnect.api.protocol.fields import Body, Nothing, read
from salesconnect.common.selection import LARGEST_ID
from salesconnect.lib.errors import Missing
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import undoable, unmerge


class MergeBody(Body):
    """The record to be merged into this one; `take` lists fields whose value is taken from it."""

    other = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    take = serializers.ListField(child=serializers.ChoiceField(DETAILS), default=list)


class MergeViewSet(PersonEndpoint):
    """Two records of one person."""

    rights = {"merge": "merge_people", "undo": "merge_people"}

    @extend_schema(request=MergeBody, responses=Person)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: int) -> Response:
        """Merge another record into this one and show it. The stricter legal basis and any opt-out are kept."""
        self.row(pk)
        values = read(MergeBody, request.data)
        merge(pk, values["other"], actor=self.actor, take=values["take"])
        return self.answer(pk)

    @extend_schema(request=None, responses=inline_serializer("MergeUndone", {"other": serializers.IntegerField()}))
    @action(detail=True, methods=["post"], url_path="merge/undo")
    def undo(self, request: Request, pk: int) -> Response:
        """Undo the newest merge into this record, within 30 days; return the id of the restored record."""
        self.row(pk)
        read(Nothing, request.data)
        merges = undoable(pk)
        if not merges:
            raise Missing
        unmerge(merges[0].pk, actor=self.actor)
        return Response({"other": merges[0].absorbed_id})

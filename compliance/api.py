"""The compliance card, the verdict and the bulk acts in the API."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from compliance import orders
from compliance.models import ComplianceCard
from compliance.revision import revise
from compliance.serializers import (
    EMPTY_CARD,
    BatchReply,
    BulkAuthorization,
    BulkDelete,
    BulkSource,
    BulkUnsubscribe,
    Card,
    VerdictReply,
    authorization,
    card_body,
    source,
    verdict_body,
)
from compliance.services import AUTHORIZATION_COLUMNS, SOURCE_COLUMNS, Column
from compliance.verdict import verdict
from contacts import batches
from contacts.api import PersonEndpoint, order_answer
from contacts.api_base import Endpoint, idempotent
from contacts.api_fields import IDEMPOTENCY_KEY, IF_MATCH, read
from contacts.models import Batch
from contacts.queries import ContactQuerySet
from contacts.selection import Selection
from contacts.serializers import refusals
from exports import erasure

Preview = Callable[[ContactQuerySet], dict[str, int]]


class CardViewSet(PersonEndpoint):
    """The compliance card of one person."""

    rights = {
        "compliance": "view_people",
        "verdict": "view_people",
        "replace_card": "edit_people",
        "change_card": "edit_people",
    }

    def body(self, row: dict[str, Any]) -> dict[str, Any]:
        """Show the card alone."""
        return card_body(row)

    @extend_schema(responses=Card)
    @action(detail=True)
    def compliance(self, request: Request, pk: int) -> Response:
        """Show a person's compliance card."""
        return self.answer(pk)

    @extend_schema(parameters=[IF_MATCH], request=Card, responses=Card)
    @compliance.mapping.put
    def replace_card(self, request: Request, pk: int) -> Response:
        """Replace a person's card: what is absent is not recorded."""
        return self._revise(request, pk, EMPTY_CARD)

    @extend_schema(parameters=[IF_MATCH], request=Card, responses=Card)
    @compliance.mapping.patch
    def change_card(self, request: Request, pk: int) -> Response:
        """Change what the body names of a person's card."""
        return self._revise(request, pk, {})

    @extend_schema(responses=VerdictReply)
    @action(detail=True)
    def verdict(self, request: Request, pk: int) -> Response:
        """Answer whether one may contact the person now, with every reason."""
        self.row(pk)
        return Response(verdict_body(verdict(ComplianceCard.objects.get(pk=pk)), timezone.now()))

    def _revise(self, request: Request, pk: int, absent: dict[str, Any]) -> Response:
        row, body = self.row(pk), request.data
        version = self.expected_version(row)
        revise(pk, actor=self.actor, card=absent | read(Card, body), version=version)
        return self.answer(pk)


class BulkViewSet(Endpoint):
    """Acts on many people: up to 5,000 at once (200), more by a worker (202)."""

    rights = {
        "authorization": "edit_people",
        "source": "edit_people",
        "unsubscribe": "unsubscribe_people",
        "delete_people": "delete_people",
    }

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY], request=BulkAuthorization, responses={200: BatchReply, 202: BatchReply}
    )
    @action(detail=False, methods=["post"])
    @idempotent
    def authorization(self, request: Request) -> Response:
        """Set the legal basis of many people."""
        values = read(BulkAuthorization, request.data)
        params = orders.authorization_params(authorization(values))
        return self._order("authorization", values, params, _card_preview(AUTHORIZATION_COLUMNS, values))

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=BulkSource, responses={200: BatchReply, 202: BatchReply})
    @action(detail=False, methods=["post"])
    @idempotent
    def source(self, request: Request) -> Response:
        """Set where the data of many people came from."""
        values = read(BulkSource, request.data)
        params = orders.source_params(source(values))
        return self._order("source", values, params, _card_preview(SOURCE_COLUMNS, values))

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=BulkUnsubscribe, responses={200: BatchReply, 202: BatchReply})
    @action(detail=False, methods=["post"])
    @idempotent
    def unsubscribe(self, request: Request) -> Response:
        """Opt many people out of mail."""
        values = read(BulkUnsubscribe, request.data)
        params = {"reason": values.get("reason", "")}
        return self._order("unsubscribe", values, params, orders.preview_unsubscribe)

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=BulkDelete, responses={200: BatchReply, 202: BatchReply})
    @action(detail=False, methods=["post"], url_path="delete")
    @idempotent
    def delete_people(self, request: Request) -> Response:
        """Delete many people."""
        return self._order("delete", read(BulkDelete, request.data), {}, erasure.preview)

    def _order(self, kind: str, values: dict[str, Any], params: dict[str, Any], preview: Preview) -> Response:
        selection = Selection.from_body(values["selection"])
        people, missing = selection.queryset(self.actor), selection.missing(self.actor)
        if values["dry_run"]:
            return Response(_dry_run(kind, preview(people), missing))
        batch = batches.order(
            people, kind, actor=self.actor, params=params, selection=selection.as_json(), missing=missing
        )
        return order_answer(batch)


def _card_preview(columns: Sequence[Column], values: dict[str, Any]) -> Preview:
    wanted = {column.name: (EMPTY_CARD | values)[column.name] for column in columns}
    return lambda people: orders.preview(people, columns, wanted)


def _dry_run(kind: str, counts: dict[str, int], missing: int) -> dict[str, Any]:
    """Return what an order would come to, in the form of an order that is done."""
    total = counts["total"] + missing
    return {
        "batch": None,
        "kind": kind,
        "state": Batch.State.DONE,
        "total": total,
        "done": total,
        "changed": counts["change"],
        "unchanged": counts["unchanged"],
        "refused": refusals({"not_found": missing}),
        "consents_ended": counts.get("consents_ended", 0),
    }

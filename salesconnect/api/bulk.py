"""Bulk acts in the API: one endpoint for each registered act."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.jobs.selected import Counts, SelectedAct, selected_acts
from contacts.models import Batch
from salesconnect.api.bulk_bodies import body_of
from salesconnect.api.contacts.card_serializers import BatchReply
from salesconnect.api.contacts.contacts import order_answer
from salesconnect.api.contacts.serializers import refusals
from salesconnect.api.protocol.base import Endpoint, idempotent
from salesconnect.api.protocol.fields import IDEMPOTENCY_KEY, read
from salesconnect.common.selection import Selection

ELSEWHERE = {"export": "exports/", "mail": "bulk/mails/"}
"""Acts with an endpoint of their own, which answers with more than a batch, and where it is."""


class BulkEndpoint(Endpoint):
    """Acts on many people: up to 5,000 within the request (200), more by a worker (202)."""

    def order(self, act: SelectedAct, values: dict[str, Any]) -> Response:
        """Order the act, or for a dry run count what it would change."""
        params, selection = act.params(values), Selection.from_body(values["selection"])
        people, missing = selection.queryset(self.actor), selection.missing(self.actor)
        if values["dry_run"]:
            counts = act.preview(people, params)
            consents = {"consents_ended": counts.consents_ended, "consents_replaced": counts.consents_replaced}
            return Response(dry_run_body(act, counts, missing) | consents)
        approved = values.get("expected")
        batch = act.order(
            people, params, actor=self.actor, selection=selection.as_json(), missing=missing, approved=approved
        )
        return order_answer(batch)


def dry_run_body(act: SelectedAct, counts: Counts, missing: int) -> dict[str, Any]:
    """Return the result of a dry run in the form of a batch that is done."""
    total = counts.total + missing
    return {
        "batch": None,
        "kind": act.kind,
        "state": Batch.State.DONE,
        "total": total,
        "done": total,
        "changed": counts.change,
        "unchanged": counts.unchanged,
        "refused": refusals({**counts.refused, "not_found": missing}),
    }


def _endpoint(name: str, act: SelectedAct) -> Callable[..., Response]:
    body = body_of(act)

    def endpoint(self: BulkEndpoint, request: Request) -> Response:
        return self.order(act, read(body, request.data))

    # DRF's `action` reads name and docstring when it decorates, so they are set before.
    endpoint.__name__, endpoint.__doc__ = name, type(act).__doc__
    routed = action(detail=False, methods=["post"], url_path=act.kind, url_name=act.kind)(idempotent(endpoint))
    documented = extend_schema(parameters=[IDEMPOTENCY_KEY], request=body, responses={200: BatchReply, 202: BatchReply})
    return documented(routed)


def _endpoints() -> type[BulkEndpoint]:
    acts = {f"order_{kind}": act for kind, act in selected_acts().items() if kind not in ELSEWHERE}
    endpoints: dict[str, Any] = {name: _endpoint(name, act) for name, act in acts.items()}
    rights = {name: act.right for name, act in acts.items()}
    return type("BulkViewSet", (BulkEndpoint,), {"__doc__": BulkEndpoint.__doc__, "rights": rights, **endpoints})


BulkViewSet = _endpoints()

"""The compliance card, the verdict and the bulk acts in the API."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.card import orders
from compliance.card.revision import revise
from compliance.card.services import AUTHORIZATION_COLUMNS, SOURCE_COLUMNS, Column
from compliance.models import ComplianceCard, ReviewNote
from compliance.review import informing, restriction, review
from compliance.suppression import lookalikes
from compliance.verdict.judging import judged
from contacts.jobs import batches
from contacts.models import Batch, Contact
from contacts.people.queries import ContactQuerySet
from exports.erasure import erasure
from salesconnect.api.contacts.card_serializers import (
    EMPTY_CARD,
    BatchReply,
    BulkAuthorization,
    BulkDelete,
    BulkMark,
    BulkSource,
    BulkUnsubscribe,
    Card,
    NoteBody,
    NoteReply,
    RestrictionBody,
    RestrictionReply,
    VerdictReply,
    authorization,
    card_body,
    note_body,
    source,
    verdict_body,
)
from salesconnect.api.contacts.contacts import PersonEndpoint, order_answer
from salesconnect.api.contacts.serializers import refusals
from salesconnect.api.protocol.base import AS_OF, Endpoint, idempotent, utc
from salesconnect.api.protocol.fields import AS_OF_PARAMETER, IDEMPOTENCY_KEY, IF_MATCH, Nothing, page_of, read
from salesconnect.common.selection import Selection
from salesconnect.lib.errors import Conflict

Preview = Callable[[ContactQuerySet], dict[str, int]]


class CardViewSet(PersonEndpoint):
    """The compliance card of one person."""

    rights = {
        "compliance": "view_people",
        "verdict": "view_people",
        "not_the_same": "edit_people",
        "replace_card": "edit_people",
        "change_card": "edit_people",
    }
    parameters = {"compliance": AS_OF, "verdict": AS_OF}

    def body(self, row: dict[str, Any]) -> dict[str, Any]:
        """Show the card alone."""
        return card_body(row)

    @extend_schema(parameters=[AS_OF_PARAMETER], responses=Card)
    @action(detail=True)
    def compliance(self, request: Request, pk: int) -> Response:
        """Show a person's compliance card, now or `as_of` a past moment."""
        return self.answer_as_of(pk)

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

    @extend_schema(parameters=[AS_OF_PARAMETER], responses=VerdictReply)
    @action(detail=True)
    def verdict(self, request: Request, pk: int) -> Response:
        """Answer whether one may contact the person now, or might `as_of` a past moment, with every reason."""
        if past := self.past(pk):
            return Response(verdict_body(past.verdict, past.moment))
        self.row(pk)
        return self._verdict(pk)

    @extend_schema(request=None, responses=VerdictReply)
    @action(detail=True, methods=["post"], url_path="not-the-same")
    def not_the_same(self, request: Request, pk: int) -> Response:
        """Decide that a person is another than the one who said no and whose address looks alike; show the verdict."""
        self.row(pk)
        read(Nothing, request.data)
        lookalikes.tell_apart(pk, actor=self.actor)
        return self._verdict(pk)

    def _verdict(self, pk: int) -> Response:
        now = timezone.now()
        return Response(verdict_body(judged(ComplianceCard.objects.select_related("contact").get(pk=pk), now), now))

    def _revise(self, request: Request, pk: int, absent: dict[str, Any]) -> Response:
        row, body = self.row(pk), request.data
        version = self.expected_version(row)
        revise(pk, actor=self.actor, card=absent | read(Card, body), version=version)
        return self.answer(pk)


class RestrictionViewSet(PersonEndpoint):
    """Restriction of processing of one person (GDPR art. 18)."""

    rights = {"restriction": "view_people", "restrict": "restrict_people", "lift": "restrict_people"}

    @extend_schema(responses=RestrictionReply)
    @action(detail=True)
    def restriction(self, request: Request, pk: int) -> Response:
        """Tell whether the processing of a person is restricted, and since when."""
        self.row(pk)
        return self._answer(pk)

    @extend_schema(request=RestrictionBody, responses={200: RestrictionReply, 201: RestrictionReply})
    @restriction.mapping.post
    def restrict(self, request: Request, pk: int) -> Response:
        """Restrict the processing of a person; 201, or 200 when it is restricted already."""
        self.row(pk)
        reason = read(RestrictionBody, request.data).get("reason", "")
        outcome = restriction.restrict(Contact.objects.filter(pk=pk), reason, actor=self.actor)
        return self._answer(pk, 201 if outcome.changed else 200)

    @extend_schema(request=RestrictionBody, responses={204: None})
    @restriction.mapping.delete
    def lift(self, request: Request, pk: int) -> Response:
        """Lift the restriction of a person, with a reason."""
        self.row(pk)
        reason = read(RestrictionBody, request.data).get("reason", "")
        if not restriction.lift(Contact.objects.filter(pk=pk), reason, actor=self.actor).changed:
            raise Conflict("not_restricted", _("Processing of this person is not restricted."))
        return Response(status=204)

    def _answer(self, pk: int, status: int = 200) -> Response:
        since = ComplianceCard.objects.values_list("restricted_at", flat=True).get(pk=pk)
        return Response({"restricted": since is not None, "since": utc(since)}, status)


class BalanceViewSet(PersonEndpoint):
    """The balancing notes of a legitimate interest."""

    rights = {"notes": "view_people", "write": "edit_people"}

    @extend_schema(responses=page_of(NoteReply))
    @action(detail=True, url_path="balancing-notes")
    def notes(self, request: Request, pk: int) -> Response:
        """List the balancing notes of a person, newest first."""
        self.row(pk)
        notes = [note_body(note) for note in ReviewNote.objects.filter(contact=pk)]
        return Response({"next": None, "previous": None, "results": notes})

    @extend_schema(request=NoteBody, responses={201: NoteReply})
    @notes.mapping.post
    def write(self, request: Request, pk: int) -> Response:
        """Attach a balancing note to a person's legitimate interest, which is a review of it."""
        self.row(pk)
        texts = read(NoteBody, request.data)
        note = review.Note(**{name: texts.get(name, "") for name in ("purpose", "necessity", "balance")})
        return Response(note_body(review.balance(pk, note, actor=self.actor)), 201)


class BulkViewSet(Endpoint):
    """Acts on many people: up to 5,000 at once (200), more by a worker (202)."""

    rights = {
        "authorization": "edit_people",
        "source": "edit_people",
        "unsubscribe": "unsubscribe_people",
        "delete_people": "delete_people",
        "informed": "edit_people",
        "reviewed": "edit_people",
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
        """Delete many people; where the team asks for it, a second administrator has to approve it (`waiting`)."""
        values = read(BulkDelete, request.data)
        selection = Selection.from_body(values["selection"])
        people, missing = selection.queryset(self.actor), selection.missing(self.actor)
        if values["dry_run"]:
            return Response(_dry_run("delete", erasure.preview(people), missing))
        batch = erasure.order(
            people,
            actor=self.actor,
            expected=values.get("expected"),
            on_request=values["on_request"],
            selection=selection.as_json(),
            missing=missing,
        )
        return order_answer(batch)

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=BulkMark, responses={200: BatchReply, 202: BatchReply})
    @action(detail=False, methods=["post"])
    @idempotent
    def informed(self, request: Request) -> Response:
        """Put on record that many people have been told where their data comes from (GDPR art. 14)."""
        values = read(BulkMark, request.data)
        return self._order("informed", values, {"reason": values.get("reason", "")}, informing.preview)

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=BulkMark, responses={200: BatchReply, 202: BatchReply})
    @action(detail=False, methods=["post"])
    @idempotent
    def reviewed(self, request: Request) -> Response:
        """Put on record that the legal bases of many people were reviewed and hold."""
        values = read(BulkMark, request.data)
        return self._order("reviewed", values, {"reason": values.get("reason", "")}, review.preview)

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
        "refused": refusals({"not_found": missing, "restricted": counts.get("restricted", 0)}),
        "consents_ended": counts.get("consents_ended", 0),
        "consents_replaced": counts.get("consents_replaced", 0),
    }

"""The compliance card, the verdict, restriction and balancing notes in the API."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.card import card_changes
from compliance.card.revision import revise
from compliance.models import ReviewNote
from compliance.review import restriction, review
from compliance.suppression import lookalikes
from compliance.verdict.current_verdict import judged
from contacts.models import Contact
from salesconnect.api.contacts.card_serializers import (
    EMPTY_CARD,
    Card,
    NoteBody,
    NoteReply,
    RestrictionBody,
    RestrictionReply,
    VerdictReply,
    card_body,
    note_body,
    verdict_body,
)
from salesconnect.api.contacts.contacts import PersonEndpoint
from salesconnect.api.protocol.base import AS_OF, utc
from salesconnect.api.protocol.fields import AS_OF_PARAMETER, IF_MATCH, Nothing, page_of, read
from salesconnect.lib.errors import Conflict


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
        """Tell whether the person may be contacted now, or could be `as_of` a past moment, with all reasons."""
        if past := self.past(pk):
            return Response(verdict_body(past.verdict, past.moment))
        self.row(pk)
        return self._verdict(pk)

    @extend_schema(request=None, responses=VerdictReply)
    @action(detail=True, methods=["post"], url_path="not-the-same")
    def not_the_same(self, request: Request, pk: int) -> Response:
        """Decide that a person is not the one with a look-alike address who unsubscribed; return the verdict."""
        self.row(pk)
        read(Nothing, request.data)
        lookalikes.tell_apart(pk, actor=self.actor)
        return self._verdict(pk)

    def _verdict(self, pk: int) -> Response:
        now = timezone.now()
        return Response(verdict_body(judged(card_changes.card_of(pk), now), now))

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
            self.row(pk)
            raise Conflict("not_restricted", _("Processing of this person is not restricted."))
        return Response(status=204)

    def _answer(self, pk: int, status: int = 200) -> Response:
        since = card_changes.card_of(pk).restricted_at
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
        note = review.BalancingNote(**{name: texts.get(name, "") for name in ("purpose", "necessity", "balance")})
        return Response(note_body(review.balance(pk, note, actor=self.actor)), 201)

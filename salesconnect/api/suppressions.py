"""A person's opt-outs and opt-ins, and suppressed addresses, in the API."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.card.rules import TEXT_LIMIT
from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from contacts.people.rules import normalise_address
from salesconnect.api.protocol.base import Endpoint, utc
from salesconnect.api.protocol.fields import Body, Text, page_of, read
from salesconnect.lib.errors import Invalid, Missing
from unsubscribes.models import ConsentEvidence
from unsubscribes.opt_outs import of_person
from unsubscribes.opt_outs.of_person import PersonOptOut


class UnsubscribeBody(Body):
    """Why a person is opted out."""

    reason = Text(max_length=TEXT_LIMIT)


class Entry(serializers.Serializer):
    """One opt-out or opt-in."""

    date = serializers.DateTimeField()
    kind = serializers.ChoiceField(("unsubscribed", "resubscribed"))
    source = serializers.CharField()  # type: ignore[assignment] # a field's own option of that name
    reason = serializers.CharField()
    actor = serializers.CharField()
    evidence = serializers.JSONField(allow_null=True)


@extend_schema_serializer(many=False)
class SuppressionReply(serializers.Serializer):
    """Whether an address must not be mailed, since when, why, and from which source."""

    suppressed = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    source = serializers.ChoiceField(Suppression.Source.choices, allow_null=True)  # type: ignore[assignment]


class UnsubscribeViewSet(Endpoint):
    """The opt-outs and opt-ins of one person."""

    rights = {"unsubscribes": "view_people", "unsubscribe": "unsubscribe_people"}

    @extend_schema(responses=page_of(Entry))
    @action(detail=True)
    def unsubscribes(self, request: Request, pk: int) -> Response:
        """List a person's opt-outs and opt-ins, newest first."""
        entries = [_entry(said) for said in of_person.of_person(self._person(pk))]
        return Response({"next": None, "previous": None, "results": entries})

    @extend_schema(request=UnsubscribeBody, responses={200: Entry, 201: Entry})
    @unsubscribes.mapping.post
    def unsubscribe(self, request: Request, pk: int) -> Response:
        """Unsubscribe a person: 201; or 200 with the existing entry if the person already is unsubscribed."""
        self._person(pk)
        reason = read(UnsubscribeBody, request.data).get("reason", "")
        people = Contact.objects.visible_to(self.actor).filter(pk=pk)
        source = Suppression.Source.MANUAL
        outcome = suppression.unsubscribe(people, actor=self.actor, source=source, reason=reason)
        newest = of_person.of_person(self._person(pk))[0]
        return Response(_entry(newest), 201 if outcome.changed else 200)

    def _person(self, pk: int) -> Contact:
        person = Contact.objects.visible_to(self.actor).select_related("card").filter(pk=pk).first()
        if person is None:
            raise Missing
        return person


class SuppressionViewSet(Endpoint):
    """Addresses that must not be mailed."""

    rights = {"list": "view_people"}
    parameters = {"list": frozenset({"email"})}

    @extend_schema(parameters=[OpenApiParameter("email", str, required=True)], responses=SuppressionReply)
    def list(self, request: Request) -> Response:
        """Tell whether an address is suppressed; it need not belong to a person."""
        try:
            key = normalise_address(request.query_params.get("email", ""))
        except ValueError as problem:
            raise Invalid({"email": [str(problem)]}) from None
        return Response(_suppression(suppression.of_address(key)))


def _entry(said: PersonOptOut) -> dict[str, Any]:
    return {
        "date": utc(said.at),
        "kind": said.kind,
        "source": said.source,
        "reason": said.reason,
        "actor": said.actor,
        "evidence": said.evidence and _evidence(said.evidence),
    }


def _evidence(record: ConsentEvidence) -> dict[str, Any]:
    file = {"name": record.file_name, "size": record.size, "sha256": record.sha256} if record.file else None
    return {
        "id": record.pk,
        "consent_date": record.consent_date.isoformat(),
        "channel": record.channel,
        "wording": record.wording,
        "purpose": record.purpose,
        "reference": record.reference,
        "file": file,
    }


def _suppression(held: Suppression | None) -> dict[str, Any]:
    return {
        "suppressed": held is not None,
        "since": held and utc(held.since),
        "reason": held and held.reason,
        "source": held and held.source,
    }

"""Data subjects' requests in the API."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.card.rules import TEXT_LIMIT
from contacts.models import User
from exports.models import ANSWER_LIMIT, DataRequest
from exports.requests import open_requests, register
from salesconnect.api.protocol.base import PAGING, Endpoint, idempotent, newest_first, utc
from salesconnect.api.protocol.fields import IDEMPOTENCY_KEY, PAGE_PARAMETERS, Body, Day, Nothing, Text, page_of, read
from salesconnect.common.typed_requests import from_elsewhere
from salesconnect.lib.errors import Invalid
from salesconnect.lib.numbers import whole


class RequestBody(Body):
    """A request as it came in."""

    kind = serializers.ChoiceField(DataRequest.Kind.choices)
    contact = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    received = Day()
    identity_check = Text(max_length=TEXT_LIMIT)


class ExtendBody(Body):
    """Why the deadline is extended, and when the person was told, which must be within the first month."""

    reason_kind = serializers.ChoiceField(DataRequest.ExtensionKind.choices)
    reason = serializers.CharField(max_length=TEXT_LIMIT)
    told_on = Day()


class PauseBody(Body):
    """What the person was asked, and when; the deadline is paused from that day on."""

    reason_kind = serializers.ChoiceField(DataRequest.PauseKind.choices)
    reason = serializers.CharField(max_length=TEXT_LIMIT)
    asked_on = Day()


class IdentityBody(Body):
    """How the identity was checked."""

    identity_check = serializers.CharField(max_length=TEXT_LIMIT)


class AssignBody(Body):
    """The handler; null for nobody."""

    handler = serializers.PrimaryKeyRelatedField(queryset=User.objects.filter(is_active=True), allow_null=True)


class FinishBody(Body):
    """The outcome, and the answer given to the person."""

    outcome = serializers.ChoiceField([(each.value, each.label) for each in register.BY_HAND])
    answer = serializers.CharField(max_length=ANSWER_LIMIT)


class IdentityNoteReply(serializers.Serializer):
    """One note on how the identity was checked."""

    at = serializers.DateTimeField(allow_null=True)
    actor = serializers.CharField()
    text = serializers.CharField()


class RequestReply(serializers.Serializer):
    """A request. Once the person is erased, `contact` is null and all texts are empty.

    `days_late` counts from the due date: up to now while the request is open, up to the answer afterwards.
    """

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(DataRequest.Kind.choices)
    state = serializers.ChoiceField(DataRequest.State.choices)
    contact = serializers.IntegerField(allow_null=True)
    received = serializers.DateField()
    due = serializers.DateField()
    overdue = serializers.BooleanField()
    days_late = serializers.IntegerField()
    identity_check = serializers.CharField()
    identity_notes = IdentityNoteReply(many=True)
    handler = serializers.IntegerField(allow_null=True)
    extended_on = serializers.DateField(allow_null=True)
    extension_kind = serializers.CharField()
    extension_reason = serializers.CharField()
    told_on = serializers.DateField(allow_null=True)
    paused_on = serializers.DateField(allow_null=True)
    pause_kind = serializers.CharField()
    pause_reason = serializers.CharField()
    paused_days = serializers.IntegerField()
    outcome = serializers.CharField(allow_null=True)
    answer = serializers.CharField()
    done_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


FILTERS = ("kind", "state", "contact", "handler")
PARAMETERS = [OpenApiParameter(name, str) for name in FILTERS]
WRITES = ("create", "extend", "pause", "resume", "identity", "assign", "finish", "carry_out")


class RequestViewSet(Endpoint):
    """The register of requests."""

    rights = {"list": "view_people", "retrieve": "view_people"} | dict.fromkeys(WRITES, "handle_requests")
    parameters = {"list": PAGING | set(FILTERS)}

    @extend_schema(parameters=[*PARAMETERS, *PAGE_PARAMETERS], responses=page_of(RequestReply))
    def list(self, request: Request) -> Response:
        """List requests, newest first."""
        rows = DataRequest.objects.filter(**_conditions(request)).prefetch_related("identity_notes")
        return newest_first(request, rows, body)

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=RequestBody, responses={201: RequestReply})
    @idempotent
    def create(self, request: Request) -> Response:
        """Register a request; it is due in a month."""
        values = read(RequestBody, request.data)
        row = register.take_in(
            values["kind"],
            values["contact"],
            values["received"],
            identity_check=values.get("identity_check", ""),
            actor=self.actor,
        )
        return Response(body(row), 201)

    @extend_schema(responses=RequestReply)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Show a request; this is recorded in the person's history."""
        if request.auth is None and from_elsewhere(request._request):
            raise PermissionDenied(_("Another site led here. Looking goes on record, so open it from this one."))
        return Response(body(register.view(pk, actor=self.actor)))

    @extend_schema(request=ExtendBody, responses=RequestReply)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: int) -> Response:
        """Extend the deadline by two months, within the first month, with the reason that the person is told.

        409: `done`, `extended`, `too_late`.
        """
        # First whether it is possible at all: a 409 is more useful than errors in a body that would be refused anyway.
        register.may_extend(pk, actor=self.actor)
        given = read(ExtendBody, request.data)
        why = register.ClockReason(given["reason_kind"], given["reason"], given["told_on"])
        return Response(body(register.extend(pk, why, actor=self.actor)))

    @extend_schema(request=PauseBody, responses=RequestReply)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: int) -> Response:
        """Pause the deadline while the person is asked who they are or what they mean.

        409: `done`, `paused`, `too_late`.
        """
        register.may_pause(pk, actor=self.actor)
        given = read(PauseBody, request.data)
        why = register.ClockReason(given["reason_kind"], given["reason"], given["asked_on"])
        return Response(body(register.pause(pk, why, actor=self.actor)))

    @extend_schema(request=None, responses=RequestReply)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: int) -> Response:
        """End a pause; the paused days are added to the deadline."""
        register.find(pk, actor=self.actor)
        read(Nothing, request.data)
        return Response(body(register.resume(pk, actor=self.actor)))

    @extend_schema(request=IdentityBody, responses=RequestReply)
    @action(detail=True, methods=["post"])
    def identity(self, request: Request, pk: int) -> Response:
        """Add a note on how the identity was checked."""
        register.find(pk, actor=self.actor)
        words = read(IdentityBody, request.data)["identity_check"]
        return Response(body(register.note_identity(pk, words, actor=self.actor)))

    @extend_schema(request=AssignBody, responses=RequestReply)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: int) -> Response:
        """Set the handler of a request."""
        register.find(pk, actor=self.actor)
        return Response(body(register.assign(pk, read(AssignBody, request.data)["handler"], actor=self.actor)))

    @extend_schema(request=FinishBody, responses=RequestReply)
    @action(detail=True, methods=["post"])
    def finish(self, request: Request, pk: int) -> Response:
        """Finish a request with its outcome and the answer.

        409: `done`; `not_carried_out` for an erasure, restriction or objection that the data shows is not done.
        """
        register.find(pk, actor=self.actor)
        values = read(FinishBody, request.data)
        return Response(body(register.finish(pk, values["outcome"], values["answer"], actor=self.actor)))

    @extend_schema(request=None, responses=RequestReply)
    @action(detail=True, methods=["post"], url_path="carry-out")
    def carry_out(self, request: Request, pk: int) -> Response:
        """Carry out an erasure, restriction or objection; any other request is ended with `finish`."""
        register.find(pk, actor=self.actor)
        read(Nothing, request.data)
        return Response(body(register.carry_out(pk, actor=self.actor)))


PLAIN = (
    "id",
    "kind",
    "state",
    "identity_check",
    "extension_kind",
    "extension_reason",
    "pause_kind",
    "pause_reason",
    "paused_days",
    "answer",
)


def body(row: DataRequest) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in PLAIN},
        "days_late": open_requests.days_late(row),
        "identity_notes": [
            {"at": utc(note.at), "actor": note.actor_name, "text": note.text} for note in row.identity_notes.all()
        ],
        "told_on": row.told_on and row.told_on.isoformat(),
        "contact": row.contact_id,
        "handler": row.handler_id,
        "received": row.received.isoformat(),
        "due": row.due.isoformat(),
        "overdue": open_requests.is_overdue(row),
        "extended_on": row.extended_on and row.extended_on.isoformat(),
        "paused_on": row.paused_on and row.paused_on.isoformat(),
        "outcome": row.outcome or None,
        "done_at": utc(row.done_at),
        "created_at": utc(row.created_at),
    }


def _conditions(request: Request) -> dict[str, Any]:
    """Return the filters of a list. Raises `Invalid` for unknown values."""
    given = {name: request.query_params[name] for name in FILTERS if name in request.query_params}
    wrong: list[str] = [name for name in ("contact", "handler") if name in given and whole(given[name]) is None]
    known = {"kind": DataRequest.Kind.values, "state": DataRequest.State.values}
    wrong += [name for name, values in known.items() if name in given and given[name] not in values]
    if wrong:
        raise Invalid({name: [_("There is no such value.")] for name in wrong})
    return given

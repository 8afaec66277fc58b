"""Mail in the API: write to one person or many, and follow the delivery."""

from typing import Any

from django.utils.translation import get_language
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.jobs.selected import selected_act
from contacts.models import Contact
from salesconnect.api import mail_filters
from salesconnect.api.bulk import dry_run_body
from salesconnect.api.contacts.card_serializers import BatchReply, Selected
from salesconnect.api.contacts.contacts import order_answer
from salesconnect.api.protocol.base import PAGING, Endpoint, idempotent, page_body, page_size, utc
from salesconnect.api.protocol.fields import IDEMPOTENCY_KEY, PAGE_PARAMETERS, Body, Text, page_of, read
from salesconnect.common.selection import Selection
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Missing
from unsubscribes.mail import failures, mailing, queries
from unsubscribes.mail.compose import BODY_LIMIT, Draft
from unsubscribes.models import SUBJECT_LIMIT, Message

FILTER_PARAMETERS = [
    OpenApiParameter("state", str, enum=[state for state, _label in mail_filters.STATES]),
    OpenApiParameter("batch", int, description="Mail of one bulk order."),
    OpenApiParameter("contact", int, description="Mail to one person."),
    OpenApiParameter("created_after", OpenApiTypes.DATETIME, description="Written at this moment or later."),
    OpenApiParameter("created_before", OpenApiTypes.DATETIME, description="Written before this moment."),
]


class MailBody(Body):
    """A mail, which may contain merge fields; `body` or `body_html` may be empty."""

    subject = serializers.CharField(max_length=SUBJECT_LIMIT)
    body = Text(max_length=BODY_LIMIT)
    body_html = Text(max_length=BODY_LIMIT)


class BulkMail(Selected, MailBody):
    """A mail to many people."""


class MailRow(serializers.Serializer):
    """A message to one person and its delivery; `reason` explains the state, if it needs an explanation."""

    id = serializers.IntegerField()
    contact = serializers.IntegerField()
    batch = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(mail_filters.STATES)
    reason = serializers.ChoiceField(Message.Reason.choices, allow_null=True)
    error = serializers.CharField()
    email = serializers.CharField()
    subject = serializers.CharField()
    actor = serializers.CharField()
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)


class Mail(MailRow):
    """A message with its texts."""

    text = serializers.CharField()
    html = serializers.CharField()


MAIL_PAGE = page_of(MailRow)
MAIL = selected_act("mail")


class PersonMailViewSet(Endpoint):
    """Mail to one person."""

    rights = {"mails": "view_people", "write": "mail_people", "allow": "mail_people"}
    parameters = {"mails": PAGING}

    @extend_schema(parameters=PAGE_PARAMETERS, responses=MAIL_PAGE)
    @action(detail=True)
    def mails(self, request: Request, pk: int) -> Response:
        """List the mail to a person, newest first, without the texts, which each mail's own address shows."""
        if not Contact.objects.visible_to(self.actor).filter(pk=pk).exists():
            raise Missing
        return _list(request, {"contact": str(pk)}, self.actor)

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=MailBody, responses={201: Mail})
    @mails.mapping.post
    @idempotent
    def write(self, request: Request, pk: int) -> Response:
        """Write to a person. Also 201 if the message is held back; see `state` and `reason`."""
        message = mailing.write_to_one(pk, Draft(**_draft(read(MailBody, request.data))), actor=self.actor)
        return Response(mail_body(message, with_link=True), 201)

    @extend_schema(responses={204: None})
    @action(detail=True, methods=["delete"], url_path="mail-failures")
    def allow(self, request: Request, pk: int) -> Response:
        """Allow mail again to a person whose last mails were not delivered."""
        if not Contact.objects.visible_to(self.actor).filter(pk=pk).exists():
            raise Missing
        failures.allow(pk, actor=self.actor)
        return Response(status=204)


class MailViewSet(Endpoint):
    """Messages."""

    rights = {"list": "view_people", "retrieve": "view_people"}
    parameters = {"list": mail_filters.FILTERS | PAGING}

    @extend_schema(parameters=[*FILTER_PARAMETERS, *PAGE_PARAMETERS], responses=MAIL_PAGE)
    def list(self, request: Request) -> Response:
        """List messages, newest first, without the texts, which each message's own address shows."""
        query = {name: str(value) for name, value in request.query_params.items() if name in mail_filters.FILTERS}
        return _list(request, query, self.actor)

    @extend_schema(responses=Mail)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Show a message. Its unsubscribe link works for whoever has it, so only callers who may mail people see it."""
        message = queries.visible(self.actor).filter(pk=pk).first()
        if message is None:
            raise Missing
        return Response(mail_body(message, with_link=self.actor.may("mail_people")))


class BulkMailViewSet(Endpoint):
    """Mail to many people."""

    rights = {"mails": "mail_people"}

    @extend_schema(request=BulkMail, responses={200: BatchReply, 202: BatchReply})
    @action(detail=False, methods=["post"])
    @idempotent
    def mails(self, request: Request) -> Response:
        """Write to many people; those who may not be mailed are counted under `refused`."""
        values = read(BulkMail, request.data)
        params, selection = MAIL.params(_draft(values)), Selection.from_body(values["selection"])
        people, missing = selection.queryset(self.actor), selection.missing(self.actor)
        if values["dry_run"]:
            return Response(dry_run_body(MAIL, MAIL.preview(people, params), missing))
        picked = selection.as_json()
        return order_answer(MAIL.order(people, params, actor=self.actor, selection=picked, missing=missing))


def mail_body(message: Message, *, with_link: bool) -> dict[str, Any]:
    text, html = queries.shown(message, with_link=with_link)
    return mail_row(message) | {"text": text, "html": html}


def mail_row(message: Message) -> dict[str, Any]:
    return {
        "id": message.pk,
        "contact": message.contact_id,
        "batch": message.batch_id,
        "state": Message.State.QUEUED if message.state == Message.State.SENDING else message.state,
        "reason": message.why or None,
        "error": message.error,
        "email": message.email,
        "subject": message.subject,
        "actor": message.actor_name,
        "created_at": utc(message.created_at),
        "sent_at": utc(message.sent_at),
    }


def _list(request: Request, query: dict[str, str], actor: Actor) -> Response:
    page = mail_filters.page(query, actor=actor, cursor=request.query_params.get("cursor"), size=page_size(request))
    return Response(page_body(request, page, [mail_row(message) for message in page.rows]))


def _draft(values: dict[str, Any]) -> dict[str, str]:
    language = (get_language() or "en").partition("-")[0]
    texts = {"subject": values["subject"], "body": values.get("body", ""), "body_html": values.get("body_html", "")}
    return texts | {"language": language}

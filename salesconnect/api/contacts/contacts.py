"""People, their history and bulk changes in the API."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from compliance.card.creation import create_person
from compliance.card.revision import OwnerChoice, revise
from compliance.card.rules import Authorization, Source
from compliance.card.staging import NewPerson
from compliance.verdict import asof
from compliance.verdict.asof import PersonAsOf
from contacts.events import history
from contacts.jobs import batches, bulk_undo
from contacts.jobs.acts import ACTS
from contacts.models import Batch, Contact
from contacts.people import listing
from contacts.people.field_registry import DETAILS
from exports.erasure import erasure
from salesconnect.api.contacts.card_serializers import EMPTY_CARD, BatchReply, Refused
from salesconnect.api.contacts.serializers import (
    Count,
    Event,
    Person,
    batch_body,
    errors_by_place,
    event_body,
    past_row,
    people_rows,
    person_body,
)
from salesconnect.api.protocol.base import (
    AS_OF,
    PAGING,
    Endpoint,
    as_of,
    etag,
    expected_version,
    idempotent,
    newest_first,
    page_body,
    page_size,
)
from salesconnect.api.protocol.fields import (
    AS_OF_PARAMETER,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    PAGE_PARAMETERS,
    Nothing,
    page_of,
    read,
)
from salesconnect.common.filters import ContactFilter, filtered, matching_count
from salesconnect.lib.database import keyset
from salesconnect.lib.database.keyset import SortKey
from salesconnect.lib.errors import Invalid, Missing, Restricted, Stale

FILTERS = frozenset(ContactFilter.base_filters)
FILTER_PARAMETERS = [
    OpenApiParameter(name, str, description=str(known.label)) for name, known in ContactFilter.base_filters.items()
]
ORDERING = OpenApiParameter("ordering", str, description="Fields separated by commas; `-` in front for descending.")


class PersonEndpoint(Endpoint):
    """Base of endpoints about one person. An edit conflict is answered with 412 and both versions."""

    def find(self, contact_id: int) -> dict[str, Any] | None:
        return people_rows(Contact.objects.visible_to(self.actor).filter(pk=contact_id)).first()

    def row(self, contact_id: int) -> dict[str, Any]:
        row = self.find(contact_id)
        if row is None:
            raise Missing
        return row

    def body(self, row: dict[str, Any]) -> dict[str, Any]:
        return person_body(row)

    def past(self, contact_id: int) -> PersonAsOf | None:
        """Return the person as known at the `as_of` moment; None without that parameter.

        Raises `Missing` if the person did not exist then, or is not visible now.
        """
        moment = as_of(self.request)
        if moment is None:
            return None
        contact = Contact.objects.visible_to(self.actor).filter(pk=contact_id).first()
        found = asof.past(contact, moment) if contact else None
        if found is None:
            raise Missing
        return found

    def answer_as_of(self, contact_id: int) -> Response:
        """Return the person as known at `as_of` (without `ETag`: the past cannot be changed), else as stored."""
        found = self.past(contact_id)
        return Response(self.body(dict(past_row(found)))) if found else self.answer(contact_id)

    def answer(self, contact_id: int, status: int = 200) -> Response:
        """Return the stored person, with the version as `ETag`."""
        row = self.row(contact_id)
        return Response(self.body(row), status, headers=etag(row["card__version"]))

    def expected_version(self, row: dict[str, Any]) -> int | None:
        """Return the version of `If-Match`. Raises `Stale` if the person is no longer at it."""
        version = expected_version(self.request)
        if version not in (None, row["card__version"]):
            raise Stale(row["id"], version, row["card__version"])
        return version

    def handle_exception(self, problem: Exception) -> Response:
        """Add both versions to a 412, so that the caller can merge them without another request."""
        response = super().handle_exception(problem)
        if isinstance(problem, Stale) and (newer := self.find(problem.contact_id)):
            response.data |= {"current": self.body(newer), "yours": self.request.data}
            response["ETag"] = etag(newer["card__version"])["ETag"]
        return response


class ContactViewSet(PersonEndpoint):
    """People."""

    rights = {
        "list": "view_people",
        "count": "view_people",
        "retrieve": "view_people",
        "history": "view_people",
        "create": "create_people",
        "update": "edit_people",
        "partial_update": "edit_people",
        "destroy": "delete_people",
    }
    parameters = {
        "list": FILTERS | PAGING | {"ordering"},
        "count": FILTERS,
        "history": PAGING,
        "retrieve": AS_OF,
    }

    def handle_exception(self, problem: Exception) -> Response:
        """Put the errors of card fields below `compliance`, where these fields are in the body."""
        if isinstance(problem, Invalid) and self.request.method != "GET":
            problem = Invalid(errors_by_place(problem.fields))
        return super().handle_exception(problem)

    @extend_schema(parameters=[*FILTER_PARAMETERS, ORDERING, *PAGE_PARAMETERS], responses=page_of(Person))
    def list(self, request: Request) -> Response:
        """List people."""
        ordering = request.query_params.get("ordering", "")
        keys = (key.path for key in listing.ordering_keys(ordering))
        rows = people_rows(self._filtered(), *keys)
        page = listing.people_page(rows, ordering, request.query_params.get("cursor"), page_size(request))
        return Response(page_body(request, page, [person_body(row) for row in page.rows]))

    @extend_schema(parameters=FILTER_PARAMETERS, responses=Count)
    @action(detail=False)
    def count(self, request: Request) -> Response:
        """Count people; exact up to 10,000."""
        number, capped = matching_count(self._filtered(), self._asked())
        return Response({"count": number, "capped": capped})

    @extend_schema(parameters=[IDEMPOTENCY_KEY], request=Person, responses={201: Person})
    @idempotent
    def create(self, request: Request) -> Response:
        """Create a person; the caller is the owner unless another one, or null, is named."""
        values = read(Person, request.data)
        card = values.get("compliance", {})
        owner = values.get("owner", request.user)
        new = NewPerson(_details(values), Authorization.from_values(card), Source.from_values(card))
        contact = create_person(new, actor=self.actor, owner_id=owner and owner.pk)
        return self.answer(contact.pk, 201)

    @extend_schema(parameters=[AS_OF_PARAMETER], responses=Person)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Show a person, now or `as_of` a past moment; the `ETag` is the version that `If-Match` takes."""
        return self.answer_as_of(pk)

    @extend_schema(parameters=[IF_MATCH], request=Person, responses=Person)
    def update(self, request: Request, pk: int) -> Response:
        """Replace a person's details, and the card when it is named."""
        return self._revise(request, pk, whole=True)

    @extend_schema(parameters=[IF_MATCH], request=Person, responses=Person)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what the body names of a person: all of it or nothing."""
        return self._revise(request, pk, whole=False)

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Delete a person."""
        version = self.expected_version(self.row(pk))
        people = Contact.objects.visible_to(self.actor).filter(pk=pk)
        outcome = erasure.delete(people, actor=self.actor, version=version)
        if outcome.refused:
            raise Restricted
        if not outcome.changed:
            raise Missing
        return Response(status=204)

    @extend_schema(parameters=PAGE_PARAMETERS, responses=page_of(Event))
    @action(detail=True)
    def history(self, request: Request, pk: int) -> Response:
        """List what happened to a person, newest first."""
        self.row(pk)
        page = keyset.page(
            history.of_contact(pk),
            [SortKey("at", descending=True), SortKey("id", descending=True)],
            cursor=request.query_params.get("cursor"),
            size=page_size(request),
            values=lambda event: (event.at, event.id),
        )
        undoes = history.undone_batches(page.rows)
        results = [event_body(event, undoes.get(event.batch_id)) for event in page.rows]
        return Response(page_body(request, page, results))

    def _filtered(self) -> Any:
        return filtered(self.actor, self._asked())

    def _asked(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.request.query_params.items() if name in FILTERS}

    def _revise(self, request: Request, pk: int, *, whole: bool) -> Response:
        # Parsed before the version check, because a 412 returns the body; validated after it.
        row, body = self.row(pk), request.data
        version = self.expected_version(row)
        values = read(Person, body, context={"current": person_body(row)})
        details, card = _details(values), values.get("compliance")
        if whole:
            details = dict.fromkeys(DETAILS, "") | details
            card = None if card is None else EMPTY_CARD | card
        owner = values.get("owner", OwnerChoice.UNCHANGED)
        revise(pk, actor=self.actor, details=details, card=card, owner=owner, version=version)
        return self.answer(pk)


class BatchViewSet(Endpoint):
    """Bulk changes."""

    rights = {
        "list": "view_people",
        "retrieve": "view_people",
        "refused": "view_people",
        "undo": "edit_people",
        "cancel": "view_people",
    }
    parameters = {"list": PAGING, "refused": PAGING}

    @extend_schema(parameters=PAGE_PARAMETERS, responses=page_of(BatchReply))
    def list(self, request: Request) -> Response:
        """List bulk changes, newest first."""
        return newest_first(request, Batch.objects.all(), batch_body)

    @extend_schema(responses=BatchReply)
    def retrieve(self, request: Request, pk: int) -> Response:
        """Show a bulk change and its progress."""
        return Response(batch_body(_batch(pk)))

    @extend_schema(parameters=PAGE_PARAMETERS, responses=page_of(Refused))
    @action(detail=True)
    def refused(self, request: Request, pk: int) -> Response:
        """List the people whom a bulk change refused to change, with the reasons."""
        rows = _batch(pk).refusals.all()
        return newest_first(request, rows, lambda row: {"contact": row.contact_id, "reason": row.reason})

    @extend_schema(request=None, responses={200: BatchReply, 202: BatchReply})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: int) -> Response:
        """Undo a change of authorization, source or owner for everybody who was not changed since."""
        batch = _batch(pk)
        read(Nothing, request.data)
        return order_answer(bulk_undo.undo(batch, actor=self.actor))

    @extend_schema(request=None, responses=BatchReply)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """Stop a bulk change; what it has changed stays changed."""
        batch = _batch(pk)
        self.actor.require(ACTS[batch.kind].right)
        self.actor.require_own(batch.user_id)
        read(Nothing, request.data)
        return Response(batch_body(batches.cancel(pk, actor=self.actor)))


def order_answer(batch: Batch) -> Response:
    """Return a new batch: 200 if it is done, 202 if a worker will do it."""
    return Response(batch_body(batch), 200 if batch.ended else 202)


def _batch(pk: int) -> Batch:
    batch = Batch.objects.filter(pk=pk).first()
    if batch is None:
        raise Missing
    return batch


def _details(values: dict[str, Any]) -> dict[str, str]:
    return {name: values[name] for name in DETAILS if name in values}

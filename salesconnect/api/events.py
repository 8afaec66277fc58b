"""The event feed of all people, and the proof of one event."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from contacts.events import feed, history
from contacts.sealing import proof
from salesconnect.api.contacts.serializers import FeedEvent, Proof, feed_body
from salesconnect.api.protocol.base import Endpoint, page_size
from salesconnect.api.protocol.fields import PAGE_PARAMETERS, page_of
from salesconnect.common import history_words
from salesconnect.lib.errors import Invalid
from salesconnect.lib.numbers import whole

FEED_PARAMETERS = [
    OpenApiParameter("after", int, description="The number of the last event seen; 0 begins with the first."),
    OpenApiParameter("action", str, description="Actions separated by commas: events of any of them."),
    *(parameter for parameter in PAGE_PARAMETERS if parameter.name == "page_size"),
]


class EventViewSet(Endpoint):
    """What happened."""

    rights = {"list": "view_people", "proof": "view_people"}
    parameters = {"list": frozenset({"after", "action", "page_size"})}

    @extend_schema(parameters=FEED_PARAMETERS, responses=page_of(FeedEvent))
    def list(self, request: Request) -> Response:
        """List the events of all people, oldest first. To follow the feed, ask again with `after` the last id seen.

        The feed stops before an event that is not committed yet, so none is ever skipped. With `action` a page may be
        empty and still have a `next`, because each request reads a limited range of ids.
        """
        after, actions = _after(request), _actions(request)
        page = feed.page(after, page_size(request), actions)
        undoes = history.undone_batches(page.events)
        results = [feed_body(event, undoes.get(event.batch_id)) for event in page.events]
        here, onward = request.build_absolute_uri(), page.next_after
        following = None if onward is None else replace_query_param(here, "after", onward)
        return Response({"next": following, "previous": None, "results": results})

    @extend_schema(responses=Proof)
    @action(detail=True)
    def proof(self, request: Request, pk: int) -> Response:
        """Prove that an event is as it was sealed; `exports/verify_proof.py` verifies the answer offline."""
        return Response(proof.of_event(pk, actor=self.actor))


def _after(request: Request) -> int:
    text = request.query_params.get("after", "0")
    number = whole(text)
    if number is None:
        raise Invalid({"after": [_("Give the number of an event.")]})
    return number


def _actions(request: Request) -> list[str]:
    asked = [name for name in request.query_params.get("action", "").split(",") if name]
    if unknown := sorted(set(asked) - set(history_words.SENTENCES)):
        raise Invalid({"action": [_("There is no action “%(name)s”.") % {"name": name} for name in unknown]})
    return asked

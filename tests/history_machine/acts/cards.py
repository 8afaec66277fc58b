"""What is recorded on the card: ground and source, one by one and many at once, and taken back."""

import datetime as dt
from typing import Any

from django.utils import timezone

from compliance.acts.authorization import authorization_params
from compliance.acts.source import source_params
from compliance.card import card_changes
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import NOT_RECORDED, Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.review import informing, review
from contacts import tasks
from contacts.events import history
from contacts.jobs import batches, bulk_undo
from contacts.jobs.acts import ACTS
from contacts.jobs.selected import selected_act
from contacts.models import Batch, Contact
from tests.history_machine.acts.table import act
from tests.history_machine.world import World

GROUNDS = (None, *AuthorizationType)
SOURCES = (None, *SourceType)
NOTE = {"purpose": "Sales to customers", "necessity": "Nothing milder does", "balance": "They expect it"}


def basis(how: int) -> Authorization:
    """Return a legal basis; a consent may be of any age."""
    kind = GROUNDS[how % len(GROUNDS)]
    if kind == AuthorizationType.CONSENT:
        return Authorization(kind, "", timezone.localdate() - dt.timedelta(days=how * 23), f"Newsletter {how % 2}")
    return Authorization(kind, "Handshake" if kind == AuthorizationType.OTHER else "")


def origin(how: int) -> Source:
    """Return a source."""
    kind = SOURCES[how % len(SOURCES)]
    return Source(kind, "Fair" if kind == SourceType.OTHER else "")


def basis_fields(authorization: Authorization, nothing: Any) -> dict[str, Any]:
    """Return a legal basis as a form or the API takes it, with the words for `nothing` recorded."""
    date = authorization.consent_date
    return {
        "authorization_type": authorization.type.slug if authorization.type else nothing,
        "authorization_other": authorization.other,
        **({"consent_date": date.isoformat(), "consent_purpose": authorization.consent_purpose} if date else {}),
    }


def origin_fields(source: Source, nothing: Any) -> dict[str, Any]:
    """Return a source likewise."""
    return {"source_type": source.type.slug if source.type else nothing, "source_other": source.other}


@act("page", "api", "service", leaves="authorization")
def edit_card(it: World, door: str, who: int, how: int) -> None:
    """Set both halves of one card."""
    person = it.someone(who)
    since = history.newest_id(person.pk)
    if door == "page":
        form = basis_fields(basis(how), NOT_RECORDED) | origin_fields(origin(how), NOT_RECORDED)
        it.ok(it.member_page.post(f"/people/{person.pk}/compliance/", form | {"version": person.card.version}))
    elif door == "api":
        body = basis_fields(basis(how), None) | origin_fields(origin(how), None)
        it.ok(it.member_api.put(f"/api/v1/contacts/{person.pk}/compliance/", body, format="json"))
    else:
        card_changes.edit_card(it.only(person), basis(how), origin(how), actor=it.member)
    it.offer_to_undo(person, since)


@act("page", "api", "worker", leaves="authorization")
def authorise_many(it: World, door: str, who: int, how: int) -> None:
    """Set the legal basis of a selection."""
    fields = {"page": basis_fields(basis(how), NOT_RECORDED), "api": basis_fields(basis(how), None)}
    order(it, door, "authorization", it.some(who), **fields, worker=authorization_params(basis(how)))


@act("page", "api", "worker", leaves="source")
def set_source_of_many(it: World, door: str, who: int, how: int) -> None:
    """Set the source of a selection."""
    fields = {"page": origin_fields(origin(how), NOT_RECORDED), "api": origin_fields(origin(how), None)}
    order(it, door, "source", it.some(who), **fields, worker=source_params(origin(how)))


@act("page", "api", "worker", leaves="edited")
def assign_many(it: World, door: str, who: int, how: int) -> None:
    """Give a selection to one of the team, or to nobody."""
    owner = (it.alice, it.bob, None)[how % 3]
    fields = {"page": {"owner": owner.pk if owner else "nobody"}, "api": {"owner": owner and owner.pk}}
    order(it, door, "owner", it.some(who), **fields, worker=selected_act("owner").params({"owner": owner}))


@act("page", "api", "service", leaves="authorization", needs="a bulk change")
def undo(it: World, door: str, who: int, how: int) -> None:
    """Take back a bulk change of authorization or source; who was changed since stays as is."""
    batch = Batch.objects.filter(kind__in=[kind for kind, act in ACTS.items() if act.undoable]).order_by("-pk").first()
    if door == "page":
        it.ok(it.member_page.post(f"/tasks/{batch.pk}/undo/"))
    elif door == "api":
        it.ok(it.member_api.post(f"/api/v1/batches/{batch.pk}/undo/"))
    else:
        bulk_undo.undo(batch, actor=it.member)


@act("queue", "page", "api", "service", leaves="informed")
def inform(it: World, door: str, who: int, how: int) -> None:
    """Put on record that people were told where their data comes from (art. 14)."""
    mark(it, door, it.some(who), kind="informed", queue="/compliance/informing/", service=informing.mark)


@act("queue", "page", "api", "service", leaves="reviewed")
def review_many(it: World, door: str, who: int, how: int) -> None:
    """Put on record that legal bases were reviewed."""
    mark(it, door, it.some(who), kind="reviewed", queue="/compliance/review/", service=review.mark)


@act("page", "api", leaves="reviewed", needs="an interest")
def weigh(it: World, door: str, who: int, how: int) -> None:
    """Write a balancing note on a legitimate interest."""
    person = it.someone(who, card__authorization_type=AuthorizationType.LEGITIMATE_INTEREST)
    note = NOTE | {"balance": f"{person.last_name} expects it"}
    if door == "page":
        it.ok(it.member_page.post(f"/people/{person.pk}/balance/", note))
    else:
        it.ok(it.member_api.post(f"/api/v1/contacts/{person.pk}/balancing-notes/", note, format="json"))


def mark(it: World, door: str, chosen: list[int], *, kind: str, queue: str, service: Any) -> None:
    """Mark people through the queue, the selection bar, the API or the service."""
    if door == "queue":
        it.ok(it.member_page.post(queue, {"ids": chosen}))
    elif door == "service":
        service(Contact.objects.filter(pk__in=chosen), actor=it.member)
    else:
        order(it, door, kind, chosen)


def order(it: World, door: str, kind: str, chosen: list[int], **fields: dict[str, Any]) -> None:
    """Order something for a selection: on the page, by the API, or so many that a worker does it.

    `fields` are what the door is told, by its name.
    """
    told = fields.get(door, {})
    if door == "page":
        it.ok(it.member_page.post(f"/people/bulk/{kind}/", told | {"ids": chosen, "approved": len(chosen)}))
    elif door == "api":
        it.ok(it.member_api.post(f"/api/v1/bulk/{kind}/", told | {"selection": {"ids": chosen}}, format="json"))
    else:
        by_a_worker(it, kind, chosen, told)


def by_a_worker(it: World, kind: str, chosen: list[int], params: dict[str, Any]) -> None:
    """Order something of which a worker does every person as a chunk."""
    limits = batches.INLINE_LIMIT, batches.CHUNK
    batches.INLINE_LIMIT, batches.CHUNK = 0, 1
    try:
        batch = batches.order(Contact.objects.filter(pk__in=chosen), kind, actor=it.member, params=params)
        assert batch.state == "queued"
        tasks.run_batch(batch.pk)
    finally:
        batches.INLINE_LIMIT, batches.CHUNK = limits
    batch.refresh_from_db()
    assert batch.state == "done"

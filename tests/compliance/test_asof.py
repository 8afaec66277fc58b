"""The state of any date: whatever the acts, the fold of the events is what was seen then."""

import datetime as dt
from dataclasses import fields

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from compliance import asof, editing, informing, orders, policy, restriction, review, services, suppression
from compliance.creation import create_person
from compliance.imports import services as imports
from compliance.imports import working
from compliance.judging import judged
from compliance.rules import Authorization, AuthorizationType, Source, SourceType
from compliance.staging import NewPerson
from contacts import batches
from contacts.details import DETAILS
from contacts.models import Contact, ContactEvent, Merge, User
from exports import erasure
from exports import services as exports
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Conflict, Invalid, Missing, Restricted
from unsubscribes.merge import merge
from unsubscribes.reconsent import reconsent
from unsubscribes.rules import Channel, Evidence
from unsubscribes.unmerge import unmerge

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
ROOT = system("command")
ON_CARD = {field.name for field in fields(asof.State)} - {"here", "said", "said_reason"}
CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2023, 1, 10), consent_purpose="Newsletter")
GROUNDS = (None, *AuthorizationType)
SOURCES = (None, *SourceType)


class Acts:
    """Everything that can happen to people, by name; each takes a number that decides how."""

    def __init__(self, first: Contact, second: Contact, owner: User) -> None:
        self.ids, self.owner = [first.pk, second.pk], owner

    def people(self, number: int):
        return Contact.objects.filter(pk__in=[self.ids[number % 2]])

    def authorise(self, number: int) -> None:
        kind = GROUNDS[number % len(GROUNDS)]
        plain = Authorization(kind, "Handshake" if kind == AuthorizationType.OTHER else "")
        services.authorise(self.people(number), CONSENT if kind == AuthorizationType.CONSENT else plain, actor=ROOT)

    def set_source(self, number: int) -> None:
        kind = SOURCES[number % len(SOURCES)]
        services.set_source(self.people(number), Source(kind, "Fair" if kind == SourceType.OTHER else ""), actor=ROOT)

    def edit(self, number: int) -> None:
        for person in self.people(number):
            values = {"title": f"Title {number % 3}", "email": f"{number % 4}@example.com" if number % 5 else ""}
            editing.edit(person.pk, values, actor=ROOT)

    def assign(self, number: int) -> None:
        for person in self.people(number):
            editing.assign(person.pk, self.owner if number % 3 else None, actor=ROOT)

    def unsubscribe(self, number: int) -> None:
        suppression.unsubscribe(self.people(number), actor=ROOT, source="manual", reason="enough")

    def reconsent(self, number: int) -> None:
        for person in self.people(number):
            evidence = Evidence(timezone.localdate(), Channel.WRITING, "Yes", "News", "Binder 1")
            reconsent(person.pk, evidence, actor=ROOT)

    def restrict(self, number: int) -> None:
        restriction.restrict(self.people(number), "Contested", actor=ROOT)

    def lift(self, number: int) -> None:
        restriction.lift(self.people(number), "Settled", actor=ROOT)

    def inform(self, number: int) -> None:
        informing.mark(self.people(number), actor=ROOT)

    def review(self, number: int) -> None:
        review.mark(self.people(number), actor=ROOT)

    def export(self, number: int) -> None:
        for person in self.people(number):
            exports.export_one(person.pk, actor=ROOT)

    def bulk(self, number: int) -> None:
        params = orders.authorization_params(Authorization(AuthorizationType.LEGITIMATE_INTEREST))
        batch = batches.order(Contact.objects.all(), "authorization", actor=ROOT, params=params)
        if number % 2:
            orders.undo(batch, actor=ROOT)

    def merge(self, number: int) -> None:
        merge(self.ids[number % 2], self.ids[(number + 1) % 2], actor=ROOT, take=["title"])

    def unmerge(self, number: int) -> None:
        for record in Merge.objects.filter(undone_at=None):
            unmerge(record.pk, actor=ROOT)

    def take_in(self, number: int) -> None:
        text = f"Email,Title,Authorization Type,Unsubscribed\n{number % 4}@example.com,Row,contract,{number % 2}\n"
        working.run(imports.start(ContentFile(text.encode()), "people.csv", actor=ROOT).pk)

    def change_policy(self, number: int) -> None:
        effect = ("block", "hold", "warn", "allow")[number % 4]
        policy.change({"no_authorization": effect, "consent_months": 1 + number % 60}, actor=ROOT)


NAMES = [name for name in vars(Acts) if not name.startswith("_") and name != "people"]


def seen() -> dict[int, dict[str, object]]:
    """Return all that one sees of everybody now."""
    now = timezone.now()
    return {
        contact.pk: {name: getattr(contact, name) for name in (*DETAILS, "owner_id")}
        | {name: getattr(contact.card, name) for name in ON_CARD}
        | {"verdict": judged(contact.card, now).code}
        for contact in Contact.objects.select_related("card")
    }


def told(contact: Contact, moment: dt.datetime) -> dict[str, object] | None:
    """Return the same of one person at a moment, from the events."""
    past = asof.past(contact, moment)
    if past is None:
        return None
    return (
        {name: getattr(past.contact, name) for name in (*DETAILS, "owner_id")}
        | {name: getattr(past.state, name) for name in ON_CARD}
        | {"verdict": past.verdict.code}
    )


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=PHASES)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 59)), min_size=1, max_size=12))
def test_on_any_date_is_told_what_was_seen_then(bob, given_orders):
    # Each example is rolled back, and the locks of its temporary tables with it.
    with transaction.atomic():
        live(bob, given_orders)
        transaction.set_rollback(True)


def live(bob: User, given_orders: list[tuple[str, int]]) -> None:
    first = create(email="1@example.com", first_name="Anna")
    second = create(email="2@example.com", first_name="Lars")
    acts, diary = Acts(first, second, bob), []
    for name, number in given_orders:
        try:
            getattr(acts, name)(number)
        except (Conflict, Invalid, Missing, Restricted):
            continue
        diary.append((timezone.now(), seen()))
    # All is one transaction here, whose beginning is everybody's time of creation: who came later is left out by hand.
    created = dict(ContactEvent.objects.filter(action="created").values_list("contact_id", "at"))
    for moment, everybody in diary:
        for contact in Contact.objects.all():
            if created[contact.pk] <= moment:
                assert told(contact, moment) == everybody.get(contact.pk)


def create(**details: str) -> Contact:
    return create_person(NewPerson(details, CONSENT, Source(SourceType.IMPORT)), actor=ROOT)


@pytest.fixture
def anna(person) -> Contact:
    return person(email="anna@example.com", first_name="Anna", authorization=CONSENT)


def stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def test_the_api_answers_for_a_past_moment(api, anna, member, administrator):
    before = timezone.now()
    editing.edit(anna.pk, {"first_name": "Anne"}, actor=member)
    services.authorise(Contact.objects.filter(pk=anna.pk), Authorization(), actor=member)
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source="clicked_link")
    policy.change({"consent_old": "block"}, actor=administrator)
    url, then = f"/api/v1/contacts/{anna.pk}/", {"as_of": stamp(before)}
    person = api.get(url, then).json()
    assert (person["first_name"], person["unsubscribed"], person["verdict"]) == ("Anna", False, "ask_first")
    assert person["compliance"] == api.get(f"{url}compliance/", then).json()
    assert person["compliance"]["consent_date"] == "2023-01-10"
    told = api.get(f"{url}verdict/", then).json()
    assert (told["verdict"], [reason["code"] for reason in told["reasons"]]) == (
        "ask_first",
        ["consent_old", "authorization"],
    )
    assert told["as_of"] == before.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    now = api.get(f"{url}verdict/", {"as_of": stamp(timezone.now())}).json()
    assert (now["verdict"], [reason["code"] for reason in now["reasons"]]) == (
        "may_not",
        ["unsubscribed", "no_authorization"],
    )


@pytest.mark.parametrize("path", ["", "compliance/", "verdict/"])
def test_a_moment_needs_a_zone_and_lies_between_the_creation_and_now(api, anna, path):
    url = f"/api/v1/contacts/{anna.pk}/{path}"
    created = Contact.objects.get(pk=anna.pk).created_at
    day = dt.timedelta(days=1)
    for wrong in ("2026-03-01", "2026-03-01T12:00", "yesterday", "", "2026-13-01T12:00Z", stamp(timezone.now() + day)):
        answer = api.get(url, {"as_of": wrong})
        assert (answer.status_code, list(answer.json())) == (400, ["as_of"])
    assert api.get(url, {"as_of": stamp(created - dt.timedelta(microseconds=1))}).status_code == 404
    assert api.get(url, {"as_of": stamp(created)}).status_code == 200
    assert api.get(f"{url}?as_of={created.isoformat()}").status_code == 200
    assert api.get("/api/v1/contacts/999999999/" + path, {"as_of": stamp(created)}).status_code == 404


def test_the_states_of_many_take_one_query(person):
    people = [person(email=f"{number}@example.com", authorization=CONSENT) for number in range(3)]
    now = timezone.now()
    for number in (1, 3):
        with CaptureQueriesContext(connection) as queries:
            states = asof.states([(contact.pk, now) for contact in people[:number]])
        assert (len(queries), [state.consent_date for state in states]) == (1, [CONSENT.consent_date] * number)
    assert asof.states([(people[0].pk, now), (people[0].pk, now - dt.timedelta(days=1))])[1] == asof.State()


def test_erased_people_keep_the_ground_that_they_had(anna, member):
    before = timezone.now()
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    [then, now] = asof.states([(anna.pk, before), (anna.pk, timezone.now())])
    assert (then.here, then.authorization_type, then.consent_date) == (True, 1, CONSENT.consent_date)
    assert (then.consent_purpose, now.here) == ("", False)


def test_the_page_shows_the_past_plainly_and_read_only(signed_in, anna, member):
    Contact.objects.filter(pk=anna.pk).update(created_at=timezone.now() - dt.timedelta(days=2))
    before = timezone.now()
    editing.edit(anna.pk, {"first_name": "Anne"}, actor=member)
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source="clicked_link")
    url = f"/people/{anna.pk}/"
    html = signed_in.get(url, {"as_of": stamp(before)}).content.decode()
    assert "This is the past" in html
    assert ("Not unsubscribed on that date." in html, ">Anna<" in html, "Anne" in html) == (True, True, False)
    assert ('class="verdict-answer">Ask first' in html, "/compliance/" in html.split("<main")[1]) == (True, False)
    today = signed_in.get(url, {"as_of": timezone.localdate().isoformat()}).content.decode()
    assert ("Clicked Link" in today, "Anne" in today) == (True, True)
    assert signed_in.get(url, {"as_of": "2020-01-01"}).status_code == 404
    for wrong in ("2999-01-01", "yesterday", "2026-13-01", "2026-03-01T12:00"):
        assert signed_in.get(url, {"as_of": wrong}).status_code == 400

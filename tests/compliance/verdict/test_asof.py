"""The state of any date, by the API, on the page, of many at once; whatever was done, see `tests.history_machine`."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from compliance.card import card_changes, editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.suppression import suppression
from compliance.verdict import asof, policy
from contacts.models import Contact
from exports.erasure import erasure
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2023, 1, 10), consent_purpose="Newsletter")


@pytest.fixture
def anna(person) -> Contact:
    return person(email="anna@example.com", first_name="Anna", authorization=CONSENT)


def stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def test_the_api_answers_for_a_past_moment(api, anna, member, administrator):
    before = timezone.now()
    editing.edit(anna.pk, {"first_name": "Anne"}, actor=member)
    card_changes.authorise(Contact.objects.filter(pk=anna.pk), Authorization(), actor=member)
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
    assert asof.states([(people[0].pk, now), (people[0].pk, now - dt.timedelta(days=1))])[1] == asof.PersonState()


def test_erased_people_keep_the_ground_that_they_had(anna, member):
    before = timezone.now()
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    [then, now] = asof.states([(anna.pk, before), (anna.pk, timezone.now())])
    assert (then.here, then.authorization_type, then.consent_date) == (True, 1, CONSENT.consent_date)
    assert (then.consent_purpose, now.here) == ("", False)


def test_erased_people_whom_the_undoing_of_a_merge_brought_back_keep_the_no_that_they_had(anna, person, member):
    lars = person(email="lars@example.com")
    record = merge(lars.pk, anna.pk, actor=member)
    suppression.unsubscribe(Contact.objects.filter(pk=lars.pk), actor=member, source="clicked_link")
    unmerge(record.pk, actor=member)
    before = timezone.now()
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert [state.unsubscribed for state in asof.states([(anna.pk, before)])] == [True]


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

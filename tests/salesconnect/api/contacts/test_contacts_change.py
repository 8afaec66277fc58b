"""Changing one person through the API: all of it or nothing, and never over somebody's newer change."""

import datetime as dt

import pytest

from compliance.card import editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from contacts.events import history

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")


@pytest.fixture
def anna(person):
    return person(
        authorization=CONSENT,
        source=Source(SourceType.OTHER, "fair"),
        first_name="Anna",
        email="anna@example.com",
        title="CEO",
    )


@pytest.fixture
def address(anna) -> str:
    return f"/api/v1/contacts/{anna.pk}/"


def test_patch_changes_what_it_names_and_moves_the_version(api, address):
    before = api.get(address).json()
    answer = api.patch(address, {"title": "CTO"}, "json")
    assert (answer.status_code, answer["ETag"]) == (200, '"2"')
    assert answer.json() == before | {"title": "CTO", "updated_at": answer.json()["updated_at"]}


def test_patch_of_many_things_is_one_act_or_none(api, anna, address, bob):
    body = {"title": "CTO", "owner": bob.pk, "compliance": {"authorization_type": "contract"}}
    taken = api.patch(address, body | {"email": "no address"}, "json")
    assert (taken.status_code, list(taken.json())) == (400, ["email"])
    assert (api.get(address)["ETag"], history.of_contact(anna.pk).count()) == ('"1"', 1)
    assert api.patch(address, body, "json").status_code == 200
    assert [event.action for event in history.of_contact(anna.pk)] == ["edited", "edited", "authorization", "created"]


def test_leaving_consent_takes_date_and_purpose_away(api, address):
    body = api.patch(address, {"compliance": {"authorization_type": "contract"}}, "json").json()
    assert body["compliance"] == {
        "authorization_type": "contract",
        "authorization_other": "",
        "consent_date": None,
        "consent_purpose": "",
        "source_type": "other",
        "source_other": "fair",
    }


def test_the_same_ground_keeps_what_is_not_named(api, address):
    card = api.patch(address, {"compliance": {"consent_purpose": "Fairs"}}, "json").json()["compliance"]
    assert (card["authorization_type"], card["consent_date"], card["consent_purpose"]) == (
        "consent",
        "2026-03-01",
        "Fairs",
    )


def test_null_ends_what_was_recorded(api, address):
    body = {"owner": None, "compliance": {"authorization_type": None, "source_type": None}}
    card = api.patch(address, body, "json").json()["compliance"]
    assert set(card.values()) == {None, ""}


def test_what_get_shows_can_be_put(api, address):
    body = api.get(address).json() | {"title": "CTO"}
    answer = api.put(address, body, "json")
    assert (answer.status_code, answer.json()) == (200, body | {"updated_at": answer.json()["updated_at"]})


def test_put_empties_the_details_and_leaves_owner_and_card_that_it_does_not_name(api, address):
    before = api.get(address).json()
    after = api.put(address, {"last_name": "Berg"}, "json").json()
    assert (after["first_name"], after["email"], after["title"]) == ("", "", "")
    assert (after["owner"], after["compliance"]) == (before["owner"], before["compliance"])


def test_put_replaces_a_card_that_it_names(api, address):
    body = {"last_name": "Berg", "compliance": {"authorization_type": "contract"}}
    card = api.put(address, body, "json").json()["compliance"]
    assert (card["source_type"], card["source_other"]) == (None, "")
    card = api.put(address, {"last_name": "Berg", "compliance": {}}, "json").json()["compliance"]
    assert set(card.values()) == {None, ""}


@pytest.mark.parametrize("field", ["id", "created_at", "updated_at", "verdict", "unsubscribed"])
def test_what_cannot_be_written_is_refused_unless_it_is_what_was_read(api, address, field):
    current = api.get(address).json()
    assert api.patch(address, {field: current[field]}, "json").status_code == 200
    answer = api.patch(address, {field: not current[field]}, "json")
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_the_api_never_opts_anyone_in(api, address):
    api.post(f"{address}unsubscribes/", {}, "json")
    assert api.patch(address, {"unsubscribed": False}, "json").status_code == 400
    assert api.get(address).json()["unsubscribed"] is True


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("version", ['"1"', "3", '"x"', '"1", "3"', '"99999999999"'])
def test_a_change_that_meets_a_newer_one_is_refused_with_both(api, address, method, version):
    api.patch(address, {"title": "CTO"}, "json")
    answer = getattr(api, method)(address, {"title": "Chair"}, "json", headers={"If-Match": version})
    assert (answer.status_code, answer["ETag"]) == (412, '"2"')
    assert answer.json()["yours"] == {"title": "Chair"}
    assert answer.json()["current"] == api.get(address).json()


@pytest.mark.parametrize("body", [b"{", b'{"title": "\\u0000"}'])
@pytest.mark.parametrize("path", ["", "compliance/"])
def test_a_stale_change_whose_body_cannot_be_read_is_a_wrong_body(api, address, path, body):
    answer = api.generic("PATCH", address + path, body, "application/json", headers={"If-Match": '"7"'})
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


def test_an_old_put_is_stale_before_its_read_only_fields_are_looked_at(api, anna, address, member):
    read = api.get(address)
    editing.edit(anna.pk, {"title": "CTO"}, actor=member)
    assert api.put(address, read.json(), "json", headers={"If-Match": read["ETag"]}).status_code == 412


@pytest.mark.parametrize("version", ['"1"', 'W/"1"', "*"])
def test_a_change_of_the_version_that_was_read_is_stored(api, address, version):
    assert api.patch(address, {"title": "CTO"}, "json", headers={"If-Match": version}).status_code == 200


def test_a_taken_address_is_a_conflict(api, address, person):
    lars = person(email="lars@example.com")
    answer = api.patch(address, {"email": "Lars@example.com"}, "json")
    assert (answer.status_code, answer.json()["existing_id"]) == (409, lars.pk)


def test_a_person_keeps_a_name_or_an_address(api, address):
    answer = api.patch(address, {"first_name": None, "email": ""}, "json")
    assert (answer.status_code, list(answer.json())) == (400, ["last_name"])

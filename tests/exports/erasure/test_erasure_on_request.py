"""Whoever asked to be erased is not brought back by mistake, and nothing is kept of whoever did not ask."""

import datetime as dt
import json
from threading import Event, Thread

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from compliance.card import creation, editing
from compliance.card.staging import NewPerson
from compliance.imports import import_jobs, working
from compliance.models import ErasedAddress, ImportSeen, Suppression
from compliance.suppression import erased, suppression
from contacts.models import Contact
from exports.erasure import deletion_settings, erasure, expiry, ledger_replay
from exports.requests import register
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Conflict, Forbidden, Invalid
from tests.interleaving import apart, waiting
from tests.products.product import until
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge


@pytest.fixture
def data(settings, tmp_path, transactional_db):
    """Give the test files and a ledger of its own."""
    own = {"default": settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path / "files"}}}
    settings.STORAGES = settings.STORAGES | own
    settings.ERASURE_LEDGER = str(tmp_path / "ledger" / "erasures.jsonl")
    return tmp_path


@pytest.fixture
def ledger(settings, tmp_path, db):
    """Give the test a ledger of its own."""
    settings.ERASURE_LEDGER = str(tmp_path / "ledger" / "erasures.jsonl")
    return tmp_path / "ledger" / "erasures.jsonl"


def erase(person, actor, why=erasure.ON_REQUEST):
    return erasure.delete(Contact.objects.filter(pk=person.pk), actor=actor, why=why)


def imported(rows: str, actor, **options):
    job = import_jobs.start(ContentFile(rows.encode()), "people.csv", actor=actor, **options)
    working.run(job.pk)
    job.refresh_from_db()
    return job


def test_a_request_that_is_carried_out_keeps_the_address_as_erased(ledger, person, member):
    anna = person(email="anna@example.com")
    row = register.take_in("erasure", anna.pk, timezone.localdate(), identity_check="by phone", actor=member)
    register.carry_out(row.pk, actor=member)
    held = erased.held("anna@example.com")
    assert held.until.date() == deletion_settings.remembered_until().date()
    assert not Suppression.objects.exists()


def test_a_plain_deletion_keeps_nothing(ledger, person, member):
    erase(person(email="anna@example.com"), member, why="")
    assert (ErasedAddress.objects.count(), ImportSeen.objects.count()) == (0, 0)
    person(email="anna@example.com")


def test_the_api_refuses_to_create_whoever_asked_to_be_erased(ledger, person, api):
    anna = person(email="anna@example.com")
    answer = api.post(f"/api/v1/contacts/{anna.pk}/erase/", {"on_request": True}, "json")
    assert (answer.status_code, answer.json()["on_request"]) == (200, True)
    assert answer.json()["remembered_until"] == deletion_settings.remembered_until().date().isoformat()
    again = api.post("/api/v1/contacts/", {"email": "Anna@Example.com", "last_name": "Berg"}, "json")
    assert (again.status_code, again.json()["code"]) == (409, "erased")
    assert not Contact.objects.exists()


def test_a_dry_run_says_until_when_and_keeps_nothing(ledger, person, api):
    anna = person(email="anna@example.com")
    answer = api.post(f"/api/v1/contacts/{anna.pk}/erase/", {"on_request": True, "dry_run": True}, "json")
    assert answer.json()["remembered_until"]
    assert (Contact.objects.count(), ErasedAddress.objects.count()) == (1, 0)


def test_the_api_refuses_to_give_the_address_to_somebody_else(ledger, person, api, member):
    erase(person(email="anna@example.com"), member)
    lars = person(email="lars@example.com")
    answer = api.patch(f"/api/v1/contacts/{lars.pk}/", {"email": "anna@example.com"}, "json")
    assert (answer.status_code, answer.json()["code"]) == (409, "erased")
    lars.refresh_from_db()
    assert lars.email == "lars@example.com"


def test_many_are_erased_on_request(ledger, person, api):
    ids = [person(email=f"p{number}@example.com").pk for number in range(3)]
    answer = api.post("/api/v1/bulk/delete/", {"selection": {"ids": ids}, "on_request": True}, "json")
    assert (answer.status_code, answer.json()["changed"], ErasedAddress.objects.count()) == (200, 3, 3)


def test_an_import_rejects_whoever_asked_to_be_erased(data, person, member):
    erase(person(email="anna@example.com"), member)
    job = imported("Email,Last Name\nANNA@example.com,Berg\nlars@example.com,Lund\n", member)
    assert (job.created, job.rejected) == (1, 1)
    assert "erased" in job.rejects.get().reason
    assert Contact.objects.get().email == "lars@example.com"


def test_a_preview_counts_whoever_asked_to_be_erased_as_rejected(data, person, member):
    erase(person(email="anna@example.com"), member)
    job = imported("Email,Last Name\nanna@example.com,Berg\n", member, dry_run=True)
    assert (job.created, job.rejected) == (0, 1)


def test_the_no_in_the_row_of_somebody_erased_is_heard(data, person, member):
    erase(person(email="anna@example.com"), member)
    job = imported("Email,Unsubscribed\nanna@example.com,yes\n", member)
    assert (job.created, job.rejected) == (0, 1)
    assert suppression.of_address("anna@example.com").source == "import"


def test_an_import_that_is_running_brings_nobody_back(data, person, member):
    anna = person(email="anna@example.com")
    job = import_jobs.start(
        ContentFile(b"Email,Last Name\nanna@example.com,Berg\nl@example.com,L\n"), "p.csv", actor=member
    )
    erase(anna, member, why="")
    working.run(job.pk)
    job.refresh_from_db()
    assert (job.created, job.rejected) == (1, 1)
    assert list(Contact.objects.values_list("email", flat=True)) == ["l@example.com"]
    assert (ErasedAddress.objects.count(), ImportSeen.objects.count()) == (0, 0)


def test_an_import_that_has_met_the_person_brings_nobody_back(data, person, member, monkeypatch):
    monkeypatch.setattr("compliance.imports.chunking.CHUNK_ROWS", 1)
    rows = b"Email,Last Name\nanna@example.com,Berg\nlars@example.com,Lund\nanna@example.com,Berg\n"
    job = import_jobs.start(ContentFile(rows), "p.csv", actor=member)

    def delete_her(done, total):
        if done == 1:
            erase(Contact.objects.get(email="anna@example.com"), member, why="")

    working.run(job.pk, delete_her)
    job.refresh_from_db()
    assert (job.created, job.rejected) == (2, 1)
    assert list(Contact.objects.values_list("email", flat=True)) == ["lars@example.com"]


def test_who_was_created_anew_since_is_met_by_the_running_import(data, person, member):
    anna = person(email="anna@example.com", last_name="Berg")
    job = import_jobs.start(ContentFile(b"Email,Last Name\nanna@example.com,Lind\n"), "p.csv", actor=member)
    erase(anna, member, why="")
    person(email="anna@example.com", last_name="Berg")
    working.run(job.pk)
    job.refresh_from_db()
    assert (job.updated, job.rejected, Contact.objects.get().last_name) == (1, 0, "Lind")


def test_what_an_erasure_left_of_an_import_that_ended_is_swept(data, person, member):
    job = imported("Email,Last Name\nlars@example.com,Lund\n", member)
    ImportSeen.objects.create(job_id=job.pk, address_hash="00000000-0000-0000-0000-000000000001", erased=True)
    working.forget_old()
    assert not ImportSeen.objects.exists()


def test_a_merged_record_is_remembered_by_its_own_address_too(ledger, person, member):
    anna, other = person(email="anna@example.com"), person(email="a.berg@example.com")
    merge(anna.pk, other.pk, actor=member)
    erase(anna, member)
    assert erased.held("anna@example.com")
    assert erased.held("a.berg@example.com")


def test_the_addresses_that_the_person_had_before_are_remembered_too(ledger, person, member):
    anna = person(email="first@example.com")
    for address in ("second@example.com", "third@example.com"):
        editing.edit(anna.pk, {"email": address}, actor=member)
    person(last_name="Other", email="second@example.com")
    erasure.erase(anna.pk, actor=member, on_request=True)
    for address in ("first@example.com", "third@example.com"):
        with pytest.raises(Conflict, match="asked to be erased"):
            person(email=address)
    assert not erased.held("second@example.com")


def test_undoing_a_merge_brings_back_nobody_who_asked_to_be_erased(ledger, person, member):
    survivor, absorbed = person(email="anna@example.com"), person(email="berg@example.com")
    record = merge(survivor.pk, absorbed.pk, actor=member)
    again = person(email="berg@example.com")
    erasure.erase(again.pk, actor=member, on_request=True)
    with pytest.raises(Conflict) as refused:
        unmerge(record.pk, actor=member)
    assert refused.value.code == "erased"


def test_a_user_may_take_the_person_in_knowingly(ledger, person, member, signed_in):
    erase(person(email="anna@example.com"), member)
    form = {"email": "anna@example.com", "last_name": "Berg", "authorization_type": "not_recorded"}
    form |= {"source_type": "manual_upload"}
    asked = signed_in.post("/people/new/", form)
    assert asked.status_code == 422
    assert 'name="although_erased"' in asked.text
    assert signed_in.post("/people/new/", form | {"although_erased": "on"}).status_code == 302
    assert not ErasedAddress.objects.exists()
    history = signed_in.get(f"/people/{Contact.objects.get().pk}/").text
    assert "had asked to be erased before" in history


def test_the_tick_is_not_asked_for_anybody_else(signed_in, db):
    assert 'name="although_erased"' not in signed_in.get("/people/new/").text


def test_the_form_of_somebody_else_asks_too(ledger, person, member):
    erase(person(email="anna@example.com"), member)
    lars = person(email="lars@example.com")
    with pytest.raises(Conflict) as refused:
        editing.edit(lars.pk, {"email": "anna@example.com"}, actor=member)
    assert refused.value.code == "erased"
    assert editing.edit(lars.pk, {"email": "anna@example.com"}, actor=member, although_erased=True).changed == 1


def test_every_way_in_that_shares_the_door_leaves_the_person_out(ledger, person, member):
    erase(person(email="anna@example.com"), member)
    creation.staging.stage([NewPerson({"email": "anna@example.com"}), NewPerson({"email": "lars@example.com"})])
    assert creation.create_staged(actor=system("sync"), owner_id=None).created == 1
    assert Contact.objects.get().email == "lars@example.com"


def test_the_memory_ends_when_it_was_told_to(ledger, person, member):
    erase(person(email="anna@example.com"), member)
    expiry.forget_old()
    assert ErasedAddress.objects.count() == 1
    ErasedAddress.objects.update(until=timezone.now() - dt.timedelta(hours=1))
    assert erased.held("anna@example.com") is None
    expiry.forget_old()
    assert not ErasedAddress.objects.exists()
    person(email="anna@example.com")


def test_a_restored_backup_remembers_too(ledger, person, member):
    anna = person(email="anna@example.com")
    until = deletion_settings.remembered_until().isoformat()
    ledger.parent.mkdir()
    later = (timezone.now() + dt.timedelta(seconds=1)).isoformat()
    ledger.write_text(json.dumps({"what": "erased", "at": later, "contact": anna.pk, "until": until}) + "\n")
    assert ledger_replay.replay(actor=system("command")).erased == 1
    assert erased.held("anna@example.com").until.isoformat() == until
    erase(person(email="lars@example.com"), member)
    line = json.loads(ledger.read_text().splitlines()[-1])
    assert "until" in line
    assert "hash" not in line


def test_only_administrators_say_how_long(db, member, administrator):
    with pytest.raises(Forbidden):
        deletion_settings.change({"erased_months": 6}, actor=member)
    with pytest.raises(Invalid):
        deletion_settings.change({"erased_months": 0}, actor=administrator)
    deletion_settings.change({"erased_months": 6}, actor=administrator)
    assert deletion_settings.current().erased_months == 6


@pytest.mark.race
def test_a_creation_that_waits_for_the_erasure_is_refused(data, person, member):
    anna, outcome = person(email="anna@example.com"), []
    begun, may_end = Event(), Event()

    def erase_slowly():
        with transaction.atomic():
            erase(anna, member)
            begun.set()
            may_end.wait(10)

    def create():
        begun.wait(10)
        try:
            creation.create_person(NewPerson({"email": "anna@example.com"}), actor=member)
        except Conflict as refusal:
            outcome.append(refusal.code)

    threads = [Thread(target=apart, args=[act]) for act in (erase_slowly, create)]
    for thread in threads:
        thread.start()
    begun.wait(10)
    until(lambda: waiting() >= 1)
    may_end.set()
    for thread in threads:
        thread.join()
    assert outcome == ["erased"]
    assert not Contact.objects.exists()


@pytest.mark.race
def test_an_import_that_reads_while_many_are_erased_brings_none_back(data, person, member, monkeypatch):
    monkeypatch.setattr("compliance.imports.chunking.CHUNK_ROWS", 20)
    people = [person(email=f"p{number}@example.com", last_name="Berg") for number in range(120)]
    rows = "".join(f"{each.email},Lind\n" for each in people)
    job = import_jobs.start(ContentFile(f"Email,Last Name\n{rows}".encode()), "p.csv", actor=member)
    chosen = people[5::4]

    def erase_them():
        for each in chosen:
            erase(each, member, why="")

    threads = [Thread(target=apart, args=[act]) for act in (erase_them, lambda: working.run(job.pk))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while working.run(job.pk):
        pass
    job.refresh_from_db()
    assert job.state == "done"
    assert job.created == 0
    assert job.updated + job.rejected == 120
    assert set(Contact.objects.values_list("email", flat=True)) == {p.email for p in people} - {p.email for p in chosen}

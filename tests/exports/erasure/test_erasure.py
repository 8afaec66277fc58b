import datetime as dt

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from compliance.card import editing
from compliance.imports import import_jobs, working
from compliance.models import ImportReject
from compliance.suppression import suppression
from contacts.events import history
from contacts.jobs import batches
from contacts.models import Contact, IdempotentReply
from exports.erasure import erasure
from exports.files import csv_export
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge


@pytest.fixture
def data_folder(settings, tmp_path):
    """Give the test files of its own."""
    own = {"default": settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path}}}
    settings.STORAGES = settings.STORAGES | own


def test_a_deleted_person_leaves_no_readable_value(person, member):
    anna = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    editing.edit(anna.pk, {"company": "Exempel AB"}, actor=member)
    outcome = erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert (outcome.changed, Contact.objects.count()) == (1, 0)
    events = list(history.of_contact(anna.pk).values_list("action", "changes"))
    assert events == [("deleted", {}), ("edited", {}), ("created", {})]


def test_rows_that_an_import_did_not_take_go_with_the_person(person, member):
    anna, _lars = person(email="anna@example.com"), person(email="lars@example.com")
    file = ContentFile(b"Name,Email\nA, Anna@Example.com\nB,anna@example.com\nC,lars@example.com\nD,lars@example.com\n")
    job = import_jobs.start(file, "people.csv", actor=member, mapping={"Name": "first_name", "Email": "email"})
    working.run(job.pk)
    assert list(ImportReject.objects.values_list("line", flat=True)) == [3, 5]
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert list(ImportReject.objects.values_list("line", flat=True)) == [5]


def test_answers_that_are_kept_for_a_repeat_no_longer_say_who_it_was(api, member):
    key = {"Idempotency-Key": "4c1f"}
    anna = api.post("/api/v1/contacts/", {"email": "anna@example.com"}, "json", headers=key).json()["id"]
    lars = api.post("/api/v1/contacts/", {"email": "lars@example.com"}, "json", headers={"Idempotency-Key": "2"}).json()
    mail = {"subject": "Hello", "body": "Hello"}
    sent = api.post(f"/api/v1/contacts/{anna}/mails/", mail, "json", headers={"Idempotency-Key": "3"}).json()["id"]
    erasure.delete(Contact.objects.filter(pk=anna), actor=member)
    replies = dict(IdempotentReply.objects.values_list("key", "body"))
    assert replies == {"4c1f": {"id": anna}, "2": lars, "3": {"id": sent}}
    again = api.post("/api/v1/contacts/", {"email": "anna@example.com"}, "json", headers=key)
    assert (again.status_code, again.json()) == (201, {"id": anna})


def test_the_suppression_of_the_address_stays(person, member):
    person(email="anna@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual", reason="by phone")
    erasure.delete(Contact.objects.all(), actor=member)
    held = suppression.of_address("anna@example.com")
    assert (held.source, held.reason) == ("manual", "")
    assert person(email="anna@example.com").card.unsubscribed


def test_deleting_somebody_who_never_said_no_suppresses_nothing(person, member):
    person(email="anna@example.com")
    erasure.delete(Contact.objects.all(), actor=member)
    assert suppression.of_address("anna@example.com") is None


def test_bulk_deletion_is_an_order_like_the_others(person, member):
    person(email="a@example.com")
    person(email="b@example.com")
    batch = batches.order(Contact.objects.all(), "delete", actor=member, missing=1)
    assert (batch.state, batch.total, batch.changed, batch.refused) == ("done", 3, 2, {"not_found": 1})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM compliance_compliancecard")
        assert cursor.fetchone() == (0,)


def test_whoever_was_merged_with_the_erased_forgets_it_whatever_the_clock_of_the_server_says(person, member):
    lars, anna = person(last_name="Lind", email="lars@example.com"), person(last_name="Qvist", email="a@example.com")
    with time_machine.travel(timezone.now() - dt.timedelta(minutes=5)):
        unmerge(merge(lars.pk, anna.pk, actor=member, take=["last_name"]).pk, actor=member)
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert "Qvist" not in str(list(history.of_contact(lars.pk).values_list("changes", flat=True)))


def test_a_record_that_was_exported_before_it_was_merged_leaves_the_file_too(data_folder, person, member):
    anna, twin = person(last_name="Berg", email="a@example.com"), person(last_name="Qvist", email="b@example.com")
    lars = person(last_name="Lind", email="lars@example.com")
    job = csv_export.order_export(Contact.objects.all(), actor=member, reason="")
    merge(anna.pk, twin.pk, actor=member)
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    job.refresh_from_db()
    rows = job.file.read().decode("utf-8-sig").splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == [lars.last_name]

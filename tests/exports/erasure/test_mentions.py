"""Finding what mentions somebody: in whatever form, and through an index, however many orders were ever given."""

import csv
import datetime as dt
import io
from threading import Event, Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from compliance.suppression import suppression
from contacts.jobs import batches
from contacts.models import Batch, BatchChunk, Contact, ContactEvent
from exports.erasure import erasure, mentions
from exports.files import csv_export, rewriting
from exports.models import ExportJob
from tests.interleaving import apart, waiting
from tests.products.product import until


@pytest.fixture(autouse=True)
def ledger(settings, tmp_path):
    """Give the test a ledger and files of its own."""
    settings.ERASURE_LEDGER = str(tmp_path / "ledger" / "erasures.jsonl")
    own = {"default": settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path / "files"}}}
    settings.STORAGES = settings.STORAGES | own


INDEXES = {
    "contacts_batch": "batch_trace_words",
    "compliance_importjob": "importjob_trace_words",
    "compliance_importreject": "importreject_trace_words",
    "contacts_idempotentreply": "reply_trace_words",
    "compliance_suppression": "suppression_trace_words",
    "unsubscribes_suppressionlist": "suppressionlist_trace_words",
    "exports_datarequest": "datarequest_trace_words",
    "exports_identitynote": "identitynote_trace_words",
}


def plan(statement, values):
    with connection.cursor() as cursor:
        # Nothing but a look-up is left: an empty table is read whole otherwise, by whatever index costs least.
        for way in ("seqscan", "indexscan", "indexonlyscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN {statement}", values)
        return "\n".join(row[0] for row in cursor)


@pytest.mark.parametrize("model", mentions.SEARCHED, ids=lambda model: model.__name__)
def test_every_place_is_searched_through_its_index(db, model):
    expression, where = mentions.SEARCHED[model]
    table = model._meta.db_table
    statement = mentions.FOUND.format(columns="id", table=table, expression=expression, where=where)
    assert INDEXES[table] in plan(statement, {"probes": ["anna berg"]})


def test_the_words_of_those_who_go_are_parted_once_however_many_places_are_searched(person, member):
    for number in range(3):
        person(first_name=f"Anna{number}", email=f"anna{number}@example.com")
    with CaptureQueriesContext(connection) as told:
        erasure.delete(Contact.objects.all(), actor=member)
    assert sum("contacts_trace_words('{}', probe)" in query["sql"] for query in told.captured_queries) == 1


def test_the_reasons_in_the_history_are_searched_through_an_index(db):
    values = {"probes": ["anna berg"], "until": timezone.now()}
    shown = plan(mentions.REASONS, values)
    assert "Seq Scan" not in shown
    assert "expr_idx" in shown or "trace_words" in shown


def test_the_files_of_exports_are_found_by_the_history_of_the_person(db):
    shown = plan(rewriting.HOLDERS, {"numbers": [1], "until": timezone.now()})
    assert "Seq Scan" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "For Zoë Qvistelund",
        "for QVISTELUND, ZOË",
        "write to zoe.q@example.com.",
        "mailto:zoe.q@example.com?subject=x",
        "phone 0046-70-123 45 67",
        "call 070/123 45 67 after\nsix",
        "she\nQvistelund\tasked",
        "https://linkedin.example/in/zoeq",
    ],
)
def test_an_order_gives_somebody_away_in_whatever_form(db, person, member, text):
    zoe = person(
        first_name="Zoë",
        last_name="Qvistelund",
        email="zoe.q@example.com",
        phone="+46 (70) 123 45 67",
        linkedin="https://linkedin.example/in/zoeq",
    )
    other = person(email="other@example.com")
    csv_export.order_export(Contact.objects.filter(pk=other.pk), actor=member, reason=text)
    erasure.delete(Contact.objects.filter(pk=zoe.pk), actor=member)
    assert Batch.objects.get().params["reason"] == "…"
    assert "reason" not in ContactEvent.objects.get(contact_id=other.pk, action="exported").changes


def test_a_german_letter_in_either_form_is_one_name(db, person, member):
    jonas = person(first_name="Jonas", last_name="Weißqvist", email="j@example.com")
    other = person(email="other@example.com")
    csv_export.order_export(Contact.objects.filter(pk=other.pk), actor=member, reason="JONAS WEISSQVIST asked")
    erasure.delete(Contact.objects.filter(pk=jonas.pk), actor=member)
    assert Batch.objects.get().params["reason"] == "…"


def test_the_words_of_one_act_on_somebody_else_are_found(db, person, member):
    zoe, other = person(last_name="Qvistelund", email="zoe@example.com"), person(email="other@example.com")
    suppression.unsubscribe(
        Contact.objects.filter(pk=other.pk), actor=member, source="manual", reason="Qvistelund told me"
    )
    erasure.delete(Contact.objects.filter(pk=zoe.pk), actor=member)
    actions = dict(ContactEvent.objects.filter(contact_id=other.pk).values_list("action", "changes"))
    assert actions["unsubscribed"] == {"source": [None, "manual"]}
    assert "scrubbed" in actions


def test_what_says_nothing_of_the_person_is_not_even_read(db, person, member, monkeypatch):
    person(email="other@example.com")
    for number in range(3):
        csv_export.order_export(Contact.objects.all(), actor=member, reason=f"Seating plan {number}")
    zoe, read = person(last_name="Qvistelund", email="zoe@example.com"), []
    monkeypatch.setattr("exports.erasure.mentions._waiting_mail", lambda batch: read.append(batch) or ())
    erasure.delete(Contact.objects.filter(pk=zoe.pk), actor=member)
    assert read == []


def end(batch, days):
    Batch.objects.filter(pk=batch.pk).update(finished_at=timezone.now() - dt.timedelta(days=days))


def test_an_order_that_ended_a_month_ago_has_no_words_any_more(db, person, member):
    person()
    everybody = Contact.objects.all()
    searched = {"filter": {"search": "berg", "company": "Acme", "unsubscribed": "false"}}
    params = {"type": 7, "other": "as Berg wished", "consent_date": None, "consent_purpose": ""}
    old = batches.order(everybody, "authorization", actor=member, params=params, selection=searched)
    new = batches.order(everybody, "authorization", actor=member, params=params, selection=searched)
    end(old, 31)
    end(new, 29)
    assert batches.forget_names() == 1
    assert batches.forget_names() == 0
    old.refresh_from_db()
    new.refresh_from_db()
    assert old.params == {"type": 7, "consent_date": None}
    assert old.selection == {"filter": {"unsubscribed": "false"}, "forgotten": True}
    assert (new.params, new.selection) == (params, searched)
    assert list(BatchChunk.objects.values_list("batch", flat=True)) == [new.pk]


def test_a_reason_is_still_found_after_a_month(db, person, member):
    zoe, other = person(last_name="Qvistelund", email="zoe@example.com"), person(email="other@example.com")
    job = csv_export.order_export(Contact.objects.filter(pk=other.pk), actor=member, reason="For Qvistelund")
    end(job.batch, 31)
    batches.forget_names()
    erasure.delete(Contact.objects.filter(pk=zoe.pk), actor=member)
    assert "Qvistelund" not in str(list(ContactEvent.objects.values_list("changes", flat=True)))


def test_a_file_is_remade_a_row_at_a_time(db):
    lines = [b"\xef\xbb\xbfName,B,C,D,E,F,G,H,I,J,K,Person ID\r\n"]
    lines += [
        b'"one\r\n',
        b'two ""quoted"" \xc3\xb6",,,,,,,,,,,1\r\n',
        b"plain,,,,,,,,,,,2\r\n",
        b"last,,,,,,,,,,,3\r\n",
    ]
    taken = []

    def source():
        for line in lines:
            taken.append(line)
            yield line

    rest = rewriting.rows_without({"2"}, source())
    assert next(rest) == lines[0]
    assert len(taken) <= 2
    assert list(rest) == [*lines[1:3], lines[4]]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_an_erasure_waits_for_the_export_that_is_writing_the_person(person, member, monkeypatch):
    zoe, other = person(email="zoe@example.com"), person(email="other@example.com")
    written, may_commit = Event(), Event()
    record = csv_export.history.record_found

    def slowly(*args, **values):
        found = record(*args, **values)
        written.set()
        may_commit.wait(10)
        return found

    monkeypatch.setattr("exports.files.csv_export.history.record_found", slowly)
    acts = [
        lambda: csv_export.order_export(Contact.objects.all(), actor=member, reason=""),
        lambda: written.wait(10) and erasure.delete(Contact.objects.filter(pk=zoe.pk), actor=member),
    ]
    threads = [Thread(target=apart, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    written.wait(10)
    until(lambda: waiting() >= 1)
    may_commit.set()
    for thread in threads:
        thread.join()
    rows = list(csv.DictReader(io.StringIO(ExportJob.objects.get().file.read().decode("utf-8-sig"))))
    assert [row["Person ID"] for row in rows] == [str(other.pk)]

"""After an erasure nothing that is stored says who it was: not the database, not a file, not Redis."""

import json
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.utils import timezone

from compliance.card import card_changes, editing
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.imports import import_jobs, working
from compliance.models import ImportReject
from compliance.review import restriction
from compliance.suppression import suppression
from contacts.events import history
from contacts.jobs import batches
from contacts.models import Batch, Contact, SavedView
from contacts.people import saved_views
from exports.erasure import erasure
from exports.files import csv_export, rewriting
from exports.models import ExportJob, PendingFileDeletion
from exports.requests import register
from salesconnect.lib.actor import system
from tests.evidence import evidence
from tests.exports.stored import everything
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.mail import mailing as mails
from unsubscribes.mail.compose import Draft
from unsubscribes.merging.merge import merge
from unsubscribes.merging.unmerge import unmerge

NAME, COMPANY = {"first_name": "Xanthippa", "last_name": "Qvistelund"}, "Exempel AB"
DETAILS = NAME | {
    "company": COMPANY,
    "email": "Xanthippa.Q@Plommonvägen.se",
    "phone": "+46 70 987 65 43",
    "other": "Prefers yellow envelopes",
    "linkedin": "https://linkedin.example/in/xqvist",
}
STRINGS = (
    "xanthippa",
    "qvistelund",
    "plommonv",
    "xn--plommonvgen",
    "987 65 43",
    "9876543",
    "yellow envelope",
    "xqvist",
    "formerly-hers",
    "formerly hers",
    "gladiolus",
    "marzipan",
    "pistachio",
)


@pytest.fixture
def data(settings, tmp_path, transactional_db):
    """Give the test files and a ledger of its own."""
    own = {"default": settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path / "files"}}}
    settings.STORAGES = settings.STORAGES | own
    settings.ERASURE_LEDGER = str(tmp_path / "ledger" / "erasures.jsonl")
    return tmp_path


@pytest.fixture
def known(data, person, member, administrator, api):
    """Return somebody who left traces everywhere, and somebody whose traces must stay."""
    lars = person(first_name="Lars", last_name="Öberg", email="lars@example.com", company=COMPANY)
    she = person(**DETAILS | {"email": "formerly-hers@example.com", "last_name": "Formerly Hers"})
    hers, everybody = Contact.objects.filter(pk=she.pk), Contact.objects.all()
    editing.edit(she.pk, {"email": DETAILS["email"], "last_name": NAME["last_name"]}, actor=member)
    other = person(first_name="Xanthippa", last_name="Gladiolus", phone="0701112223", email="gladiolus@example.com")
    merge(she.pk, other.pk, actor=member)
    undone = person(first_name="Xanthippa", last_name="Q", other="marzipan notes", email="x.q@plommonvägen.se")
    unmerge(merge(lars.pk, undone.pk, actor=member).pk, actor=member)
    consent = Authorization(AuthorizationType.CONSENT, "", timezone.localdate(), "Marzipan catalogue")
    card_changes.authorise(hers, consent, actor=member)
    suppression.unsubscribe(hers, actor=member, source="manual", reason="Xanthippa phoned")
    file = SimpleUploadedFile("Qvistelund consents.txt", b"I, Xanthippa Qvistelund, like pistachio")
    words = {"wording": "Yes, send me pistachio news", "reference": "Letter of Ms Qvistelund"}
    reconsent(she.pk, evidence(**words, document=file), actor=administrator)
    mails.write_to_one(she.pk, Draft("Hello {{ first_name }}", "Pistachio news for {{ last_name }}"), actor=member)
    suppression.unsubscribe(hers, actor=member, source="manual", reason="by phone")
    register.take_in("access", she.pk, timezone.localdate(), identity_check="Passport of Qvistelund", actor=member)
    _anothers_requests(lars.pk, member)
    restriction.restrict(hers, "Ms Qvistelund disputes the gladiolus", actor=member)
    restriction.lift(hers, "Settled with Qvistelund", actor=member)
    note = {"purpose": "Pistachio sales", "necessity": "Qvistelund buys", "balance": "She likes pistachio"}
    she.review_notes.create(**note, actor_name="bob")
    _orders(member, everybody)
    _imports(member)
    saved_views.save("Hers", "search=Xanthippa+Qvist", actor=member)
    saved_views.save("By address", "search=xanthippa.q%40plommonv%C3%A4gen.se", actor=member)
    saved_views.save("Colleagues", "company=Exempel", actor=member)
    key = {"Idempotency-Key": "new-qvistelund"}
    body = {"selection": {"filter": {"search": "qvistelund"}}, "reason": "for Ms Qvistelund"}
    assert api.post("/api/v1/exports/", body, "json", headers=key).status_code == 202
    return she, lars, undone


def _anothers_requests(person, member):
    today = timezone.localdate()
    row = register.take_in("access", person, today, identity_check="Ms Qvistelund vouched for him", actor=member)
    register.extend(row.pk, register.ClockReason("complexity", "Xanthippa Qvistelund is away", today), actor=member)
    register.pause(row.pk, register.ClockReason("identity", "Asked xanthippa.q@plommonvägen.se", today), actor=member)
    register.note_identity(row.pk, "Passport of Lars", actor=member)
    done = register.take_in("access", person, today, actor=member)
    register.finish(done.pk, "carried_out", "Sent to Qvistelund", actor=member)


def _orders(member, everybody):
    csv_export.order_export(everybody, actor=member, reason="Asked for by Xanthippa Qvistelund")
    csv_export.order_export(everybody, actor=member, reason="Seating plan")
    searched = {"filter": {"search": "qvistelund"}}
    batches.order(everybody, "source", actor=member, params={"type": 3, "other": ""}, selection=searched)


def _imports(member):
    rows = "First Name,Last Name,Email ID\nXanthippa,Qvistelund,not an address\nLars,,lars@example.com\n"
    rows += ",,formerly-hers@example.com at home\nEva,Ek,not one either\n"
    job = import_jobs.start(ContentFile(rows.encode()), "Qvistelund and others.csv", actor=member)
    working.run(job.pk)
    preview = import_jobs.start(
        ContentFile(b"Email\nformerly-hers@example.com\n"), "mine.csv", actor=member, dry_run=True
    )
    working.run(preview.pk)
    spared = import_jobs.start(ContentFile(b"Email\nlars@example.com\n"), "spared.csv", actor=member, dry_run=True)
    working.run(spared.pk)


def found_in(text: str) -> list[str]:
    """Return the lines that say who it was."""
    return [line[:300] for line in text.splitlines() if any(string in line for string in STRINGS)]


def test_nothing_that_is_stored_says_who_it_was(known, member):
    she, lars, undone = known
    assert len(found_in(everything())) > 20
    call_command("seal_history")
    erasure.delete(Contact.objects.filter(pk__in=[she.pk, undone.pk]), actor=member)
    assert found_in(everything()) == []
    call_command("seal_history")
    call_command("verify_history")
    assert list(Contact.objects.values_list("pk", flat=True)) == [lars.pk]


def test_what_is_of_others_stays(known, member):
    she, lars, undone = known
    erasure.delete(Contact.objects.filter(pk__in=[she.pk, undone.pk]), actor=member)
    assert list(SavedView.objects.values_list("name", flat=True)) == ["Colleagues"]
    reasons = Batch.objects.filter(kind="export").values_list("params__reason", flat=True)
    assert sorted(reasons) == ["Seating plan", "…", "…"]
    assert [reject.cells[0] for reject in ImportReject.objects.all()] == ["Eva"]
    files = [job.file.read().decode("utf-8-sig") for job in ExportJob.objects.order_by("pk")]
    assert [text.count("\r\n") for text in files] == [2, 2, 1]
    assert all("lars@example.com" in text for text in files[:2])
    told = {event["action"]: event["changes"] for event in _history(lars)}
    assert told["scrubbed"] == {}


def test_what_was_noted_of_the_requests_of_others_stays_but_for_the_name(known, member):
    she, lars, _undone = known
    erasure.delete(Contact.objects.filter(pk=she.pk), actor=member)
    rows = lars.requests.order_by("pk").values_list("identity_check", "extension_reason", "pause_reason", "answer")
    assert list(rows) == [("Passport of Lars", "…", "…", ""), ("", "", "", "…")]
    notes = lars.requests.earliest("pk").identity_notes.values_list("text", flat=True)
    assert sorted(notes) == ["", "Passport of Lars"]


def _history(person):
    return list(history.of_contact(person.pk).values("action", "changes"))


def test_the_no_of_the_address_stays(known, member):
    she = Contact.objects.get(pk=known[0].pk)
    erasure.delete(Contact.objects.filter(pk=she.pk), actor=member)
    assert suppression.of_address(she.email_key).source == "manual"


def test_a_dry_run_says_what_goes_and_takes_nothing(known, api):
    she, *_ = known
    before = everything()
    answer = api.post(f"/api/v1/contacts/{she.pk}/erase/", {"dry_run": True}, "json")
    assert answer.status_code == 200
    report = answer.json()
    assert (report["dry_run"], report["mails"], report["files"]) == (
        True,
        1,
        {"evidence": 1, "exports": 3, "imports": 1},
    )
    assert report["rows"]["people"] == 1
    assert report["mentions"]["saved_views"] == 2
    assert found_in(everything()) == found_in(before)
    done = api.post(f"/api/v1/contacts/{she.pk}/erase/", {}, "json")
    assert (done.status_code, done.json()["dry_run"], done.json()["mails"]) == (200, False, 1)
    assert api.post(f"/api/v1/contacts/{she.pk}/erase/", {}, "json").status_code == 404


def test_a_name_that_somebody_else_bears_gives_nobody_away(data, person, member):
    anna = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    person(first_name="Anna", last_name="Lind", email="anna.lind@example.com")
    csv_export.order_export(Contact.objects.all(), actor=member, reason="The list that Anna wanted")
    csv_export.order_export(Contact.objects.all(), actor=member, reason="The list for Anna Berg")
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    reasons = list(Batch.objects.order_by("pk").values_list("params__reason", flat=True))
    assert reasons == ["The list that Anna wanted", "…"]


def test_a_large_export_is_removed(data, person, member, monkeypatch):
    monkeypatch.setattr("exports.files.rewriting.REWRITE_LIMIT", 10)
    anna = person()
    job = csv_export.order_export(Contact.objects.all(), actor=member, reason="")
    path = Path(job.file.path)
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    job.refresh_from_db()
    assert (job.file.name, path.exists()) == ("", False)


def test_a_file_that_cannot_be_removed_now_is_removed_by_the_sweep(data, person, member, monkeypatch):
    anna = person()
    job = csv_export.order_export(Contact.objects.all(), actor=member, reason="")
    path = Path(job.file.path)

    def refuse(store, name):
        raise OSError

    with monkeypatch.context() as disk:
        disk.setattr(FileSystemStorage, "delete", refuse)
        erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert (PendingFileDeletion.objects.count(), path.exists()) == (1, True)
    assert (rewriting.delete_pending_files(), PendingFileDeletion.objects.count(), path.exists()) == (1, 0, False)


def test_many_are_erased_with_a_handful_of_statements(data, person, member, django_assert_max_num_queries):
    for number in range(30):
        person(first_name=f"Anna{number}", email=f"a{number}@example.com")
    with django_assert_max_num_queries(60):
        assert erasure.delete(Contact.objects.all(), actor=system("command")).changed == 30
    lines = [json.loads(line) for line in (data / "ledger" / "erasures.jsonl").read_text().splitlines()]
    assert [line["what"] for line in lines] == ["erased"] * 30

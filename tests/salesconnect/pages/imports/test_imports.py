import csv
import datetime as dt
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from compliance.imports import import_jobs, working
from compliance.models import ImportJob, ImportReject
from contacts.models import Contact

SALESFORCE = b"First Name,Last Name,Email,Account Name,Favourite Colour\r\nAnna,Berg,anna@example.se,Berg AB,Blue\r\n"


def upload(signed_in, content=SALESFORCE, name="people.csv", **fields):
    return signed_in.post("/people/import/", {"file": SimpleUploadedFile(name, content), **fields})


def work_off():
    for job in ImportJob.objects.filter(attempt__gt=0):
        while working.run(job.pk):
            pass


def text(response) -> str:
    return response.content.decode()


@pytest.fixture
def job(signed_in, db):
    """Return the proposal of a Salesforce report, its preview counted."""
    upload(signed_in)
    work_off()
    return ImportJob.objects.get()


def test_the_page_asks_for_a_file(signed_in):
    response = signed_in.get("/people/import/")
    assert response.status_code == 200
    assert 'enctype="multipart/form-data"' in text(response)


def test_a_file_leads_to_its_preview_and_nothing_is_stored_yet(signed_in):
    response = upload(signed_in)
    job = ImportJob.objects.get()
    assert (response.status_code, response.url) == (302, f"/imports/{job.pk}/")
    work_off()
    shown = text(signed_in.get(response.url))
    assert all(words in shown for words in ("Salesforce report", "Would be created", "Favourite Colour", "Berg AB"))
    assert Contact.objects.count() == 0


def test_start_imports_what_was_shown(signed_in, job, bob):
    response = signed_in.post(f"/imports/{job.pk}/", fields(signed_in, job) | {"start": ""})
    work_off()
    job.refresh_from_db()
    assert (response.status_code, job.state, job.dry_run, job.created) == (302, "done", False, 1)
    anna = Contact.objects.get()
    assert (anna.email, anna.company, anna.owner) == ("anna@example.se", "Berg AB", bob)
    shown = text(signed_in.get(f"/imports/{job.pk}/"))
    assert "View the new people" in shown


def test_another_mapping_is_previewed_before_it_starts(signed_in, job):
    changed = fields(signed_in, job) | {"column_4": "other", "authorization_type": "contract", "start": ""}
    response = signed_in.post(f"/imports/{job.pk}/", changed, follow=True)
    assert "Look at the new preview" in text(response)
    job.refresh_from_db()
    assert (job.dry_run, job.mapping["Favourite Colour"], job.card["authorization_type"]) == (True, "other", 3)
    signed_in.post(f"/imports/{job.pk}/", fields(signed_in, job) | {"start": ""})
    work_off()
    anna = Contact.objects.select_related("card").get()
    assert (anna.other, anna.card.authorization_type) == ("Blue", 3)


def test_a_file_without_known_columns_can_be_mapped(signed_in):
    upload(signed_in, b"Wer,Wohin\r\nAnna,anna@example.se\r\n")
    job = ImportJob.objects.get()
    assert job.attempt == 0
    assert "No column is known" in text(signed_in.get(f"/imports/{job.pk}/"))
    refusal = signed_in.post(f"/imports/{job.pk}/", {"column_0": "company", "column_1": "", "preview": ""})
    assert (refusal.status_code, "No column of the file is known" in text(refusal)) == (422, True)
    signed_in.post(f"/imports/{job.pk}/", {"column_0": "first_name", "column_1": "email", "preview": ""})
    work_off()
    job.refresh_from_db()
    assert (job.dry_run, job.created) == (True, 1)


def test_a_field_cannot_be_filled_from_two_columns(signed_in, job):
    response = signed_in.post(f"/imports/{job.pk}/", fields(signed_in, job) | {"column_4": "company", "preview": ""})
    assert (response.status_code, "Two columns are chosen" in text(response)) == (422, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"First Name,Email\r\n", "The file has a header and no rows."),
        (b"PK\x03\x04rest", "The file is a spreadsheet."),
        (b'Email,Name\r\na@example.se,"open\r\nb@example.se,x\r\n', "A quotation mark opened on line 2 is not closed."),
        (b"a," * 200 + b"a\r\n" + b"1," * 200 + b"1\r\n", "The file has more than 200 columns."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_its_field(signed_in, content, message):
    response = upload(signed_in, content)
    assert (response.status_code, message in text(response)) == (422, True)
    assert ImportJob.objects.count() == 0


def test_a_consent_for_all_rows_needs_date_and_purpose(signed_in):
    response = upload(signed_in, authorization_type="consent")
    assert (response.status_code, "Consent needs the purpose" in text(response)) == (422, True)


def test_a_date_of_consent_without_consent_is_not_dropped_silently(signed_in):
    response = upload(signed_in, consent_date="2026-03-01")
    assert (response.status_code, "Only Consent has a date of consent." in text(response)) == (422, True)


def test_rejected_rows_are_shown_and_come_back_corrected(signed_in, db):
    upload(signed_in, "Förnamn;E-post\r\n=Åsa;ingen adress\r\nBo;bo@example.se\r\n".encode("cp1252"), name="mässan.csv")
    job = ImportJob.objects.get()
    import_jobs.begin(job.pk, actor=working._actor_of(job), dry_run=False)
    work_off()
    shown = text(signed_in.get(f"/imports/{job.pk}/"))
    assert "Download rejected rows" in shown
    response = signed_in.get(f"/imports/{job.pk}/rejected/")
    content = b"".join(response.streaming_content)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0] == ["Line", "Reason", "Förnamn", "E-post"]
    assert rows[1][0] == "2"
    assert rows[1][2:] == ["'=Åsa", "ingen adress"]
    corrected = content.replace(b"ingen adress", b"asa@example.se")
    upload(signed_in, corrected)
    again = ImportJob.objects.exclude(pk=job.pk).get()
    import_jobs.begin(again.pk, actor=working._actor_of(again), dry_run=False)
    work_off()
    assert set(Contact.objects.values_list("first_name", "email")) == {
        ("=Åsa", "asa@example.se"),
        ("Bo", "bo@example.se"),
    }
    assert ImportReject.objects.filter(job=again).count() == 0


def test_progress_is_told_without_the_page_around_it(signed_in, job):
    import_jobs.begin(job.pk, actor=working._actor_of(job), dry_run=False)
    shown = signed_in.get(f"/imports/{job.pk}/", headers={"HX-Request": "true", "HX-Target": "import-status"})
    assert "Waiting to start" in text(shown)
    assert "<html" not in text(shown)


def test_a_running_import_can_be_cancelled(signed_in, job):
    import_jobs.begin(job.pk, actor=working._actor_of(job), dry_run=False)
    assert signed_in.post(f"/imports/{job.pk}/cancel/").status_code == 302
    job.refresh_from_db()
    assert (job.state, working.run(job.pk), Contact.objects.count()) == ("cancelled", False, 0)


def test_a_file_that_was_only_previewed_can_be_thrown_away(signed_in, job, django_capture_on_commit_callbacks):
    name, storage = job.file.name, job.file.storage
    with django_capture_on_commit_callbacks(execute=True):
        response = signed_in.post(f"/imports/{job.pk}/cancel/")
    job.refresh_from_db()
    assert (response.url, job.state, job.file.name) == ("/people/import/", "cancelled", "")
    assert not storage.exists(name)
    assert signed_in.get(f"/imports/{job.pk}/").status_code == 200
    assert signed_in.post(f"/imports/{job.pk}/cancel/").status_code == 409


def test_an_import_is_begun_once(signed_in, job):
    form = fields(signed_in, job) | {"start": ""}
    signed_in.post(f"/imports/{job.pk}/", form)
    assert signed_in.post(f"/imports/{job.pk}/", form).status_code == 409


def test_an_auditor_sees_imports_and_may_not_import(job, charlie):
    auditor = Client()
    auditor.force_login(charlie)
    assert auditor.get(f"/imports/{job.pk}/").status_code == 200
    assert auditor.get(f"/imports/{job.pk}/rejected/").status_code == 200
    assert auditor.get("/people/import/").status_code == 403
    assert upload(auditor).status_code == 403
    assert auditor.post(f"/imports/{job.pk}/", {"start": ""}).status_code == 403
    assert auditor.post(f"/imports/{job.pk}/cancel/").status_code == 403


def test_an_import_that_does_not_exist_is_missing(signed_in):
    assert signed_in.get("/imports/1/").status_code == 404
    assert signed_in.get("/imports/1/rejected/").status_code == 404


def test_a_file_that_was_removed_after_a_month_cannot_start(signed_in, job):
    form = fields(signed_in, job) | {"start": ""}
    ImportJob.objects.update(created_at=timezone.now() - dt.timedelta(days=31))
    assert working.forget_old() == 1
    assert signed_in.get(f"/imports/{job.pk}/").status_code == 200
    assert signed_in.post(f"/imports/{job.pk}/", form).status_code == 409


def fields(signed_in, job) -> dict[str, str]:
    """Return what a browser would post from the preview page when nothing is changed."""
    form = signed_in.get(f"/imports/{job.pk}/").context["form"]
    return {field.name: str(field.value() or "") for field in form}

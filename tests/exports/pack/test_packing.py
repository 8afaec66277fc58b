"""The evidence pack: complete, consistent, provable, and on record itself."""

import io
import json
import subprocess
import sys
import zipfile
from hashlib import sha256

import jsonschema
import pytest
from django.core.files.base import ContentFile
from fpdf import FPDF

from compliance.card.card_changes import authorise
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact, ContactEvent
from exports import verify_proof
from exports.pack import contents, packing, pdf, printing
from salesconnect.common import evidence_pack_words
from salesconnect.lib.actor import Actor
from salesconnect.lib.errors import Forbidden, Missing
from tests.evidence import PDF, evidence
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.mail import mailing as mails
from unsubscribes.mail.compose import Draft
from unsubscribes.mail.sending import send
from unsubscribes.merging.merge import merge
from unsubscribes.models import OutboxEntry, SyncRecord


@pytest.fixture(autouse=True)
def files_of_their_own(settings, tmp_path):
    """Keep what a test writes to files away from what others write."""
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"default": storage}
    settings.DATA_DIR = tmp_path


@pytest.fixture
def anna(person, administrator, member):
    """Return somebody to whom everything has happened."""
    ground = Authorization(AuthorizationType.CONTRACT)
    anna = person(first_name="Åsa", last_name="Öberg", email="asa@example.com", phone="070 123")
    twin = person(first_name="Åsa", last_name="Oberg", email="asa.oberg@example.com", other="Met at the fair")
    merge(anna.pk, twin.pk, actor=member)
    authorise(Contact.objects.filter(pk=anna.pk), ground, actor=member)
    mails.write_to_one(anna.pk, Draft("Nyheter för {{ first_name }}", "Hej!"), actor=member)
    send.drain()
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source="manual", reason="Enough")
    reconsent(anna.pk, evidence(document=ContentFile(PDF, "form.pdf")), actor=administrator)
    record = SyncRecord.objects.create(
        sf_id="003000000000001AAA", sobject="Contact", contact_id=anna.pk, opted_out=True
    )
    OutboxEntry.objects.create(record=record, desired=True, state="done")
    return anna


def unpacked(answer):
    content = b"".join(answer.streaming_content)
    return zipfile.ZipFile(io.BytesIO(content))


@pytest.fixture
def pack(anna, api):
    """Return the pack as the API hands it out."""
    answer = api.get(f"/api/v1/contacts/{anna.pk}/evidence-pack/", {"reason": "Request 12"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    return unpacked(answer)


def test_the_manifest_lists_every_other_member_as_it_is(pack):
    listed = json.loads(pack.read("manifest.json"))
    assert [member["path"] for member in listed] == pack.namelist()[:-1]
    assert pack.namelist()[-1] == "manifest.json"
    for member in listed:
        content = pack.read(member["path"])
        assert (sha256(content).hexdigest(), len(content)) == (member["sha256"], member["bytes"])


def test_the_pack_holds_all_that_is_held(pack, anna):
    names = [name for name in pack.namelist() if not name.startswith("proofs/")]
    assert names == [
        "README.txt",
        "person.json",
        "person.schema.json",
        "person.csv",
        "person.html",
        "person.pdf",
        "history.json",
        "consents.json",
        "mails.json",
        "salesforce.json",
        f"files/consent-{anna.evidence.get().pk}.pdf",
        "seals.json",
        "verify_proof.py",
        "manifest.json",
    ]
    person = json.loads(pack.read("person.json"))
    jsonschema.validate(person, json.loads(pack.read("person.schema.json")), cls=jsonschema.Draft202012Validator)
    assert (person["first_name"], person["email"], len(person["merged_records"])) == ("Åsa", "asa@example.com", 1)
    assert person["compliance"]["authorization_type"] == "consent"
    assert [entry["kind"] for entry in person["unsubscribes"]] == ["resubscribed", "unsubscribed"]
    assert [(mail["subject"], mail["state"]) for mail in json.loads(pack.read("mails.json"))] == [
        ("Nyheter för Åsa", "sent")
    ]
    [consent] = json.loads(pack.read("consents.json"))
    assert (consent["wording"], consent["purpose"]) == ("Yes, please send me the newsletter.", "Newsletter")
    [record] = json.loads(pack.read("salesforce.json"))
    assert (record["id"], record["writes"][0]["state"]) == ("003000000000001AAA", "done")
    assert pack.read(f"files/consent-{consent['id']}.pdf") == PDF


def test_every_event_is_told_and_proved_by_the_program_in_the_pack(pack, anna, tmp_path):
    events = json.loads(pack.read("history.json"))
    known = ContactEvent.objects.filter(contact_id__in=history.merged_ids([anna.pk])).order_by("id")
    assert [event["id"] for event in events] == [event.id for event in known]
    assert {event["action"] for event in events} >= {"created", "mailed", "unsubscribed", "resubscribed", "merged"}
    pack.extractall(tmp_path / "pack")
    roots = {seal["root"] for seal in json.loads(pack.read("seals.json"))}
    for event in events:
        file = tmp_path / "pack" / event["proof"]
        root = json.loads(file.read_text())["root"]
        command = [sys.executable, "-I", "verify_proof.py", file, "--root", root]
        done = subprocess.run(command, cwd=tmp_path / "pack", capture_output=True, text=True, check=False)
        assert (done.stdout, done.returncode, root in roots) == ("true\n", 0, True)
        assert verify_proof.verify(file.read_bytes(), root) == root


def test_that_it_was_taken_is_in_the_history_and_in_the_pack(pack, anna):
    event = history.of_contact(anna.pk).first()
    assert (event.action, event.actor_name) == ("exported", "bob")
    assert event.changes == {"pack": [None, True], "reason": [None, "Request 12"]}
    last = json.loads(pack.read("history.json"))[-1]
    assert (last["id"], last["text"]) == (event.id, "bob took this person’s evidence pack: Request 12")


def test_the_page_that_prints_says_it_in_the_readers_language_and_needs_nothing_else(anna, bob, signed_in):
    bob.language = "sv"
    bob.save()
    answer = signed_in.post(f"/people/{anna.pk}/evidence-pack/")
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert "evidence.zip" in answer["Content-Disposition"]
    page = unpacked(answer).read("person.html").decode()
    assert '<html lang="sv">' in page
    for words in ("Åsa Öberg", "Nyheter för Åsa", "Yes, please send me the newsletter.", "Samtycke", "Historik"):
        assert words in page
    for outside in ("<script", "src=", "href=", "http:", "url("):
        assert outside not in page


def test_the_pdf_embeds_its_letters(pack):
    content = pack.read("person.pdf")
    assert content.startswith(b"%PDF-")
    assert content.count(b"/FontFile2") == 2


def test_what_cannot_be_printed_breaks_no_pdf():
    section = printing.PrintedSection(
        "Ж 漢字 🙂",
        pairs=[("A" * 300, "B" * 10_000), ("", "")],
        lines=[printing.DatedEntry("t", "word " * 5_000, "note")],
    )
    assert pdf.pdf(printing.PrintedPage("א", "", "en", "", [section])).startswith(b"%PDF-")
    assert issubclass(pdf._Document, FPDF)


def test_the_same_rows_make_the_same_members_in_the_same_order(anna, member):
    def members():
        pack = packing.evidence_pack(anna.pk, actor=member, words=evidence_pack_words.page, describe=str)
        with pack.file:
            return json.loads(zipfile.ZipFile(pack.file).read("manifest.json"))

    first, second = members(), members()
    steady = ("person.json", "person.schema.json", "consents.json", "mails.json", "salesforce.json", "verify_proof.py")
    assert [m for m in first if m["path"] in steady] == [m for m in second if m["path"] in steady]
    assert [m["path"] for m in first] == [m["path"] for m in second if m["path"] != f"proofs/{newest(anna)}.json"]


def newest(person):
    return history.of_contact(person.pk).first().id


def test_only_who_may_export_gets_one_and_nobody_gets_one_of_nobody(anna, member):
    nobody = Actor(None, "Nobody", "", "page")
    with pytest.raises(Forbidden):
        packing.evidence_pack(anna.pk, actor=nobody, words=evidence_pack_words.page, describe=str)
    with pytest.raises(Missing):
        packing.evidence_pack(anna.pk + 1_000, actor=member, words=evidence_pack_words.page, describe=str)


def test_a_document_that_is_lost_is_said_to_be_missing_and_costs_nobody_the_pack(anna, api):
    record = anna.evidence.get()
    record.file.storage.delete(record.file.name)
    pack = unpacked(api.get(f"/api/v1/contacts/{anna.pk}/evidence-pack/"))
    assert [name for name in pack.namelist() if name.startswith("files/")] == []
    page = pack.read("person.html").decode()
    assert f"Missing from the store. Recorded as {record.file_name} with SHA-256 {record.sha256}." in page


def test_a_single_export_may_say_what_it_is_for(anna, api):
    assert api.get(f"/api/v1/contacts/{anna.pk}/export/", {"reason": "Request 13"}).status_code == 200
    assert history.of_contact(anna.pk).first().changes == {"reason": [None, "Request 13"]}
    assert api.get(f"/api/v1/contacts/{anna.pk}/export/", {"reason": "x" * 501}).status_code == 400


def test_rows_of_kinds_that_come_later_are_in_it_too(anna):
    kinds = {str(relation.related_model._meta.model_name) for relation in Contact._meta.related_objects}
    assert kinds >= contents.OWN_FILES

"""Each kind of difference, made by hand behind the database's back: it is found, and put right as an event."""

import datetime as dt
import os
import time

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from compliance.card import card_changes
from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization, Source
from compliance.card.source_registry import SourceType
from compliance.models import CardTally, ComplianceCard, ErasedAddress, ImportJob, Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Batch, Contact, ContactEvent, Merge, Verification
from contacts.people.addresses import address_hash
from exports.erasure import erasure
from exports.integrity import check_run
from exports.integrity.all_checks import CHECKS
from exports.models import PendingFileDeletion, RecordCheck
from salesconnect.lib.actor import Forbidden, system
from unsubscribes.links import links
from unsubscribes.merging.merge import merge
from unsubscribes.models import (
    MailLink,
    MailServer,
    Message,
    OutboxEntry,
    SyncConnection,
    SyncNotice,
    SyncRecord,
    SyncRun,
)
from unsubscribes.opt_outs import of_person as told

CONSENT = Authorization(AuthorizationType.CONSENT, consent_date=dt.date(2026, 3, 1), consent_purpose="Newsletter")
# Files of other tests, whose rows were rolled back, lie in the store that all of them share.
SHARED = ("stray_files",)


def behind_the_back(sql, *values):
    """Change rows without the triggers that keep them right."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def found(mend=False):
    """Return what a run finds: name, count, example, and what is left."""
    differences = check_run.run(actor=system("command"), mend=mend, leave_out=SHARED)
    return {each.check.name: (each.found.count, each.found.example, each.left) for each in differences}


def newest(contact):
    return ContactEvent.objects.filter(contact_id=contact.pk).order_by("-id").first()


@pytest.fixture
def anna(person):
    return person(authorization=CONSENT, source=Source(SourceType.OTHER, "fair"))


def test_nothing_differs_after_the_ordinary_acts(anna, person, member):
    other = person(first_name="Bo", last_name="Ek", email="bo@example.com")
    card_changes.authorise(Contact.objects.all(), Authorization(AuthorizationType.CONTRACT), actor=member)
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source="manual", reason="asked")
    erasure.delete(Contact.objects.filter(pk=other.pk), actor=member)
    assert found() == {}
    row = RecordCheck.objects.get()
    assert (row.found, row.left, row.differences, row.finished_at is not None) == (0, 0, [], True)


def test_a_suppressed_address_whose_holder_may_be_mailed(anna):
    suppression.suppress_hashes([anna.address_hash], source="complaint")
    assert found() == {"suppressed_not_unsubscribed": (1, str(anna.pk), 1)}
    assert found(mend=True) == {"suppressed_not_unsubscribed": (1, str(anna.pk), 0)}
    anna.card.refresh_from_db()
    assert anna.card.unsubscribed
    assert newest(anna).changes == {"source": [None, "complaint"], "reason": [None, ""]}
    assert found() == {}


def test_an_unsubscribed_person_whose_address_is_not_suppressed(anna, member):
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="clicked_link")
    behind_the_back("DELETE FROM compliance_suppression")
    assert found() == {"unsubscribed_not_suppressed": (1, str(anna.pk), 1)}
    assert found(mend=True) == {"unsubscribed_not_suppressed": (1, str(anna.pk), 0)}
    held = Suppression.objects.get()
    assert (held.address_hash, held.source) == (anna.address_hash, "clicked_link")
    assert newest(anna).action == history.CORRECTED
    assert found() == {}


def test_an_opt_out_that_only_the_history_has(anna, member):
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="one_click")
    behind_the_back("DELETE FROM compliance_suppression")
    behind_the_back("UPDATE compliance_compliancecard SET unsubscribed = false")
    with_tally = {"opt_out_only_in_history": (1, str(anna.pk), 0), "tallies": (2, "authorization 1", 0)}
    assert found(mend=True).items() >= {"opt_out_only_in_history": with_tally["opt_out_only_in_history"]}.items()
    anna.card.refresh_from_db()
    assert anna.card.unsubscribed
    assert Suppression.objects.get().source == "one_click"
    assert found() == {}


def test_an_opt_out_that_the_history_does_not_have(anna, member):
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="bounce")
    behind_the_back("DELETE FROM contacts_contactevent WHERE action = 'unsubscribed'")
    assert found() == {"opt_out_not_in_history": (1, str(anna.pk), 1)}
    assert found(mend=True) == {"opt_out_not_in_history": (1, str(anna.pk), 0)}
    assert [(said.kind, said.source) for said in told.of_person(Contact.objects.get())] == [("unsubscribed", "bounce")]
    assert found() == {}


WRONG = {
    "the authorization": "authorization_type = 2, consent_date = NULL, consent_purpose = ''",
    "the date of the consent": "consent_date = '2020-01-01'",
    "the purpose": "consent_purpose = 'Everything'",
    "the source": "source_type = 1, source_other = ''",
    "the words of the source": "source_other = 'somewhere'",
    "nothing": "authorization_type = NULL, consent_date = NULL, consent_purpose = '', source_type = NULL,"
    " source_other = ''",
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_card_that_differs_from_its_history(anna, wrong):
    before = ComplianceCard.objects.values().get()
    ComplianceCard.objects.filter(pk=anna.pk).update(version=1)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE compliance_compliancecard SET {wrong}")
    assert found() == {"card_history": (1, str(anna.pk), 1)}
    assert found(mend=True) == {"card_history": (1, str(anna.pk), 0)}
    changing = ("version", "updated_at")
    after = ComplianceCard.objects.values().get()
    assert {**after, **dict.fromkeys(changing)} == {**before, **dict.fromkeys(changing)}
    assert newest(anna).action == history.CORRECTED
    assert found() == {}


def test_a_restricted_card_is_left_as_it_is(anna):
    behind_the_back("UPDATE compliance_compliancecard SET restricted_at = now(), source_type = NULL, source_other = ''")
    assert found(mend=True).keys() >= {"card_history"}
    assert found(mend=True)["card_history"] == (1, str(anna.pk), 1)


def test_a_basis_whose_words_are_gone_from_the_history_is_the_cards_own(anna, person):
    behind_the_back("UPDATE contacts_contactevent SET changes = contacts_scrubbed(changes)")
    history.record([anna.pk], history.SCRUBBED, actor=system("command"))
    assert found() == {}


def test_a_person_without_a_card(anna):
    behind_the_back("DELETE FROM compliance_compliancecard")
    assert found(mend=True)["no_card"] == (1, str(anna.pk), 0)
    card = ComplianceCard.objects.get()
    assert (card.authorization_type, card.consent_purpose, card.source_other) == (1, "Newsletter", "fair")
    assert found() == {}


def test_people_whom_the_history_does_not_know_and_who_are_gone(anna, person):
    other = person(first_name="Bo", email="bo@example.com")
    behind_the_back("DELETE FROM contacts_contactevent WHERE contact_id = %s", anna.pk)
    behind_the_back("DELETE FROM compliance_compliancecard WHERE contact_id = %s", other.pk)
    behind_the_back("DELETE FROM contacts_contact WHERE id = %s", other.pk)
    assert found(mend=True).items() >= {
        "person_not_in_history": (1, str(anna.pk), 1), "vanished": (1, str(other.pk), 1)
    }.items()  # fmt: skip


def test_a_wrong_hash_hides_neither_a_suppression_nor_an_opt_out(anna):
    suppression.suppress_hashes([address_hash("anna@example.com")], source="manual")
    behind_the_back("UPDATE contacts_contact SET address_hash = gen_random_uuid()")
    # Until its hash is right again, the address that said no is one that looks like it.
    assert found() == {"address_hashes": (1, str(anna.pk), 1), "lookalikes": (1, str(anna.pk), 1)}
    assert found(mend=True) == {
        "address_hashes": (1, str(anna.pk), 0),
        "lookalikes": (1, str(anna.pk), 0),
        "suppressed_not_unsubscribed": (0, "", 0),
    }  # fmt: skip
    anna.refresh_from_db()
    assert (anna.address_hash, ComplianceCard.objects.get().unsubscribed) == (address_hash("anna@example.com"), True)
    assert found() == {}


def test_a_normal_address_that_is_not_that_of_the_address(anna, person):
    other = person(first_name="Bo", email="bo@example.com")
    behind_the_back("UPDATE contacts_contact SET email_key = 'x@example.com' WHERE id = %s", anna.pk)
    behind_the_back("UPDATE contacts_contact SET email = 'Anna@Example.com' WHERE id = %s", other.pk)
    assert found()["address_hashes"] == (2, str(anna.pk), 2)
    # Of two people with one address only the first may have it; the other stays in the list.
    assert found(mend=True)["address_hashes"] == (2, str(anna.pk), 1)
    anna.refresh_from_db()
    assert anna.email_key == "anna@example.com"


def test_a_hash_of_an_older_key_waits_for_its_turn(anna, settings):
    settings.SUPPRESSION_KEYS = ["a newer key of the tests", *settings.SUPPRESSION_KEYS]
    assert found() == {}


def test_a_card_that_sorts_under_another_name(anna):
    behind_the_back("UPDATE compliance_compliancecard SET sort_last = 'x'")
    assert found(mend=True) == {"sort_names": (1, str(anna.pk), 0)}
    assert ComplianceCard.objects.get().sort_last == "berg"


def test_a_tally_that_counts_wrong(anna):
    behind_the_back("UPDATE compliance_cardtally SET number = 7")
    CardTally.objects.create(source_type=3, unsubscribed=True, number=5)
    assert found() == {"tallies": (2, "authorization 0", 2)}
    assert found(mend=True) == {"tallies": (2, "authorization 0", 0)}
    assert found() == {}


def test_numbers_of_orders_that_do_not_add_up(db):
    batch = Batch.objects.create(kind="source", actor_name="x", door="page", state="done", total=3, done=2, changed=2)
    job = ImportJob.objects.create(actor_name="x", door="page", file_name="x", state="done", total=3, created=2)
    assert found(mend=True) == {"batch_counts": (1, str(batch.pk), 1), "import_counts": (1, str(job.pk), 1)}


def test_words_in_the_history_of_the_erased(anna, member):
    behind_the_back("CREATE TEMPORARY TABLE kept AS SELECT * FROM contacts_contactevent")
    erasure.delete(Contact.objects.all(), actor=member)
    behind_the_back("UPDATE contacts_contactevent event SET changes = kept.changes FROM kept WHERE kept.id = event.id")
    assert found() == {"words_of_erased": (1, str(anna.pk), 1)}
    assert found(mend=True) == {"words_of_erased": (1, str(anna.pk), 0)}
    assert newest(anna).action == history.SCRUBBED


def test_links_that_keep_the_hash_of_the_erased(anna, member):
    link = links.make(anna)
    erasure.delete(Contact.objects.all(), actor=member)
    assert found() == {}
    MailLink.objects.update(address_hash=address_hash("anna@example.com"))
    ErasedAddress.objects.all().delete()
    assert found() == {"links_of_erased": (1, str(link.pk), 1)}


def test_what_the_sync_keeps_of_people_who_are_gone(anna):
    linked = SyncRecord.objects.create(sf_id="003000000000001AAA", sobject="Contact", contact_id=anna.pk + 1)
    hashed = SyncRecord.objects.create(
        sf_id="003000000000002AAA", sobject="Contact", address_hash=address_hash("x@example.com"),
        erased_at=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    merge = Merge.objects.create(survivor_id=anna.pk + 1, absorbed_id=anna.pk + 2, actor_name="x")
    assert found(mend=True) == {
        "sync_records_of_nobody": (1, str(linked.pk), 0),
        "sync_hashes_of_erased": (1, str(hashed.pk), 0),
        "merges_of_nobody": (1, str(merge.pk), 1),
    }


def test_who_was_merged_into_somebody_who_was_merged_on_is_nobodys_difference(anna, person, member):
    bo, cecilia = person(email="bo@example.com"), person(email="c@example.com")
    SyncRecord.objects.create(sf_id="003000000000001AAA", sobject="Contact", contact_id=anna.pk)
    merge(bo.pk, anna.pk, actor=member)
    merge(cecilia.pk, bo.pk, actor=member)
    assert found() == {}
    erasure.delete(Contact.objects.filter(pk=cecilia.pk), actor=member)
    assert (found(), Merge.objects.count()) == ({}, 0)


def test_what_waits_longer_than_it_may(anna):
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    batch = Batch.objects.create(kind="source", actor_name="x", door="page")
    job = ImportJob.objects.create(actor_name="x", door="page", file_name="x", attempt=1)
    verification = Verification.objects.create(actor_name="x", heartbeat_at=long_ago)
    run = SyncRun.objects.create(kind="pull", actor_name="x", created_at=long_ago)
    mail = Message.objects.create(contact=anna, actor_name="x", door="page", language="en", not_before=long_ago)
    record = SyncRecord.objects.create(sf_id="003000000000001AAA", sobject="Contact", contact_id=anna.pk)
    entry = OutboxEntry.objects.create(record=record, desired=True, due_at=long_ago)
    notice = SyncNotice.objects.create(contact_id=anna.pk, at=long_ago)
    pending = PendingFileDeletion.objects.create(name="exports/x.csv", created_at=long_ago)
    Batch.objects.update(created_at=long_ago)
    ImportJob.objects.update(created_at=long_ago)
    waiting = {
        "orders_waiting": batch, "imports_waiting": job, "verifications_waiting": verification, "runs_waiting": run,
        "mails_waiting": mail, "doomed_files": pending,
    }  # fmt: skip
    assert found(mend=True) == {name: (1, str(row.pk), 1) for name, row in waiting.items()}
    SyncConnection.objects.create(pk=1, state="active", login_url="https://x.example", client_id="x", secret="x")
    assert found()["outbox_waiting"] == (2, str(min(entry.pk, notice.pk)), 2)


def test_mail_that_waits_for_a_mail_server_waits_rightly(person, settings):
    anna, long_ago = person(), timezone.now() - dt.timedelta(days=2)
    Message.objects.create(contact=anna, actor_name="x", door="page", language="en", not_before=long_ago)
    assert list(found()) == ["mails_waiting"]
    MailServer.objects.create(pk=1, since=long_ago, said="no", next_at=timezone.now())
    assert not found()
    MailServer.objects.all().delete()
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    assert not found()


def test_files_without_rows_and_rows_without_files(settings, tmp_path, db):
    settings.STORAGES = {**settings.STORAGES, "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}}  # fmt: skip
    absent = ImportJob.objects.create(actor_name="x", door="page", file_name="x", file="imports/2026/01/gone.csv")
    names = [default_storage.save(f"imports/2026/01/{name}", ContentFile(b"x")) for name in ("old", "new", "doomed")]
    PendingFileDeletion.objects.create(name=names[2])
    for name in (names[0], names[2]):
        os.utime(tmp_path / name, (0, 0))
    os.utime(tmp_path / names[1], (time.time(), time.time()))  # a disk has its own clock
    kept = ImportJob.objects.create(actor_name="x", door="page", file_name="x", file=names[0])
    differences = check_run.run(actor=system("command"))
    assert [(each.check.name, each.found.example) for each in differences] == [
        ("missing_files", f"importjob {absent.pk}")
    ]
    kept.delete()
    differences = check_run.run(actor=system("command"), mend=True)
    assert [(each.check.name, each.found.count, each.left) for each in differences] == [
        ("missing_files", 1, 1), ("stray_files", 1, 0)
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "imports/2026/01").iterdir()) == ["doomed", "new"]


def test_the_command_says_each_kind_and_ends_with_1(anna, capsys, settings, tmp_path):
    settings.STORAGES = {**settings.STORAGES, "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}}  # fmt: skip
    call_command("check_records")
    assert capsys.readouterr().out == "The records agree: no differences.\n"
    behind_the_back("UPDATE contacts_contact SET address_hash = gen_random_uuid()")
    with pytest.raises(SystemExit) as ended:
        call_command("check_records")
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert said == f"address_hashes: Addresses whose stored hash is wrong: 1, first: {anna.pk}\n"
    call_command("check_records", "--mend")
    assert capsys.readouterr().out.endswith("put right: 1, left: 0\n")


def test_who_may_not_verify_may_not_check(db, member, auditor):
    with pytest.raises(Forbidden):
        check_run.run(actor=auditor, mend=True)
    assert check_run.run(actor=auditor, leave_out=SHARED) == []


def test_no_words_name_an_address(anna):
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    behind_the_back("UPDATE contacts_contact SET address_hash = gen_random_uuid()")
    found()
    assert "anna" not in str(RecordCheck.objects.get().differences)

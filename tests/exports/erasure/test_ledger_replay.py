"""A restored backup brings people back and forgets who said no; the ledger knows better."""

import json
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from compliance.suppression import suppression
from contacts.events import history
from contacts.models import Contact
from exports.erasure import erasure, ledger_entries, ledger_replay
from salesconnect.embedded.account import binaries
from salesconnect.lib import ledger as ledger_file
from salesconnect.lib.actor import system
from tests.evidence import evidence
from tests.exports.stored import dump
from unsubscribes.evidence.reconsent import reconsent
from unsubscribes.merging.merge import merge

COMMAND = system("command")


@pytest.fixture
def ledger_of_its_own(settings, tmp_path) -> Path:
    """Give the test a ledger of its own."""
    settings.ERASURE_LEDGER = str(tmp_path / "ledger" / "erasures.jsonl")
    return Path(settings.ERASURE_LEDGER)


def restore(backup: bytes) -> None:
    """Put a dump in the place of the test database's tables."""
    parts = connection.settings_dict
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    connection.close()
    command = [str(binaries() / "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-h", parts["HOST"], "-U", parts["USER"]]
    subprocess.run([*command, "-p", str(parts["PORT"] or 5432), parts["NAME"]], input=backup, check=True)


def test_a_restored_backup_brings_nobody_back(ledger_of_its_own, transactional_db, person, member):
    anna, lars = person(email="anna@example.com"), person(email="lars@example.com")
    absorbed = person(first_name="Other", last_name="Record")
    eva, stays = person(email="eva@example.com"), person(email="stays@example.com")
    backup = dump()
    merge(anna.pk, absorbed.pk, actor=member)
    suppression.unsubscribe(Contact.objects.filter(pk=eva.pk), actor=member, source="one_click")
    suppression.unsubscribe(Contact.objects.filter(pk=lars.pk), actor=member, source="manual", reason="by phone")
    erasure.delete(Contact.objects.filter(pk__in=[anna.pk, lars.pk]), actor=member)
    assert ledger_entries.write_suppressions() == 2
    restore(backup)
    assert Contact.objects.count() == 5
    assert suppression.of_address("lars@example.com") is None
    newcomer = person(email="newcomer@example.com")
    call_command("replay_erasures")
    assert set(Contact.objects.values_list("pk", flat=True)) == {eva.pk, stays.pk, newcomer.pk}
    assert suppression.of_address("lars@example.com").source == "manual"
    assert suppression.of_address("eva@example.com").source == "one_click"
    assert Contact.objects.get(pk=eva.pk).card.unsubscribed
    assert not Contact.objects.get(pk=stays.pk).card.unsubscribed
    assert next(event.changes for event in history.of_contact(anna.pk)) == {"source": [None, "replay"]}
    lines = ledger_of_its_own.read_text()
    assert ledger_replay.replay(actor=COMMAND) == ledger_replay.Replayed(0, 0)
    assert ledger_of_its_own.read_text() == lines


def test_the_ledger_holds_no_readable_word(ledger_of_its_own, person, member):
    anna = person(first_name="Anna", last_name="Berg", email="anna@example.com")
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    (line,) = [json.loads(text) for text in ledger_of_its_own.read_text().splitlines()]
    assert (set(line), line["what"], line["contact"]) == ({"what", "at", "contact"}, "erased", anna.pk)


def test_the_hash_stands_in_the_ledger_where_a_suppression_stands(ledger_of_its_own, person, member):
    anna = person(email="anna@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    erasure.delete(Contact.objects.all(), actor=member)
    (line,) = ledger_file.read()
    assert (line["hash"], line["source"]) == (str(anna.address_hash), "manual")


def test_each_no_is_written_once(ledger_of_its_own, person, member):
    person(email="anna@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    assert (ledger_entries.write_suppressions(), ledger_entries.write_suppressions()) == (1, 0)


def test_a_person_of_a_number_that_is_given_out_anew_is_not_meant(ledger_of_its_own, person):
    newcomer = person()
    ledger_file.append([{"what": "erased", "at": "2020-01-01T00:00:00Z", "contact": newcomer.pk}])
    assert ledger_replay.replay(actor=COMMAND).erased == 0


def test_a_no_does_not_undo_a_later_consent(ledger_of_its_own, person, member, administrator):
    anna = person(email="anna@example.com")
    suppression.unsubscribe(Contact.objects.all(), actor=member, source="manual")
    ledger_entries.write_suppressions()
    reconsent(anna.pk, evidence(), actor=administrator)
    # The whole test is one transaction, in which no moment is later than another.
    moved = ledger_of_its_own.read_text().replace(str(anna.created_at.year), "2020")
    ledger_of_its_own.write_text(moved)
    assert ledger_replay.replay(actor=COMMAND).suppressed == 0


def test_a_line_that_a_crash_cut_off_spoils_no_other(ledger_of_its_own):
    ledger_file.append([{"what": "erased", "at": "2026-01-01T00:00:00Z", "contact": 1}])
    with ledger_of_its_own.open("a") as file:
        file.write('{"what":"era')
    ledger_file.append([{"what": "erased", "at": "2026-01-01T00:00:00Z", "contact": 2}])
    assert [line["contact"] for line in ledger_file.read()] == [1, 2]


def test_an_erasure_that_the_ledger_cannot_take_is_not_done(ledger_of_its_own, person, member):
    anna = person()
    ledger_of_its_own.parent.parent.joinpath("ledger").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="ledger"):
        erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    assert Contact.objects.filter(pk=anna.pk).exists()

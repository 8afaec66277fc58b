"""After an erasure no column of any table holds a hash of the address, or an id of the person, that nothing needs."""

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact
from exports.erasure import erasure, expiry
from tests.mailing import DRAFT
from unsubscribes.links import links, tokens
from unsubscribes.mail import mailing
from unsubscribes.models import MailLink, Message, OutboxEntry, SyncError, SyncRecord

SF_ID, GONE_ID = "003000000000001AAA", "00Q000000000002AAA"
COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name IN (
        SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition)
    ORDER BY 1, 2
"""


@pytest.fixture(autouse=True)
def ledger(settings, tmp_path, db):
    """Give the test a ledger of its own."""
    settings.ERASURE_LEDGER = str(tmp_path / "ledger" / "erasures.jsonl")


def where(*strings: str) -> set[str]:
    """Return every column of every table in which one of these strings stands."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        for table, column in cursor.fetchall():
            cursor.execute(
                f'SELECT EXISTS (SELECT FROM "{table}" t, unnest(%s::text[]) AS wanted (text)'
                f' WHERE strpos(lower(t."{column}"::text), wanted.text) > 0)',
                [[each.lower() for each in strings]],
            )
            if cursor.fetchone()[0]:
                found.add(f"{table}.{column}")
    return found


@pytest.fixture
def anna(person, member):
    """Return somebody who was mailed once, and is known in Salesforce by two records, one of them gone."""
    anna = person(
        email="anna@example.com",
        first_name="Anna",
        last_name="Berg",
        salesforce_id=SF_ID,
        authorization=Authorization(AuthorizationType.CONTRACT),
    )
    mailing.write_to_one(anna.pk, DRAFT, actor=member)
    message = Message.objects.get()
    Message.objects.filter(pk=message.pk).update(link=links.make(anna), state="sent", sent_at=timezone.now())
    of_her = {"contact_id": anna.pk, "address_hash": anna.address_hash}
    SyncRecord.objects.create(sf_id=SF_ID, sobject="Contact", **of_her)
    gone = SyncRecord.objects.create(sf_id=GONE_ID, sobject="Lead", deleted=True, **of_her)
    OutboxEntry.objects.create(record=gone, desired=True, state="done")
    for sf_id in (SF_ID, GONE_ID):
        SyncError.objects.create(sf_id=sf_id, sobject="Contact", direction="pull", code="X", message="Anna Berg")
    return anna


def erase(contact, actor, why=""):
    erasure.delete(Contact.objects.filter(pk=contact.pk), actor=actor, why=why)


def test_of_whoever_never_said_no_no_hash_stays(anna, member):
    assert len(where(str(anna.address_hash))) == 3
    erase(anna, member)
    assert where(str(anna.address_hash)) == set()
    assert MailLink.objects.count() == 1


def test_what_salesforce_has_reported_as_gone_goes_at_once(anna, member):
    erase(anna, member)
    assert where(GONE_ID) == set()


def test_the_id_of_a_record_that_is_still_there_goes_when_it_is_reported_gone(anna, member):
    erase(anna, member)
    assert where(SF_ID) == {"unsubscribes_syncrecord.sf_id", "unsubscribes_syncerror.sf_id"}
    expiry.forget_old()
    assert where(SF_ID)
    SyncRecord.objects.filter(sf_id=SF_ID).update(deleted=True)
    expiry.forget_old()
    assert where(SF_ID) == set()


def test_the_id_of_a_record_goes_after_a_set_time_at_the_latest(anna, member):
    erase(anna, member)
    SyncRecord.objects.update(erased_at=timezone.now() - dt.timedelta(days=370))
    expiry.forget_old()
    assert where(SF_ID) == set()


def test_a_record_that_still_has_to_hear_the_no_is_kept_until_it_has(anna, member):
    erase(anna, member)
    record = SyncRecord.objects.get()
    SyncRecord.objects.update(erased_at=timezone.now() - dt.timedelta(days=370))
    OutboxEntry.objects.create(record=record, desired=True)
    expiry.forget_old()
    assert SyncRecord.objects.exists()


def test_the_hash_of_whoever_asked_stays_as_erased_and_goes_with_that(anna, member):
    erase(anna, member, why=erasure.ON_REQUEST)
    kept = {"compliance_erasedaddress.address_hash", "unsubscribes_maillink.address_hash"}
    assert where(str(anna.address_hash)) == kept | {"unsubscribes_syncrecord.address_hash"}
    with connection.cursor() as cursor:
        cursor.execute("UPDATE compliance_erasedaddress SET until = now() - interval '1 second'")
    expiry.forget_old()
    assert where(str(anna.address_hash)) == set()


def test_the_hash_of_a_no_stays_and_what_was_written_about_it_goes(anna, member):
    suppression.unsubscribe(
        Contact.objects.filter(pk=anna.pk), actor=member, source="manual", reason="Her daughter called"
    )
    erase(anna, member)
    assert "compliance_suppression.address_hash" in where(str(anna.address_hash))
    assert where("Her daughter called") == set()
    assert Suppression.objects.get().source == "manual"


def test_a_code_of_ours_about_a_no_stays(anna, member):
    suppression.unsubscribe(Contact.objects.filter(pk=anna.pk), actor=member, source="manual", reason="merged")
    erase(anna, member)
    assert Suppression.objects.get().reason == "merged"


def test_a_link_to_somebody_of_whom_nothing_is_held_says_so(anna, member):
    path = f"/u/{tokens.token_of(MailLink.objects.get().nonce)}/"
    erase(anna, member)
    client = Client()
    shown, taken = client.get(path), client.post(path, {"List-Unsubscribe": "One-Click"})
    assert (shown.status_code, taken.status_code) == (200, 410)
    assert all("Nothing is held for this link any more" in answer.text for answer in (shown, taken))
    assert not Suppression.objects.exists()


def test_the_link_of_an_address_that_somebody_else_has_by_now_stays(anna, person, member):
    Contact.objects.filter(pk=anna.pk).update(
        email="new@example.com", email_key="new@example.com", address_hash="00000000-0000-0000-0000-000000000001"
    )
    person(email="anna@example.com")
    erase(anna, member)
    assert MailLink.objects.get().address_hash == anna.address_hash


def test_the_link_of_a_former_address_forgets_it_too(anna, member):
    Contact.objects.filter(pk=anna.pk).update(
        email="new@example.com", email_key="new@example.com", address_hash="00000000-0000-0000-0000-000000000001"
    )
    erase(anna, member)
    assert MailLink.objects.get().address_hash is None

"""Words leave the history only with an act that says so, in the same transaction."""

import pytest
from django.core.management import call_command
from django.db import InternalError, ProgrammingError, connection, transaction

from compliance.review import informing
from contacts.events import history, scrubbing
from contacts.models import Contact, ContactEvent
from exports.erasure import erasure

SCRUB = "UPDATE {table} SET changes = contacts_scrubbed(changes) WHERE contact_id = %s"
REFUSED = (InternalError, ProgrammingError)


@pytest.fixture(autouse=True)
def ledger(settings, tmp_path, db):
    """Give the test a ledger of its own."""
    settings.ERASURE_LEDGER = str(tmp_path / "ledger" / "erasures.jsonl")


@pytest.fixture
def anna(person, member):
    """Return somebody in whose history words stand."""
    anna = person(email="anna@example.com")
    history.record([anna.pk], history.EXPORTED, actor=member, changes={"reason": (None, "for the fair")})
    return anna


def scrub(contact_id, table="contacts_contactevent"):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SCRUB.format(table=table), [contact_id])


def words(contact_id):
    return ContactEvent.objects.get(contact_id=contact_id, action="exported").changes


@pytest.mark.django_db(transaction=True)
def test_no_words_go_without_an_act_that_erases(anna):
    with pytest.raises(REFUSED, match="erases these words"):
        scrub(anna.pk)
    assert words(anna.pk) == {"reason": [None, "for the fair"]}


@pytest.mark.django_db(transaction=True)
def test_no_words_go_from_a_partition_either(anna):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM contacts_contactevent WHERE contact_id = %s", [anna.pk])
        table = cursor.fetchone()[0]
    with pytest.raises(REFUSED, match="erases these words"):
        scrub(anna.pk, table)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", [history.DELETED, history.SCRUBBED])
def test_an_act_of_an_earlier_transaction_is_not_enough(anna, member, action):
    history.record([anna.pk], action, actor=member)
    with pytest.raises(REFUSED, match="erases these words"):
        scrub(anna.pk)


@pytest.mark.django_db(transaction=True)
def test_the_act_of_somebody_else_is_not_enough(anna, person, member):
    other = person(email="other@example.com")
    with transaction.atomic(), pytest.raises(REFUSED, match="erases these words"):  # noqa: PT012 - one transaction
        history.record([other.pk], history.DELETED, actor=member)
        scrub(anna.pk)


@pytest.mark.django_db(transaction=True)
def test_words_go_with_the_act_beside_them(anna, member):
    with transaction.atomic():
        scrubbing.scrub("contact_id = %(number)s", {"number": anna.pk}, actor=member)
    assert words(anna.pk) == {}
    assert ContactEvent.objects.filter(contact_id=anna.pk, action="scrubbed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_verifies_asks_for_the_act_again(anna, capsys):
    call_command("seal_history")
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(SCRUB.format(table="contacts_contactevent"), [anna.pk])
        cursor.execute("UPDATE contacts_sealedleaf SET salt = NULL")
    with pytest.raises(SystemExit):
        call_command("verify_history")


@pytest.mark.django_db(transaction=True)
def test_an_erasure_is_whole_before_the_eyes_of_who_verifies(anna, member):
    call_command("seal_history")
    erasure.delete(Contact.objects.filter(pk=anna.pk), actor=member)
    call_command("seal_history")
    call_command("verify_history")
    assert words(anna.pk) == {}


@pytest.mark.django_db(transaction=True)
def test_how_somebody_was_informed_stays_when_the_reason_goes_with_another_person(anna, person, member):
    other = person(first_name="Bodil", last_name="Zetterqvist", email="bodil@example.com")
    people = Contact.objects.filter(pk=anna.pk)
    informing.mark(people, actor=member, how=informing.BY_MAIL, reason="As Bodil Zetterqvist asked for it")
    erasure.delete(Contact.objects.filter(pk=other.pk), actor=member)
    informed = ContactEvent.objects.get(contact_id=anna.pk, action=history.INFORMED)
    assert informed.changes == {"how": [None, informing.BY_MAIL]}
    # The mail comes back: that it was a mail is still known.
    assert informing.withdraw_after_bounce(anna.pk, actor=member).changed == 1

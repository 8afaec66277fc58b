"""Whoever owns the database can change every row, but not unseen."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection

from contacts.models import Contact, ContactEvent, Seal, SealedLeaf
from contacts.sealing import published, sealing
from exports.erasure import erasure


def test_an_untouched_history_is_good(history, verdict):
    assert verdict() == "good"


CHANGES = {
    "at": "at = at + interval '1 second'",
    "contact": "contact_id = contact_id + 1",
    "batch": "batch_id = 1",
    "actor": "actor_id = 1",
    "action": "action = 'edited'",
    "door": "door = 'api'",
    "name": "actor_name = 'Somebody else'",
    "a code": """changes = changes || '{"line": 12}'""",
    "a value": """changes = changes || '{"purpose": "Newsletter"}'""",
    "everything": "changes = '{}'",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_event_is_named(history, verdict, forged, change):
    forged(f"UPDATE contacts_contactevent SET {change} WHERE id = {history[3]}")
    assert verdict() == ("changed", history[3])


def test_a_removed_event_is_named(history, verdict, forged):
    forged(f"DELETE FROM contacts_contactevent WHERE id = {history[2]}")
    assert verdict() == ("removed", history[2])


def copy_of(event, *, number, at="at"):
    columns = "contact_id, batch_id, actor_id, action, door, actor_name, changes"
    return (
        f"INSERT INTO contacts_contactevent (id, at, {columns}) SELECT {number}, {at}, {columns}"
        f" FROM contacts_contactevent WHERE id = {event}"
    )


def test_an_event_slipped_in_between_sealed_ones_is_named(history, verdict, forged):
    forged(f"DELETE FROM contacts_contactevent WHERE id = {history[4]}")
    forged(copy_of(history[3], number=history[0] - 1))
    assert verdict() == ("slipped_in", history[0] - 1)


def test_an_event_slipped_in_under_a_number_that_is_there_is_named(history, verdict, forged):
    forged(copy_of(history[3], number=history[3], at="at + interval '1 second'"))
    assert verdict() == ("slipped_in", history[3])


@pytest.mark.parametrize("sealed_afterwards", [False, True])
def test_an_event_that_pretends_to_be_old_is_named(history, verdict, forged, sealed_afterwards):
    forged(copy_of(history[3], number="nextval('contacts_contactevent_id_seq')", at="at - interval '1 day'"))
    newest = ContactEvent.objects.latest("id").id
    if sealed_afterwards:
        sealing.seal_open()
    assert newest > history[-1]
    assert verdict() == ("slipped_in", newest)


def test_an_event_slipped_in_and_sealed_is_named(history, verdict, forged):
    forged(copy_of(history[3], number=history[0] - 1))
    forged("UPDATE contacts_sealhorizon SET reached = 0")
    with connection.cursor() as cursor:
        values = {"after": 0, "piece": 10, "number": 2}
        cursor.execute(sealing.SEAL, values)
        hashes = [bytes(row[1]) for row in cursor]
    sealing._close(2, hashes, Seal.objects.get(), history[-1])
    assert verdict() == ("slipped_in", history[0] - 1)


def test_an_event_changed_together_with_its_leaf_breaks_the_seal(history, verdict, forged):
    forged(
        f"UPDATE contacts_contactevent SET actor_name = 'Somebody else' WHERE id = {history[3]}",
        f"""UPDATE contacts_sealedleaf SET hash = right_hash FROM (
            SELECT {sealing.HASH} AS right_hash FROM contacts_contactevent
            JOIN contacts_sealedleaf ON event_id = id WHERE id = {history[3]}
        ) made WHERE event_id = {history[3]}""",
    )
    assert verdict() == ("seal", history[0])


@pytest.mark.parametrize(
    "change", ["events = 6", "sealed_at = sealed_at - interval '1 day'", "settled = settled + 1", "root = tree"]
)
def test_a_changed_seal_is_found(history, verdict, forged, change):
    forged(f"UPDATE contacts_seal SET {change}")
    assert verdict() == ("seal", history[0])


@pytest.fixture
def three_seals(history, person):
    """Return the first event of each of three seals."""
    firsts = [history[0]]
    for number in (8, 9):
        person(last_name=f"Berg {number}", email=f"berg{number}@example.com")
        sealing.seal_open()
        firsts.append(ContactEvent.objects.latest("id").id)
    return firsts


def test_seals_that_are_linked_are_good(three_seals, verdict):
    assert verdict() == "good"


def test_a_removed_seal_is_found(three_seals, verdict, forged):
    forged("DELETE FROM contacts_seal WHERE number = 2")
    assert verdict() == ("seal", three_seals[1])


def test_a_seal_made_anew_breaks_the_link_of_the_next(three_seals, verdict, forged):
    forged("DELETE FROM contacts_seal WHERE number = 2")
    second = SealedLeaf.objects.get(seal_number=2)
    sealing._close(2, [bytes(second.hash)], Seal.objects.get(number=1), second.event_id)
    assert verdict() == ("link", three_seals[2])


def test_an_end_that_was_cut_off_is_found_by_the_file_of_roots(three_seals, verdict, forged):
    published.append()
    assert verdict() == "good"
    forged(
        f"DELETE FROM contacts_contactevent WHERE id = {three_seals[2]}",
        "DELETE FROM contacts_sealedleaf WHERE seal_number = 3",
        "DELETE FROM contacts_seal WHERE number = 3",
    )
    assert verdict() == ("published", None)


@pytest.mark.parametrize("missing", [1, 30, 80])
def test_a_line_that_a_full_disk_cut_short_is_no_forgery(three_seals, verdict, missing):
    published.append()
    whole = published.file().read_bytes()
    published.file().write_bytes(whole[:-missing])
    assert verdict() == "good"


def test_a_history_forged_as_a_whole_differs_from_the_file_of_roots(three_seals, verdict, forged):
    published.append()
    last = SealedLeaf.objects.get(seal_number=3)
    forged(
        f"UPDATE contacts_contactevent SET actor_name = 'Somebody else' WHERE id = {three_seals[2]}",
        "DELETE FROM contacts_sealedleaf WHERE seal_number = 3",
        "DELETE FROM contacts_seal WHERE number = 3",
    )
    sealing.seal_open()
    assert verdict() == ("published", last.event_id)


def test_an_erasure_leaves_everything_verifiable_and_nothing_to_guess_from(history, verdict, member):
    event = ContactEvent.objects.get(id=history[3])
    erasure.delete(Contact.objects.filter(pk=event.contact_id), actor=member)
    assert SealedLeaf.objects.get(event_id=event.id).salt is None
    assert ContactEvent.objects.get(id=event.id).changes == {"authorization_type": "other"}
    assert verdict() == "good"
    sealing.seal_open()
    assert verdict() == "good"


def test_values_that_went_without_an_erasure_are_found(history, verdict, forged):
    forged(f"UPDATE contacts_contactevent SET changes = contacts_scrubbed(changes) WHERE id = {history[3]}")
    forged(f"UPDATE contacts_sealedleaf SET salt = NULL WHERE event_id = {history[3]}")
    assert verdict() == ("scrubbed", history[3])


def test_a_salt_that_alone_was_taken_is_found(history, verdict, forged):
    forged(f"UPDATE contacts_sealedleaf SET salt = NULL WHERE event_id = {history[3]}")
    assert verdict() == ("changed", history[3])


def test_the_command_tells_the_first_bad_event_and_exits_1(history, forged, capsys):
    call_command("verify_history")
    assert "Good: 7 events, 0 of them not sealed yet." in capsys.readouterr().out
    forged(f"DELETE FROM contacts_contactevent WHERE id = {history[2]}")
    with pytest.raises(SystemExit) as exit_code:
        call_command("verify_history")
    assert exit_code.value.code == 1
    assert f"Bad: event {history[2]} (removed)." in capsys.readouterr().out


@pytest.mark.parametrize("table", ["contacts_seal", "contacts_sealedleaf"])
@pytest.mark.parametrize(
    "statement", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET events = 1", "UPDATE {} SET position = 1"]
)
def test_seals_refuse_every_change(history, table, statement):
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(statement.format(table))

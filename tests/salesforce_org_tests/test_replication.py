"""What is changed, deleted and not yet visible, and how far an answer can be trusted."""

import pytest

from tests.salesforce_org_tests.conftest import error

NOON = "2026-11-20T12:00:00Z"


@pytest.fixture
def noon(org, api):
    """Let the org's clock stand at noon; the token that was given out before stays good."""
    org.clock(stand_at=NOON)
    api.sign_in()
    org.clear_journal()


def window(api, resource, start="2026-11-20T11:00:00Z", end="2026-11-20T12:00:00Z", name="Contact"):
    return api.get(f"/sobjects/{name}/{resource}/", start=start, end=end)


def stamp(org, record_id):
    return org.record(record_id)["SystemModstamp"]


def test_updated_gives_ids_and_how_far_it_covers(org, api, noon):
    inside, _ = (org.create("Contact", {"LastName": "A"}, at=f"2026-11-20T{hour}:00:00Z")[0] for hour in (11, 10))
    assert window(api, "updated").json() == {"ids": [inside], "latestDateCovered": "2026-11-20T12:00:00.000+0000"}


def test_an_open_transaction_holds_the_covered_date_back_and_its_rows_come_with_older_stamps(org, api, noon):
    early, late = org.create("Contact", {"LastName": "A"}, {"LastName": "B"}, at="2026-11-01T00:00:00Z")
    org.clock(stand_at="2026-11-20T11:50:20Z")
    transaction = org.begin()
    org.opt_out(early, transaction=transaction)
    org.clock(stand_at="2026-11-20T11:55:00Z")
    org.opt_out(late)
    org.clock(stand_at=NOON)
    assert window(api, "updated").json() == {"ids": [late], "latestDateCovered": "2026-11-20T11:50:20.000+0000"}
    assert api.query("SELECT Id FROM Contact WHERE HasOptedOutOfEmail = TRUE") == [{"Id": late}]
    org.commit(transaction)
    assert set(window(api, "updated").json()["ids"]) == {early, late}
    assert window(api, "updated").json()["latestDateCovered"] == "2026-11-20T12:00:00.000+0000"
    assert stamp(org, early) == "2026-11-20T11:50:20.000+0000"


def test_a_record_created_in_a_transaction_is_seen_at_its_commit(org, api):
    with org.transaction() as transaction:
        [made] = org.create("Contact", {"LastName": "A"}, transaction=transaction)
        assert api.query("SELECT Id FROM Contact") == []
    assert api.query("SELECT Id FROM Contact") == [{"Id": made}]


def test_work_that_is_rolled_back_was_never_there(org, api):
    [person] = org.create("Contact", {"LastName": "A"})
    transaction = org.begin()
    org.opt_out(person, transaction=transaction)
    org.rollback(transaction)
    assert org.opted_out() == set()


def test_seconds_are_ignored(org, api, noon):
    [person] = org.create("Contact", {"LastName": "A"}, at="2026-11-20T11:30:10Z")
    body = window(api, "updated", start="2026-11-20T11:30:59Z", end="2026-11-20T11:31:59Z").json()
    assert body == {"ids": [person], "latestDateCovered": "2026-11-20T11:31:00.000+0000"}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-20T11:00:10Z", "2026-11-20T11:00:50Z"),
        ("2026-11-20T11:00:00Z", "2026-11-20T10:00:00Z"),
        ("2026-10-20T11:00:00Z", "2026-11-20T11:00:00Z"),
        ("yesterday", "2026-11-20T11:00:00Z"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(api, noon, start, end):
    assert error(window(api, "updated", start, end)) == (400, "INVALID_REPLICATION_DATE")


def test_a_mass_update_gives_all_rows_one_stamp(org, api):
    org.generate("Contact", 5_000)
    assert org.edit_where("Contact", "LastName LIKE 'Number%'", {"DoNotCall": True}, at=NOON) == 5_000
    body = api.get("/query", q="SELECT COUNT() FROM Contact WHERE SystemModstamp = 2026-11-20T12:00:00Z").json()
    assert body["totalSize"] == 5_000


def test_a_deleted_record_is_in_query_all_and_in_deleted_until_it_is_restored(org, api, noon):
    [person] = org.create("Contact", {"LastName": "A"}, at="2026-11-20T11:00:00Z")
    org.delete(person, at="2026-11-20T11:30:00Z")
    soql = "SELECT Id, IsDeleted FROM Contact"
    assert api.query(soql) == []
    assert api.query(soql, "queryAll") == [{"Id": person, "IsDeleted": True}]
    assert window(api, "deleted").json() == {
        "deletedRecords": [{"id": person, "deletedDate": "2026-11-20T11:30:00.000+0000"}],
        "earliestDateAvailable": "2026-11-05T12:00:00.000+0000",
        "latestDateCovered": "2026-11-20T12:00:00.000+0000",
    }
    org.undelete(person)
    assert api.query(soql) == [{"Id": person, "IsDeleted": False}]
    assert window(api, "deleted").json()["deletedRecords"] == []


@pytest.mark.parametrize("in_bin_first", [True, False])
def test_of_a_record_that_is_gone_for_good_only_deleted_knows(org, api, noon, in_bin_first):
    [person] = org.create("Contact", {"LastName": "A"}, at="2026-11-20T11:00:00Z")
    if in_bin_first:
        org.delete(person, at="2026-11-20T11:20:00Z")
    org.delete(person, hard=True, at="2026-11-20T11:30:00Z")
    assert api.query("SELECT Id FROM Contact", "queryAll") == []
    assert [row["id"] for row in window(api, "deleted").json()["deletedRecords"]] == [person]


def test_a_merge_deletes_the_losers_and_touches_the_winner(org, api, noon):
    winner, loser = org.create("Contact", {"LastName": "A"}, {"LastName": "B"}, at="2026-11-01T00:00:00Z")
    org.opt_out(loser, at="2026-11-02T00:00:00Z")
    org.merge(winner, loser)
    assert org.record(loser, "IsDeleted, MasterRecordId") == {"Id": loser, "IsDeleted": True, "MasterRecordId": winner}
    assert org.record(winner, "HasOptedOutOfEmail, SystemModstamp") == {
        "Id": winner,
        "HasOptedOutOfEmail": False,
        "SystemModstamp": "2026-11-20T12:00:00.000+0000",
    }


def test_a_converted_lead_points_at_its_contact(org, api):
    [lead] = org.create("Lead", {"LastName": "A", "Company": "B", "Email": "a@b.se", "HasOptedOutOfEmail": True})
    contact = org.convert(lead)
    assert api.query("SELECT IsConverted, ConvertedContactId FROM Lead") == [
        {"IsConverted": True, "ConvertedContactId": contact}
    ]
    assert api.query("SELECT Id, Email, HasOptedOutOfEmail FROM Contact") == [
        {"Id": contact, "Email": "a@b.se", "HasOptedOutOfEmail": True}
    ]


def test_history_tells_who_changed_the_box_but_not_who_created_it_ticked(org, api):
    org.settings(history={"Contact": ["HasOptedOutOfEmail"]})
    born, changed = org.create("Contact", {"LastName": "A", "HasOptedOutOfEmail": True}, {"LastName": "B"})
    org.opt_out(changed, by="mark", at="2026-11-20T11:30:00Z")
    soql = "SELECT ContactId, Field, OldValue, NewValue, CreatedDate, CreatedById FROM ContactHistory"
    assert api.query(soql + f" WHERE ContactId IN ('{born}', '{changed}') AND Field = 'HasOptedOutOfEmail'") == [
        {
            "ContactId": changed,
            "Field": "HasOptedOutOfEmail",
            "OldValue": False,
            "NewValue": True,
            "CreatedDate": "2026-11-20T11:30:00.000+0000",
            "CreatedById": org.user_ids()["mark"],
        }
    ]
    assert error(api.get("/query", q=soql + " WHERE NewValue = 'true'")) == (400, "INVALID_FIELD")


def test_without_tracking_there_is_no_history(api):
    assert error(api.get("/query", q="SELECT Id FROM ContactHistory")) == (400, "INVALID_TYPE")

"""Writing one record or two hundred, and all that can be refused about it."""

import pytest

from tests.salesforce_org_tests.conftest import error

OPT_OUT = {"HasOptedOutOfEmail": True}
NOWHERE = "003QE000000zzzz"


@pytest.fixture
def person(org):
    """Create one contact."""
    return org.create("Contact", {"LastName": "A", "Email": "a@example.com"}, at="2026-11-01T00:00:00Z")[0]


@pytest.fixture
def lead(org):
    """Create one lead, of which Sally is the owner."""
    return org.create("Lead", {"LastName": "L", "Company": "C"})[0]


def refusal(result):
    """Return the code of a refused element of a collection, which carries no id."""
    assert result.keys() == {"success", "errors"}
    return result["errors"][0]["statusCode"]


def test_a_patch_answers_nothing_and_stamps_the_record(org, api, person):
    response = api.patch(person, OPT_OUT)
    assert (response.status_code, response.content) == (204, b"")
    after = org.record(person, "HasOptedOutOfEmail, LastModifiedById, SystemModstamp")
    assert after["HasOptedOutOfEmail"] is True
    assert after["LastModifiedById"] == org.user_ids()["integration"]
    assert after["SystemModstamp"] > "2026-11-02"


@pytest.mark.parametrize(("touches", "moves"), [(True, True), (False, False)])
def test_a_write_of_the_same_value_moves_the_stamp_where_the_org_is_set_so(org, api, person, touches, moves):
    org.settings(touch_unchanged=touches)
    api.patch(person, {"HasOptedOutOfEmail": False})
    assert (org.record(person)["SystemModstamp"] > "2026-11-02") is moves


def test_a_record_is_read_by_15_or_18_characters_and_answers_18(api, person):
    for written in (person, person[:15]):
        body = api.get(f"/sobjects/Contact/{written}", fields="Id,Email").json()
        assert (body["Id"], body["Email"]) == (person, "a@example.com")


def test_a_write_is_refused_when_the_record_moved_since(org, api, person):
    before, after = "Sun, 01 Nov 2026 00:00:00 GMT", "Sat, 31 Oct 2026 23:59:59 GMT"
    assert api.patch(person, OPT_OUT, **{"If-Unmodified-Since": after}).status_code == 412
    assert org.opted_out() == set()
    assert api.patch(person, OPT_OUT, **{"If-Unmodified-Since": before}).status_code == 204


@pytest.mark.parametrize(
    ("record_id", "expected"),
    [
        ("003QE0000000001YAB", (400, "MALFORMED_ID")),
        ("003", (400, "MALFORMED_ID")),
        (NOWHERE, (404, "NOT_FOUND")),
    ],
)
def test_ids_are_checked(api, person, record_id, expected):
    assert error(api.patch(record_id, OPT_OUT)) == expected


def test_a_deleted_record_answers_404_with_its_own_code(org, api, person):
    org.delete(person)
    assert error(api.patch(person, OPT_OUT)) == (404, "ENTITY_IS_DELETED")
    assert error(api.get(f"/sobjects/Contact/{person}")) == (404, "ENTITY_IS_DELETED")


def test_a_collection_answers_by_position_and_without_id_where_it_failed(org, api, person, lead):
    gone, converted = org.create("Lead", {"LastName": "X", "Company": "C"}, {"LastName": "Y", "Company": "C"})
    org.delete(gone)
    org.convert(converted)
    response = api.patch_all(
        {"id": person, **OPT_OUT},
        {"id": "001xx000003DGb2999", **OPT_OUT},
        {"id": NOWHERE, **OPT_OUT},
        {"id": person[:15], **OPT_OUT},
        {"type": "Lead", "id": gone, **OPT_OUT},
        {"type": "Lead", "id": converted, **OPT_OUT},
        {"type": "Lead", "id": lead, **OPT_OUT},
    )
    assert response.status_code == 200
    first, *refused, last = response.json()
    assert first == {"id": person, "success": True, "errors": []}
    assert [refusal(result) for result in refused] == [
        "MALFORMED_ID",
        "INVALID_CROSS_REFERENCE_KEY",
        "DUPLICATE_VALUE",
        "ENTITY_IS_DELETED",
        "CANNOT_UPDATE_CONVERTED_LEAD",
    ]
    assert last == {"id": lead, "success": True, "errors": []}


def test_the_error_of_a_malformed_id_has_the_documented_words(api):
    assert api.patch_all({"id": "001xx000003DGb2999", **OPT_OUT}).json() == [
        {
            "success": False,
            "errors": [
                {
                    "statusCode": "MALFORMED_ID",
                    "message": "Contact ID: id value of incorrect type: 001xx000003DGb2999",
                    "fields": ["Id"],
                }
            ],
        }
    ]


def test_all_or_none_rolls_the_innocent_back(org, api, person):
    results = api.patch_all({"id": person, **OPT_OUT}, {"id": NOWHERE, **OPT_OUT}, all_or_none=True).json()
    codes = [refusal(result) for result in results]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "INVALID_CROSS_REFERENCE_KEY"]
    assert org.opted_out() == set()


def test_more_than_200_records_or_10_runs_of_a_type_are_refused(api, person):
    assert api.patch_all(*[{"id": person}] * 200).status_code == 200
    assert api.patch_all(*[{"id": person}] * 201).status_code == 400
    runs = [{"type": kind, "id": person} for kind in ("Contact", "Lead") * 6]
    assert api.patch_all(*runs[:10]).status_code == 200
    assert api.patch_all(*runs[:11]).status_code == 400


def test_a_field_that_cannot_be_written_refuses_the_record(org, api, person):
    org.access(object="Contact", field="HasOptedOutOfEmail", level="read")
    [result] = api.patch_all({"id": person, **OPT_OUT}).json()
    assert refusal(result) == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert result["errors"][0]["fields"] == ["HasOptedOutOfEmail"]
    assert error(api.patch(person, OPT_OUT)) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_a_field_that_cannot_be_seen_is_absent_and_spoils_every_request_that_names_it(org, api, person):
    org.access(object="Contact", field="HasOptedOutOfEmail", level="none")
    fields = api.get("/sobjects/Contact/describe").json()["fields"]
    assert "HasOptedOutOfEmail" not in {field["name"] for field in fields}
    assert error(api.get("/query", q="SELECT HasOptedOutOfEmail FROM Contact")) == (400, "INVALID_FIELD")
    response = api.patch_all({"id": person, **OPT_OUT})
    assert error(response) == (400, "INVALID_FIELD")
    assert response.json()[0]["message"] == "No such column 'HasOptedOutOfEmail' on sobject of type Contact"
    org.settings(invisible_field_refuses="record")
    assert refusal(api.patch_all({"id": person, **OPT_OUT}).json()[0]) == "INVALID_FIELD"


def test_describe_tells_what_can_be_written(org, api):
    def of(field):
        return next(one for one in api.get("/sobjects/Contact/describe").json()["fields"] if one["name"] == field)

    assert (of("HasOptedOutOfEmail")["updateable"], of("SystemModstamp")["updateable"]) == (True, False)
    org.access(object="Contact", field="HasOptedOutOfEmail", level="read")
    assert of("HasOptedOutOfEmail")["updateable"] is False


def test_rows_hidden_by_sharing_are_missing_without_a_word(org, api, person):
    org.hide(person)
    assert api.query("SELECT Id FROM Contact") == []
    assert api.get("/limits/recordCount", sObjects="Contact").json() == {"sObjects": [{"count": 1, "name": "Contact"}]}
    assert (
        refusal(api.patch_all({"id": person, **OPT_OUT}).json()[0]) == "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"
    )


def test_an_object_without_the_right_to_edit_refuses_records_and_without_the_right_to_read_is_unknown(org, api, person):
    org.access(object="Contact", level="read")
    assert refusal(api.patch_all({"id": person, **OPT_OUT}).json()[0]) == "INSUFFICIENT_ACCESS_OR_READONLY"
    org.access(object="Contact", level="none")
    assert error(api.get("/query", q="SELECT Id FROM Contact")) == (400, "INVALID_TYPE")


@pytest.mark.parametrize(("header", "moves"), [(None, True), ("TRUE", True), ("FALSE", False)])
def test_assignment_rules_take_the_lead_away_unless_the_header_says_no(org, api, lead, header, moves):
    queue = org.user_ids()["mark"]
    org.settings(assignment_owner={"Lead": queue})
    headers = {"Sforce-Auto-Assign": header} if header else {}
    api.patch_all({"type": "Lead", "id": lead, **OPT_OUT}, **headers)
    assert (org.record(lead)["OwnerId"] == queue) is moves


def test_a_flow_clears_the_box_in_the_same_save(org, api, person):
    flow = {"object": "Contact", "field": "HasOptedOutOfEmail", "becomes": True, "set": {"HasOptedOutOfEmail": False}}
    org.settings(flows=[flow | {"api_only": True}])
    assert api.patch(person, OPT_OUT).status_code == 204
    assert org.opted_out() == set()
    org.opt_out(person, by="sally")
    assert org.opted_out() == {person}


def test_planned_errors_hit_so_many_records(org, api):
    ids = org.create("Contact", *[{"LastName": letter} for letter in "ABC"])
    org.record_error("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", times=2)
    results = api.patch_all(*[{"id": record_id, **OPT_OUT} for record_id in ids]).json()
    assert [result["success"] for result in results] == [False, False, True]


def test_a_record_in_an_open_transaction_is_locked(org, api, person):
    with org.transaction() as transaction:
        org.edit(person, {"Title": "CEO"}, transaction=transaction)
        assert refusal(api.patch_all({"id": person, **OPT_OUT}).json()[0]) == "UNABLE_TO_LOCK_ROW"
    assert api.patch(person, OPT_OUT).status_code == 204


def test_a_custom_field_can_take_the_opt_out(org, api, person):
    org.add_field("Contact", "No_Mail__c")
    assert api.patch(person, {"No_Mail__c": True}).status_code == 204
    assert api.query("SELECT No_Mail__c FROM Contact") == [{"No_Mail__c": True}]


def test_a_person_account_is_written_through_its_account(org, api):
    org.settings(person_accounts=True)
    [account] = org.create("Account", {"Name": "Anna Berg", "IsPersonAccount": True})
    [contact] = org.create("Contact", {"LastName": "Berg", "AccountId": account, "IsPersonAccount": True})
    org.edit(account, {"PersonContactId": contact})
    assert error(api.patch(contact, OPT_OUT)) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")
    assert api.patch(account, {"PersonHasOptedOutOfEmail": True}).status_code == 204
    assert org.opted_out() == {contact}
    assert "IsPersonAccount" in {field["name"] for field in api.get("/sobjects/Account/describe").json()["fields"]}


def test_without_person_accounts_nothing_speaks_of_them(api):
    assert "IsPersonAccount" not in {field["name"] for field in api.get("/sobjects/Account/describe").json()["fields"]}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"HasOptedOutOfEmail": "maybe"}, "JSON_PARSER_ERROR"),
        ({"HasOptedOutOfEmail": None}, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ({"LastName": None}, "REQUIRED_FIELD_MISSING"),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG"),
        ({"Email": "nobody"}, "INVALID_EMAIL_ADDRESS"),
        ({"Id": "003QE0000000001"}, "INVALID_FIELD"),
        ({"SystemModstamp": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_values_that_do_not_fit_are_refused(api, person, fields, code):
    assert error(api.patch(person, fields)) == (400, code)

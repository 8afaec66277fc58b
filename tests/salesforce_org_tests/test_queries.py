"""SOQL and paging."""

import pytest

from tests.salesforce_org_tests.conftest import error


@pytest.fixture
def people(org):
    """Create five contacts whose last names are the letters A to E."""
    return org.create(
        "Contact",
        {"LastName": "A", "FirstName": "O'Neil", "Email": "a@example.com", "HasOptedOutOfEmail": True},
        {"LastName": "B", "Email": "B@Example.com", "Title": "CEO"},
        {"LastName": "C", "Email": "c@example.com", "Title": "50% owner"},
        {"LastName": "D", "DoNotCall": True},
        {"LastName": "E", "Email": "e@example.org", "HasOptedOutOfEmail": True, "DoNotCall": True},
        at="2026-11-20T10:00:00Z",
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("HasOptedOutOfEmail = TRUE", "AE"),
        ("HasOptedOutOfEmail = true AND DoNotCall = false", "A"),
        ("HasOptedOutOfEmail = TRUE OR DoNotCall = TRUE", "ADE"),
        ("(HasOptedOutOfEmail = TRUE OR DoNotCall = TRUE) AND Email = null", "D"),
        ("NOT (HasOptedOutOfEmail = TRUE)", "BCD"),
        ("NOT Email LIKE '%@example.com'", "DE"),
        ("Email = 'b@example.com'", "B"),
        ("Email != 'a@example.com'", "BCDE"),
        ("Email <> null", "ABCE"),
        ("Email IN ('a@example.com', 'e@example.org')", "AE"),
        ("Email NOT IN ('a@example.com', 'e@example.org')", "BCD"),
        ("Email IN (null, 'c@example.com')", "CD"),
        ("Title LIKE '50\\%%'", "C"),
        ("LastName > 'B' AND LastName <= 'D'", "CD"),
        ("FirstName = 'O\\'Neil'", "A"),
        ("Name = 'O\\'Neil A'", "A"),
        ("hasoptedoutofemail = TRUE and lastname = 'a'", "A"),
        ("SystemModstamp >= 2026-11-20T10:00:00Z", "ABCDE"),
        ("SystemModstamp > 2026-11-20T10:00:00.000+00:00", ""),
        ("SystemModstamp >= 2026-11-20T11:00:00+01:00", "ABCDE"),
    ],
)
def test_a_condition_finds_what_it_says(api, people, condition, expected):
    assert "".join(api.ids(condition)) == expected


def test_a_record_has_attributes_and_times_with_milliseconds(api, people):
    record = api.get("/query", q="SELECT Id, HasOptedOutOfEmail, SystemModstamp FROM Contact WHERE LastName = 'A'")
    assert record.json() == {
        "totalSize": 1,
        "done": True,
        "records": [
            {
                "attributes": {"type": "Contact", "url": f"/services/data/v67.0/sobjects/Contact/{people[0]}"},
                "Id": people[0],
                "HasOptedOutOfEmail": True,
                "SystemModstamp": "2026-11-20T10:00:00.000+0000",
            }
        ],
    }


def test_count_gives_a_number_and_no_records(api, people):
    body = api.get("/query", q="SELECT COUNT() FROM Contact WHERE DoNotCall = TRUE").json()
    assert body == {"totalSize": 2, "done": True, "records": []}


def test_rows_with_one_stamp_are_ordered_and_resumed_by_id(api, people):
    after = f"SystemModstamp = 2026-11-20T10:00:00Z AND Id > '{people[2][:15]}'"
    soql = f"SELECT Id FROM Contact WHERE {after} ORDER BY SystemModstamp, Id"
    assert [record["Id"] for record in api.query(soql)] == people[3:]


def test_order_takes_several_keys_directions_and_nulls(api, people):
    soql = "SELECT LastName FROM Contact ORDER BY HasOptedOutOfEmail DESC, Email DESC NULLS LAST"
    assert "".join(record["LastName"] for record in api.query(soql)) == "EACBD"


def test_limit_and_offset_cut_the_list(api, people):
    soql = "SELECT LastName FROM Contact ORDER BY LastName LIMIT 2 OFFSET 1"
    assert "".join(record["LastName"] for record in api.query(soql)) == "BC"


def test_ids_differ_by_case_alone_and_are_told_apart(org, api):
    org.generate("Contact", 62)
    ids = [record["Id"] for record in api.query("SELECT Id FROM Contact ORDER BY Id")]
    twins = [record_id for record_id in ids if record_id[:15].lower() == ids[40][:15].lower()]
    assert len(twins) == 2
    found = api.query(f"SELECT Id FROM Contact WHERE Id = '{twins[1][:15]}'")
    assert found == [{"Id": twins[1]}]


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        (
            "SELECT Foo FROM Contact",
            "INVALID_FIELD",
            "ERROR at Row:1:Column:8\nNo such column 'Foo' on entity 'Contact'",
        ),
        ("SELECT Id FROM Contact WHERE SystemModstamp > '2026-01-01T00:00:00Z'", "INVALID_FIELD", "enclosed in quotes"),
        ("SELECT Id FROM Contact WHERE Email = x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Contact WHERE A = 1 AND B = 2 OR C = 3", "MALFORMED_QUERY", "unexpected token: 'OR'"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "<EOF>"),
        ("SELECT Id FROM Person", "INVALID_TYPE", "sObject type 'Person' is not supported"),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("UPDATE Contact", "MALFORMED_QUERY", "unexpected token: 'UPDATE'"),
    ],
)
def test_a_wrong_query_is_refused_with_code_and_place(api, soql, code, words):
    response = api.get("/query", q=soql)
    assert error(response) == (400, code)
    assert words in response.json()[0]["message"]


def test_a_long_address_line_is_refused(api):
    query = "SELECT Id FROM Contact WHERE Email = '" + "x" * 17_000 + "'"
    assert api.get("/query", q=query).status_code == 414


def test_a_query_is_read_page_by_page(org, api):
    org.generate("Contact", 4_500)
    first = api.get("/query", q="SELECT Id FROM Contact ORDER BY Id").json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (4_500, False, 2_000)
    assert first["nextRecordsUrl"].startswith("/services/data/v67.0/query/01g")
    assert first["nextRecordsUrl"].endswith("-2000")
    ids = [record["Id"] for record in api.query("SELECT Id FROM Contact ORDER BY Id")]
    assert (len(ids), ids) == (4_500, sorted(ids))


def test_the_wished_page_size_is_taken_within_bounds(org, api):
    org.generate("Contact", 1_000)
    sizes = []
    for wished in (50, 500, 9_000):
        headers = {"Sforce-Query-Options": f"batchSize={wished}"}
        body = api.request("GET", "/query", params={"q": "SELECT Id FROM Contact"}, headers=headers).json()
        sizes.append(len(body["records"]))
    assert sizes == [200, 500, 1_000]


def test_pages_may_be_smaller_than_wished(org, api):
    org.generate("Contact", 5_000)
    org.settings(page_size="random")
    assert len({record["Id"] for record in api.query("SELECT Id FROM Contact")}) == 5_000
    assert len(org.journal(path="/query")) > 3


def test_a_page_can_be_asked_for_again_until_its_locator_ends(org, api):
    org.generate("Contact", 2_100)
    further = api.get("/query", q="SELECT Id FROM Contact").json()["nextRecordsUrl"]
    assert api.get(further).json() == api.get(further).json()
    org.clock(advance=2 * 86_400 + 1)
    api.sign_in()
    assert error(api.get(further)) == (400, "INVALID_QUERY_LOCATOR")


def test_without_order_the_order_is_any(org, api):
    org.generate("Contact", 500)
    ids = [record["Id"] for record in api.query("SELECT Id FROM Contact")]
    assert ids != sorted(ids)


def test_edits_between_pages_are_seen_in_later_pages(org, api):
    org.generate("Contact", 2_001)
    first = api.get("/query", q="SELECT Id, HasOptedOutOfEmail FROM Contact ORDER BY Id").json()
    last = org.records("SELECT Id FROM Contact ORDER BY Id DESC LIMIT 1")[0]["Id"]
    org.opt_out(last)
    assert api.get(first["nextRecordsUrl"]).json()["records"][0]["HasOptedOutOfEmail"] is True

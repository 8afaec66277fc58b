from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.imports.headers import FIELDS, ORIGINS, SYNONYMS, key
from compliance.imports.mapping import apply, names, recognise, split_name
from contacts.people.field_registry import DETAILS
from exports.files.csv_column_registry import ALL_COLUMNS, header
from salesconnect.lib.csv import RowError, open_table

FILES = Path(__file__).parents[2] / "data" / "imports"

CECILIA = {
    "first_name": "Cecilia", "last_name": "Dahl", "company": "Dahl Konsult", "title": "Ägare",
    "email": "cecilia@example.se", "phone": "040-12 34 56", "website": "https://dahl.example.se",
}  # fmt: skip
ANNA = {
    "first_name": "Anna Karin", "last_name": "Berg", "company": "Fjäll & Co", "title": "Säljchef",
    "email": "anna.berg@example.se", "phone": "+46 70 123 45 67", "website": "https://fjall.example.se",
}  # fmt: skip
JENNY = {
    "first_name": "Jenny", "last_name": "Kvist", "company": "Kvist Media", "title": "Marknadschef",
    "email": "jenny.kvist@example.se", "phone": "+46 8 123 45 67", "website": "https://kvist.example.se",
    "authorization_type": "Legitimate interest – prospect/lead;Legitimate interest - other", "opted_out": "false",
}  # fmt: skip
AKE = {
    "first_name": "Åke", "last_name": "Öberg", "company": "Norrsken Bygg AB", "title": "Inköpare",
    "email": "ake.oberg@example.se", "phone": "090-12 34 56", "website": "https://norrsken.example.se",
}  # fmt: skip
ASA = {
    "first_name": "Åsa", "last_name": "Ängström", "company": "Sjö & Skog AB", "title": "VD",
    "email": "asa.angstrom@example.se", "phone": "08-123 45 67", "website": "www.sjoskog.example.se",
}  # fmt: skip
HANS = {
    "first_name": "Hans", "last_name": "Lind", "company": "Lind Data", "title": "CTO",
    "email": "hans.lind@example.com", "phone": "018-12 34 56", "salesforce_id": "00Q5e00000zZzZz",
    "opted_out": "False",
}  # fmt: skip
EVA = {
    "first_name": "Eva", "last_name": "Falk", "company": "Falk Industri AB", "title": "CFO",
    "email": "eva.falk@example.se", "phone": "031-12 34 56", "website": "falk.example.se",
    "salesforce_id": "0035e00001AbCdEAAV", "opted_out": "0",
}  # fmt: skip
OURS = {
    "first_name": "Åsa", "last_name": "Öberg", "company": "Öberg & Söner", "title": "VD", "email": "asa@example.se",
    "phone": "+46 70 123 45 67", "website": "https://oberg.example.se", "other": "Träffad på mässan",
    "facebook": "https://facebook.example.com/asa", "twitter": "@asa", "linkedin": "https://linkedin.example.com/asa",
    "salesforce_id": "0035e00001AbCdEAAV", "authorization_type": "consent", "authorization_other": "",
    "consent_date": "2026-03-01", "consent_purpose": "newsletter", "source_type": "other", "source_other": "Mässa",
    "opted_out": "false",
}  # fmt: skip
SWEDISH = {
    "first_name": "Åsa", "last_name": "Öberg", "company": "Öberg & Söner", "title": "VD", "email": "asa@example.se",
    "phone": "070-123 45 67", "website": "", "other": "", "authorization_type": "Samtycke",
    "consent_date": "2026-03-01", "consent_purpose": "nyhetsbrev", "source_type": "Manuell uppladdning",
    "opted_out": "nej",
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "origin", "total", "person"),
    [
        ("google-new.csv", "Google Contacts", 2, CECILIA),
        ("google-old.csv", "Google Contacts", 2, ANNA),
        ("hubspot.csv", "HubSpot", 4, JENNY),
        ("outlook.csv", "Outlook", 2, AKE),
        ("outlook-swedish.csv", "Outlook", 2, ASA),
        ("salesforce-leads.csv", "Salesforce", 2, HANS),
        ("salesforce.csv", "Salesforce", 7, EVA),
        ("sales-connect.csv", "Sales Connect", 2, OURS),
        ("sales-connect-swedish.csv", "Sales Connect", 2, SWEDISH),
    ],
)
def test_the_exports_of_other_programs_and_our_own_are_understood(file, origin, total, person):
    table = open_table(FILES / file)
    mapping = recognise(table.headers)
    assert (mapping.origin, mapping.usable, table.total) == (origin, True, total)
    assert apply(mapping, next(iter(table))[1]) == person


def test_the_footer_of_a_salesforce_report_never_becomes_people():
    rows = [found for _line, found in open_table(FILES / "salesforce.csv")]
    assert [isinstance(found, RowError) for found in rows] == [False, False, True, True, True, True, True]


def mapped(*headers, **chosen):
    mapping = recognise(headers, chosen)
    return {headers[index]: field for index, field in mapping.columns.items()}


def test_our_whole_export_maps_but_times_and_numbers():
    headers = header(ALL_COLUMNS)
    fields = mapped(*headers)
    assert set(headers) - set(fields) == {"Updated At", "Created At", "Person ID", "Exported At"}
    assert sorted(fields.values()) == sorted(set(FIELDS) - {"name"})


@pytest.mark.parametrize("header", ["E-MAIL ADDRESS", " e mail_address ", "E-post-adress", "EMail", "Ｅmail"])
def test_case_space_and_punctuation_of_a_header_do_not_count(header):
    assert mapped(header) == {header: "email"}


def test_the_first_of_equal_columns_is_taken_and_the_best_known_of_several():
    assert recognise(["Email", "Name", "E-mail"]).columns == {0: "email", 1: "name"}
    assert mapped("Mobile", "Phone", "Title", "Job Title") == {"Phone": "phone", "Job Title": "title"}
    assert mapped("Mobile", "Title") == {"Mobile": "phone", "Title": "title"}


def test_a_full_name_gives_way_to_its_parts():
    assert mapped("Name", "Email") == {"Name": "name", "Email": "email"}
    assert mapped("Name", "Family Name") == {"Family Name": "last_name"}


def test_an_id_is_salesforces_only_in_a_file_of_salesforce():
    assert mapped("Id", "Email") == {"Email": "email"}
    assert mapped("Id", "Email", "HasOptedOutOfEmail")["Id"] == "salesforce_id"
    assert "Contact ID" not in mapped("Contact ID", "Email", "Record ID", "Lifecycle Stage")


def test_an_unknown_header_is_not_usable():
    assert recognise(["a", "b", "Company"]).usable is False
    assert recognise(["Namn"]).usable is True


def test_the_users_choice_stands_above_what_is_recognised():
    headers = ["First Name", "Email", "Private mail", "Phone"]
    mapping = recognise(headers, {"private mail": "email", "Phone": ""})
    assert mapping.columns == {0: "first_name", 2: "email"}


def test_a_chosen_header_is_found_as_it_is_spelled_first():
    assert recognise(["E-mail", "Email"], {"Email": "email"}).columns == {1: "email"}


def test_a_header_that_comes_again_can_be_chosen_by_its_number():
    headers = ["Email", "Phone", "Phone", "Phone (2)", "Phone", ""]
    assert names(headers) == ["Email", "Phone", "Phone (3)", "Phone (2)", "Phone (4)", ""]
    assert recognise(headers, {"Phone": "", "Phone (4)": "phone"}).columns == {0: "email", 4: "phone"}


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ({"Fax": "phone"}, "Fax"),
        ({"": "phone"}, "column “”"),
        ({"Email": "unsubscribed"}, "unsubscribed"),
        ({"Email": "id"}, "id"),
        ({"Email": "created_at"}, "created_at"),
        ({"Email": 5}, "5"),
        ({"Email": "other", "Phone": "other"}, "other"),
    ],
)
def test_a_wrong_choice_is_refused_by_name(chosen, named):
    with pytest.raises(ValueError, match=named):
        recognise(["Email", "Phone"], chosen)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Anna Berg", ("Anna", "Berg")),
        ("Anna Karin  Berg ", ("Anna Karin", "Berg")),
        ("Berg, Anna Karin", ("Anna Karin", "Berg")),
        ("Anna", ("Anna", "")),
        ("", ("", "")),
    ],
)
def test_a_full_name_is_split_at_its_last_space(name, parts):
    assert split_name(name) == parts


def test_a_full_name_fills_what_its_row_leaves_blank():
    mapping = recognise(["Name", "First Name", "Last Name"], {"Name": "name"})
    assert apply(mapping, ["Anna Berg", "", ""]) == {"first_name": "Anna", "last_name": "Berg"}
    assert apply(mapping, ["Anna Berg", "Ann", ""]) == {"first_name": "Ann", "last_name": "Berg"}


def test_every_detail_and_synonym_is_in_its_one_form_and_place():
    known = [name for synonyms in SYNONYMS.values() for name in synonyms]
    marks = [mark for origin in ORIGINS.values() for mark in origin.marks]
    assert set(DETAILS) < set(FIELDS)
    assert len(known) == len(set(known))
    assert [name for name in known + marks if key(name) != name] == []


@given(st.lists(st.text(max_size=12) | st.sampled_from(["Name", "Email", "E-mail", "Contact ID", "Id"]), max_size=8))
def test_any_header_gives_each_field_one_column(headers):
    columns = recognise(headers).columns
    assert len(set(names(headers))) == len(headers)
    assert len(set(columns.values())) == len(columns)
    assert set(columns) <= set(range(len(headers)))

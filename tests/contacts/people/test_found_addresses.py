"""Every address in a text is found, whatever people and programs put around it."""

import pytest

from contacts.people.found_addresses import addresses_in

ANNA = "anna@supp.example"
ONE = [
    "anna@supp.example",
    "  ANNA@Supp.Example  ",
    "Anna Berg <anna@supp.example>",
    '"Berg, Anna" <anna@supp.example>',
    "<anna@supp.example>",
    "mailto:anna@supp.example",
    "MAILTO:anna@supp.example?subject=Unsubscribe&body=stop",
    "[anna@supp.example](mailto:anna@supp.example)",
    '<a href="mailto:anna@supp.example">anna@supp.example</a>',
    "smtp:anna@supp.example",
    "E-post: anna@supp.example.",
    "anna@supp.example.",
    "anna@supp.example,",
    "anna@supp.example;",
    "(anna@supp.example)",
    '"anna@supp.example"',
    '"""anna@supp.example"""',
    "'anna@supp.example'",
    "“anna@supp.example”",
    "«anna@supp.example»",
    "`anna@supp.example`",
    "*anna@supp.example*",
    "anna@supp.example\u200b",
    "\ufeffanna@supp.example",
    "an\u00adna@supp.exam\u200bple",
    "\u202aanna@supp.example\u202c",
    "anna\u00a0@\u00a0supp.example",
    "\u00a0anna@supp.example\u00a0",
    "anna @ supp.example",
    "anna＠supp.example",
    "ａｎｎａ＠ｓｕｐｐ．ｅｘａｍｐｌｅ",
    "anna%40supp.example",
    "anna&#64;supp.example",
    "anna (at) supp (dot) example",
    "anna[at]supp[dot]example",
    "&lt;anna@supp.example&gt;",
    "https://x.example/u?email=anna@supp.example",
    "anna@supp.example\x00",
    "anna@supp.example\x1f",
    "anna@supp[.]example",
    "anna at supp dot example",
    "anna@@supp.example",
    "anna\\@supp.example",
    "anna@supp..example",
    "anna@supp .example",
    "anna%2540supp.example",
    "=?utf-8?q?anna=40supp.example?=",
]


@pytest.mark.parametrize("text", ONE, ids=ascii)
def test_an_address_is_found_in_whatever_wraps_it(text):
    assert ANNA in addresses_in(text)[0]


SEVERAL = [
    "anna@supp.example; bo@supp.example",
    "anna@supp.example, bo@supp.example",
    "anna@supp.example bo@supp.example",
    "anna@supp.example|bo@supp.example",
    "anna@supp.example/bo@supp.example",
    "anna@supp.example\nbo@supp.example",
    "anna@supp.example\u200bbo@supp.example",
    "Anna <anna@supp.example>, Bo <bo@supp.example>",
    "anna@supp.example (old: bo@supp.example)",
    "anna@supp.example & bo@supp.example",
    "anna@supp.example&bo@supp.example",
]


@pytest.mark.parametrize("text", SEVERAL, ids=ascii)
def test_of_several_addresses_each_is_found(text):
    assert {ANNA, "bo@supp.example"} <= set(addresses_in(text)[0])


@pytest.mark.parametrize(
    "text", ["", "Anna", "@supp.example", "anna@", "anna@supp", "a@b@", "12345", "we met at noon", "=?broken"]
)
def test_where_there_is_none_none_is_made_up(text):
    assert addresses_in(text)[0] == []


def test_an_at_that_belongs_to_no_address_is_told():
    assert addresses_in("anna@supp.example and bo@nowhere") == ([ANNA], True)
    assert addresses_in(ANNA) == ([ANNA], False)


def test_letters_outside_ascii_and_what_may_belong_to_an_address_are_kept():
    assert addresses_in("åsa@räksmörgås.example")[0] == ["åsa@xn--rksmrgs-5wao1o.example"]
    assert addresses_in("o'hara+news@supp.example")[0] == ["o'hara+news@supp.example"]
    assert set(addresses_in("'anna@supp.example")[0]) == {ANNA, "'anna@supp.example"}

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contacts.people.rules import NAMELESS, SEARCH_SEPARATORS, normalise_address, salesforce_id, search_words, sort_key

anything = st.text(st.characters(exclude_categories=()), max_size=80)
address_like = st.builds("{}@{}.{}".format, anything, anything, st.sampled_from(["se", "com", "рф", "xn--p1ai"]))


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("anna.berg+news@example.se", "anna.berg+news@example.se"),
        ("  Anna.Berg@EXAMPLE.se\r\n", "anna.berg@example.se"),
        ("\u00a0anna@example.se\u3000", "anna@example.se"),
        ("Ｏｌａ＠example．se", "ola@example.se"),
        ("ÅSA@example.se", "åsa@example.se"),
        ("A\u030asa@example.se", "åsa@example.se"),
        ("anna@Räksmörgås.example.se", "anna@xn--rksmrgs-5wao1o.example.se"),
        ("anna@XN--rksmrgs-5wao1o.example.se", "anna@xn--rksmrgs-5wao1o.example.se"),
        ("Straße@example.com", "strasse@example.com"),
        ("i@faß.de", "i@xn--fa-hia.de"),
        ("I@FAẞ.DE", "i@xn--fa-hia.de"),
        ("i@fass.de", "i@fass.de"),
        ("i@xn--fa-hia.de", "i@xn--fa-hia.de"),
        ("i@βόλος.com", "i@xn--nxasmm1c.com"),
        ("i@βόλοσ.com", "i@xn--nxasmq6b.com"),
        ("i@ΒΌΛΟΣ.COM", "i@xn--nxasmq6b.com"),
        ("Σίσυφος@example.com", "σίσυφοσ@example.com"),
        ("i@ﬁn.de", "i@fin.de"),
        ("i@example。se", "i@example.se"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("a@sub-domain.9to5.example.com", "a@sub-domain.9to5.example.com"),
    ],
)
def test_an_address_has_one_form(raw, address):
    assert normalise_address(raw) == address


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "anna",
        "@example.se",
        "anna@",
        "anna@example",
        "anna@@example.se",
        "anna@berg@example.se",
        "an na@example.se",
        "anna@exam ple.se",
        "anna\x00@example.se",
        "anna\n@example.se",
        "an\u200bna@example.se",
        "anna\ud800@example.se",
        ".anna@example.se",
        "anna.@example.se",
        "an..na@example.se",
        "anna@-example.se",
        "anna@example..se",
        "anna@example.se.",
        "anna@exa_mple.se",
        "anna@[127.0.0.1]",
        "anna@127.0.0.1",
        "anna@xn--a-ecp.xn--99999999.se",
        '"anna berg"@example.se',
        "Anna Berg <anna@example.se>",
        "a" * 250 + "@example.se",
        "a@" + "å" * 80 + ".se",
        "=anna;bo@example.se",
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(raw):
    with pytest.raises(ValueError, match="address"):
        normalise_address(raw)


def test_the_longest_address_has_254_characters():
    longest = "a" * (254 - len("@example.se")) + "@example.se"
    assert normalise_address(longest) == longest


@given(st.emails())
def test_every_common_address_is_accepted_and_folds_case(address):
    assert normalise_address(address) == normalise_address(address.upper())


@given(anything | address_like | st.emails())
def test_the_normal_form_is_its_own_normal_form(raw):
    try:
        address = normalise_address(raw)
    except ValueError:
        return
    assert normalise_address(address) == address
    assert len(address) <= 254


def test_names_sort_as_swedes_read_them():
    names = [
        "9-gruppen", "Andersson", "Ångström-Å", "Berg", "Berg Lind", "Berg-Olsson", "Berga", "Édouard", "Ek", "Elm",
        "O'Brien", "Obst", "Straße", "Strassen", "Thorn", "Þór", "Via", "Wik", "Ydre", "Über", "Zorn", "Åberg", "Ås",
        "Ærø", "Ärlig", "Öberg", "Øst", "Őz", "Žižek", "Иванов", "王", "", "---",
    ]  # fmt: skip
    expected = [
        "9-gruppen", "Andersson", "Berg", "Berg Lind", "Berg-Olsson", "Berga", "Édouard", "Ek", "Elm", "O'Brien",
        "Obst", "Straße", "Strassen", "Þór", "Thorn", "Via", "Wik", "Über", "Ydre", "Žižek", "Zorn", "Åberg",
        "Ångström-Å", "Ås", "Ärlig", "Ærø", "Öberg", "Øst", "Őz", "Иванов", "王", "", "---",
    ]  # fmt: skip
    assert sorted(names, key=lambda name: sort_key(name).encode()) == expected


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("ÅÄÖ", "{|}"),
        ("A\u030a", "{"),
        ("Ünal", "ynal"),
        ("Łukasz", "lukasz"),
        ("  Anna-Karin   af  Ek ", "anna karin af ek"),
        ("{|}~", NAMELESS),
        ("", NAMELESS),
        ("\x00\ud800", NAMELESS),
    ],
)
def test_a_sort_key_holds_letters_digits_and_single_spaces(name, key):
    assert sort_key(name) == key


@given(anything)
def test_a_sort_key_can_be_stored_and_does_not_depend_on_case_or_composition(name):
    key = sort_key(name)
    assert 0 < len(key) <= 200
    assert key.encode().decode() == key
    assert "\x00" not in key
    assert sort_key(unicodedata.normalize("NFC", name)) == key


def test_a_sort_key_has_at_most_200_characters():
    assert sort_key("ß" * 300) == "s" * 200


@pytest.mark.parametrize(
    ("raw", "full"),
    [
        ("0035e00001AbCdE", "0035e00001AbCdEAAV"),
        ("00Q5e00000zZzZz", "00Q5e00000zZzZzEAK"),
        ("001A0000006Vm9u", "001A0000006Vm9uIAC"),
        ("000000000000000", "000000000000000AAA"),
        ("AAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAA555"),
        (" 0035e00001AbCdEAAV ", "0035e00001AbCdEAAV"),
    ],
)
def test_a_salesforce_id_is_given_with_18_characters(raw, full):
    assert salesforce_id(raw) == full


@pytest.mark.parametrize(
    "raw", ["", "0035e00001AbCd", "0035e00001AbCdEAA", "0035e00001AbCdEAAB", "0035E00001ABCDEAAV", "0035e00001AbCdå"]
)
def test_a_wrong_salesforce_id_is_refused_with_a_reason(raw):
    with pytest.raises(ValueError, match="Salesforce ID"):
        salesforce_id(raw)


@given(st.text("abcXYZ059", min_size=15, max_size=15))
def test_the_full_salesforce_id_answers_itself(short):
    assert salesforce_id(salesforce_id(short)) == salesforce_id(short)
    assert salesforce_id(short)[:15] == short


def test_a_search_is_cut_at_space_and_separators():
    assert search_words("anna.berg+x@example-firma.se, O'Brien") == [
        "anna", "berg", "x", "example", "firma", "se", "O", "Brien",
    ]  # fmt: skip


def test_every_separator_parts_two_words():
    assert [search_words(f"a{separator}b") for separator in SEARCH_SEPARATORS] == [["a", "b"]] * len(SEARCH_SEPARATORS)
    assert search_words("a\u00a0b\tc\x00d\ud800e") == ["a", "b", "c", "d", "e"]


def test_a_search_has_at_most_eight_words():
    assert search_words(" . ") == []
    assert search_words("1 2 3 4 5 6 7 8 9") == list("12345678")

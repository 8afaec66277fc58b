import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesconnect.lib.csv import PHONE, line, safe_cell, unsafe_cell

phones = st.text("+0123456789 ()./-", max_size=14)
cells = phones | st.text(st.one_of(st.sampled_from("'=+-@\t\r\n\0 ＝＋－＠\ufeff,;\""), st.characters()), max_size=12)


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1",
        "+1+cmd|' /C calc'!A0",
        "+4670",
        "++46701234567",
        "+46701234567 ",
        "+46701234567\n",
        "+46-70-1+A1",
        "-46701234567",
        "+-46701234567",
        "＋46701234567",
        " +46701234567",
        "'+46701234567",
        "+46701234567\n=1",
        "+٤٦٧٠١٢٣",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "\0x",
        "  =1",
        "\u00a0=1",
        "\ufeff=1",
        "\n =1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        " ＝1",
        "'=1",
        "''+1",
    ],
)
def test_what_a_spreadsheet_would_run_gets_a_guard(formula):
    assert safe_cell(formula) == f"'{formula}"


@pytest.mark.parametrize("text", ["", "Anna", "a=b", "anna@example.se", "'n Sync", "'", "1-2", "Å", "70 12-34", "|a"])
def test_plain_text_stays_as_it_is(text):
    assert safe_cell(text) == text
    assert unsafe_cell(text) == text


@pytest.mark.parametrize(
    "phone", ["+46707112202", "+46 (0)70-711 22 02", "+46.70.711.22.02", "+46/70/711", "0707112202", "+12345"]
)
def test_a_telephone_number_stays_as_it_is(phone):
    assert safe_cell(phone) == phone
    assert unsafe_cell(phone) == phone
    assert unsafe_cell(f"'{phone}") == (phone if phone[0] == "+" else f"'{phone}")


def test_other_values_become_text():
    assert [safe_cell(value) for value in (None, 0, -1, True)] == ["", "0", "'-1", "True"]


@given(cells)
def test_taking_the_guard_off_gives_the_text_again(text):
    assert unsafe_cell(safe_cell(text)) == text


@given(cells)
def test_no_written_cell_starts_a_formula(text):
    written = safe_cell(text)
    assert written.lstrip(" \t\r\n\0\ufeff\u00a0")[:1] not in set("=+-@＝＋－＠") or re.fullmatch(PHONE, written)


def test_a_line_is_quoted_where_needed_and_ends_with_crlf():
    assert line(["Åsa", "Berg, B", 'say "hi"', "two\nlines", None, "=1"]) == (
        'Åsa,"Berg, B","say ""hi""","two\nlines",,\'=1\r\n'
    )


@given(st.lists(cells, min_size=1, max_size=5))
def test_any_program_reads_the_guarded_cells_of_a_line(row):
    assert list(csv.reader(io.StringIO(line(row), newline=""))) == [[safe_cell(cell) for cell in row]]

import io
import subprocess
import sys

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from hypothesis import given
from hypothesis import strategies as st

from salesconnect.lib.csv import BOM, FileRefused, RowError, line, open_table

MEGABYTE = 1 << 20
cells = st.text(
    st.one_of(st.sampled_from("'=+\r\n ,;\t\""), st.characters(codec="utf-8", exclude_characters="\0")), max_size=12
)


def table(text, encoding="utf-8"):
    return open_table(io.BytesIO(text.encode(encoding)))


def _temporary_upload(name, content):
    upload = TemporaryUploadedFile(name, "text/csv", len(content), None)
    upload.write(content)
    return upload


def rows(text, encoding="utf-8"):
    """Return the rows as (line, cells or reason)."""
    return [(number, found.reason if isinstance(found, RowError) else found) for number, found in table(text, encoding)]


@pytest.mark.parametrize(
    ("encoding", "recognised"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_usual_form_is_recognised(encoding, recognised, delimiter, end):
    lines = [["Förnamn", "E-post"], ["Åsa", "asa@example.se"], ["Örjan", "orjan@example.se"]]
    read = table("".join(delimiter.join(row) + end for row in lines), encoding)
    assert (read.encoding, read.delimiter, read.headers, read.total) == (recognised, delimiter, lines[0], 2)
    assert list(read) == [(2, lines[1]), (3, lines[2])]


def test_a_big_endian_byte_order_mark_is_recognised():
    read = open_table(io.BytesIO(b"\xfe\xff" + "Name,Email\nÅsa,a@example.se\n".encode("utf-16-be")))
    assert (read.encoding, read.headers) == ("utf-16", ["Name", "Email"])


def test_a_character_late_in_the_file_decides_the_encoding():
    assert table("Name\n" + "Anna\n" * 300_000 + "Åsa\n", "cp1252").encoding == "cp1252"


def test_the_chosen_encoding_overrules_the_recognised_one():
    source = io.BytesIO("Name\nÅsa\n".encode())
    assert next(iter(open_table(source, "cp1252"))) == (2, ["Ã…sa"])
    with pytest.raises(FileRefused, match="encoding"):
        open_table(source, "utf-16")


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ('"Name; all","Email"\n"Berg; Anna","a@example.se"\n', ","),
        ("Namn, efternamn;E-post\nBerg, Anna;a@example.se\n", ";"),
        ("Name;Note, long, and, more;Email\nAnna;x;a@example.se\n", ";"),
        ("Email\na@example.se\n", ","),
        ("Name\tEmail\nBerg, Anna; B\ta@example.se\n", "\t"),
        ("\n\nName;Email\nAnna;a@example.se\n", ";"),
        ("a,b,c;d,e\n1\n", ","),
    ],
)
def test_the_delimiter_is_the_one_that_cuts_rows_alike(text, delimiter):
    assert table(text).delimiter == delimiter


@given(st.lists(st.lists(cells, min_size=2, max_size=2).filter(any), min_size=1, max_size=5), st.booleans())
def test_what_was_written_is_read_again_unchanged(written, bom):
    text = BOM * bom + line(["Name", "Email"]) + "".join(map(line, written))
    assert [found for _number, found in table(text)] == written


def test_a_row_is_named_by_the_line_on_which_it_starts():
    assert rows('Name,Note\n\nAnna,"two\nlines"\n,\nBo,x\n') == [(3, ["Anna", "two\nlines"]), (6, ["Bo", "x"])]


def test_short_rows_are_filled_and_empty_cells_taken_off_long_ones():
    assert rows("a,b\n1\n1,2,,\n") == [(2, ["1", ""]), (3, ["1", "2"])]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("A\0,b", "The row contains NUL characters."),
        ("x" * 2 * MEGABYTE + ",b", "The row is longer than 1 MB."),
        ('"' + "x,\n" * MEGABYTE + '",b', "The row is longer than 1 MB."),
        ('a,b,"' + 'x""' * MEGABYTE + '"', "The row is longer than 1 MB."),
        ("a,b,c,d", "The row has more cells than the header."),
        ("Confidential", "The row has a single cell."),
        ('"two\nlines",b', "Several lines were read as one short row: is a quotation mark missing?"),
        ('"Anna "the boss" Berg",b,c', "A quotation mark stands in the middle of a quoted cell."),
    ],
    ids=lambda text: text[:20],
)
def test_a_bad_row_is_rejected_alone(bad, reason):
    after = 3 + bad.count("\n")
    assert rows(f"A,B,C\n{bad}\n1,2,3\n") == [(2, reason), (after, ["1", "2", "3"])]


def test_a_rejected_row_keeps_the_cells_that_could_be_read():
    found = [error.cells for _number, error in table("A,B\n1,2,'=3\nx\0,y\n")]
    assert found == [["1", "2", "=3"], ["x\N{REPLACEMENT CHARACTER}", "y"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"Name,Email\r\n", "no rows"),
        (b"Name,Email\r\n,\r\n\r\n", "no rows"),
        (b"PK\x03\x04rest of a zip", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "spreadsheet"),
        (b"Name\n\x81\x8d\n", "not text"),
        (b"\xff\xfeN\x00a", "not text"),
        (b"Na\x00me,Email\nAnna,a@example.se\n", "header cannot be read"),
        (b"a" * 2 * MEGABYTE + b"\nx\n", "header cannot be read"),
        (b"a," * 200 + b"a\n1\n", "200 columns"),
        (b'Name,Email\n"Anna,a@example.se\nBo,b@example.se\n', "line 2 is not closed"),
        (b'Name,Email\nBo,b@example.se\n"Anna","a@example.se\n"Ek","e@example.se"\n', "line 3 is not closed"),
        (b'Name,Email\nBo,"b@example.se', "line 2 is not closed"),
        (b'Name,Email\n"a"b,"two\nlines"\n', "line 2 is not closed"),
        (b'Name,Email\nBo,"' + b"x\n" * MEGABYTE, "line 2 is not closed"),
        (b'"Name,Email\nBo,b@example.se\n', "line 1 is not closed"),
    ],
    ids=lambda value: str(value[:25]),
)
def test_a_file_that_cannot_be_trusted_is_refused(content, message):
    with pytest.raises(FileRefused, match=message):
        open_table(io.BytesIO(content))


def test_two_hundred_columns_are_taken():
    assert len(table(",".join("a" * 200) + "\n1\n").headers) == 200


@given(st.integers(0, 30), st.sampled_from(["Anna", "B, C", "two\nlines"]))
def test_a_lost_quote_never_swallows_a_row_unnoticed(place, cell):
    good = "".join('"' + '","'.join([f"{number}", cell, "x"]) + '"\n' for number in range(1, 6))
    quotes = [index for index, character in enumerate(good) if character == '"']
    lost = quotes[place % len(quotes)]
    try:
        found = rows("A,B,C\n" + good[:lost] + good[lost + 1 :])
    except FileRefused:
        return
    assert len(found) >= 5


def test_a_path_is_read_as_well_and_a_given_file_stays_open(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes(b"Name\nAnna\n")
    assert list(open_table(path)) == list(open_table(str(path))) == [(2, ["Anna"])]
    with path.open("rb") as file:
        assert [list(open_table(file)), list(open_table(file))] == [[(2, ["Anna"])]] * 2
        assert not file.closed


@pytest.mark.parametrize("upload", [SimpleUploadedFile, _temporary_upload])
def test_an_uploaded_file_is_read(upload):
    assert list(open_table(upload("people.csv", b"Name\r\nAnna\r\n"))) == [(2, ["Anna"])]


def test_a_file_above_200_megabytes_is_refused_unread(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(FileRefused, match="200 MB"):
        open_table(path)


def test_a_single_line_of_190_megabytes_takes_little_memory(tmp_path):
    path = tmp_path / "line.csv"
    with path.open("wb") as file:
        file.write(b"Name\n")
        for _megabyte in range(190):
            file.write(b"a" * MEGABYTE)
    script = (
        "from django.conf import settings; settings.configure(USE_I18N=False)\n"
        "from salesconnect.lib.csv import open_table\n"
        f"print([error.reason for _line, error in open_table({str(path)!r})])\n"
        "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found, peak_kilobytes = answer.stdout.splitlines()
    assert found == "['The row is longer than 1 MB.']"
    assert int(peak_kilobytes) < 300 * 1024

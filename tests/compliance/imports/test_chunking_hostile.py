"""Files that mean harm, or that a careless program wrote: the bad row is rejected alone, or the file is refused."""

import pytest

from compliance.models import ImportReject
from contacts.models import Contact
from salesconnect.lib.errors import Invalid
from tests.importing import counts


def reasons(job):
    return [(reject.line, reject.reason) for reject in ImportReject.objects.filter(job=job).order_by("line")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"A\0nna,a@example.se", "The row contains NUL characters."),
        (b"A" * (2 << 20) + b",a@example.se", "The row is longer than 1 MB."),
        (b"Anna,a@example.se,,more", "The row has more cells than the header."),
        (b"An\x01na,a@example.se", "First name: Remove the characters that cannot be seen."),
        (b"Anna,a@", "Email: An email address has a name, an @ and a domain, as in anna@example.com."),
        (b",", None),
    ],
)
def test_a_bad_row_is_rejected_alone(take_in, row, reason):
    job = take_in(b"First Name,Email\r\nBo,b@example.se\r\n" + row + b"\r\nCia,c@example.se\r\n")
    assert reasons(job) == ([(3, reason)] if reason else [])
    assert counts(job) == (job.total, 2, 0, 0, len(reasons(job)))
    assert sorted(Contact.objects.values_list("first_name", flat=True)) == ["Bo", "Cia"]


@pytest.mark.parametrize(
    "name",
    ["Robert'); DROP TABLE contacts_contact;--", "\\N", "\\.", "{a,b}", "%s %(line)s", "a\\tb", "Åsa\u2028Öberg"],
)
def test_texts_that_mean_something_to_the_database_are_only_texts(take_in, name):
    job = take_in("First Name,Email", f'"{name}",a@example.se')
    assert counts(job) == (1, 1, 0, 0, 0)
    assert Contact.objects.get().first_name == name
    assert counts(take_in("First Name,Email", f'"{name}",a@example.se')) == (1, 0, 0, 1, 0)


def test_a_guard_against_formulas_is_taken_off(take_in):
    take_in("First Name,Email,Phone", "'=1+1,a@example.se,'+46 8 123")
    assert Contact.objects.values_list("first_name", "phone").get() == ("=1+1", "+46 8 123")


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("cp1252", ";"), ("utf-16-le", ",")],
)
def test_encodings_and_delimiters_are_recognised(take_in, encoding, delimiter):
    rows = (delimiter.join(cells) for cells in (("Förnamn", "Efternamn", "E-post"), ("Åsa", "Öberg", "asa@example.se")))
    job = take_in("".join(f"{row}\r\n" for row in rows).encode(encoding))
    assert counts(job) == (1, 1, 0, 0, 0)
    assert Contact.objects.values_list("first_name", "last_name").get() == ("Åsa", "Öberg")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf",
        b"First Name,Email\r\n",
        b"PK\x03\x04" + b"\0" * 100,
        b'Email\r\n"a@example.se\r\nb@example.se\r\n',
        b"Colour,Size\r\nred,1\r\n",
        b",".join([b"Email"] * 201) + b"\r\n" + b"," * 200 + b"\r\n",
        b"\0" * 100,
        b"Em\0ail\r\na@example.se\r\n",
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(take_in, content):
    with pytest.raises(Invalid) as refusal:
        take_in(content)
    assert [len(texts) for texts in refusal.value.fields.values()] == [1]
    assert list(refusal.value.fields) == ["file"]
    assert Contact.objects.count() == 0


@pytest.mark.parametrize("cell", ["\\", "a\tb", '"x"', "line\nline", "\u2028", "😀", "'=1"])
def test_rejected_cells_are_kept_as_they_were(take_in, cell):
    job = take_in("First Name,Email", '"{}",no address'.format(cell.replace('"', '""')))
    assert ImportReject.objects.get(job=job).cells == [cell.removeprefix("'"), "no address"]

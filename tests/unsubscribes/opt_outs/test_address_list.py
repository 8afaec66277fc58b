import io
from pathlib import Path

import pytest
from django.core.management import call_command

from compliance.models import ComplianceCard, Suppression
from compliance.suppression import suppression
from contacts.events import history
from contacts.people.addresses import address_hash, key_name
from salesconnect.lib.csv import FileRefused
from salesconnect.lib.errors import Forbidden
from unsubscribes.opt_outs import address_list


def take(content: bytes | str, actor):
    raw = content.encode() if isinstance(content, str) else content
    taken = address_list.take(io.BytesIO(raw), "list.txt", actor=actor)
    return taken.new, taken.already, taken.invalid


@pytest.mark.parametrize(
    "content",
    [
        "a@example.com\nb@example.com\n",
        "a@example.com\r\n\r\nB@EXAMPLE.COM",
        "Email\na@example.com\nb@example.com\n",
        "\ufeffE-post;Namn\na@example.com;Anna\nb@example.com;Bo\n",
        "Name,Email Address,Reason\nAnna,a@example.com,spam\nBo,b@example.com,\n",
        'Anna,a@example.com\n"Berg, Bo",b@example.com\n',
        "Recipient\tOrigin\na@example.com\tRecipient\nb@example.com\tCustomer\n",
        "a@example.com\nb@example.com\n".encode("utf-16"),
    ],
)
def test_lists_and_tables_of_any_make_are_understood(administrator, content):
    assert take(content, administrator) == (2, 0, 0)
    assert suppression.of_address("a@example.com").source == "import"
    assert suppression.of_address("b@example.com").reason == "list.txt"


def test_people_with_the_addresses_are_unsubscribed_and_told_so(person, administrator):
    anna = person(first_name="Anna", email="anna@example.com")
    assert take("ANNA@example.com\nnobody@example.com\n", administrator) == (2, 0, 0)
    assert ComplianceCard.objects.get(pk=anna.pk).unsubscribed
    event = history.of_contact(anna.pk).first()
    assert (event.action, event.changes) == (
        "unsubscribed",
        {"source": [None, "import"], "reason": [None, "list.txt"]},
    )
    assert Suppression.objects.count() == 2


def test_taking_a_list_in_again_changes_nothing(administrator):
    take("a@example.com\nb@example.com\n", administrator)
    assert take("b@example.com\nc@example.com\nc@example.com\n", administrator) == (1, 2, 0)


def test_an_address_under_an_older_key_is_known_already(administrator, settings):
    old = settings.SUPPRESSION_KEYS
    Suppression.objects.create(
        address_hash=address_hash("a@example.com"), hash_key=key_name(old[0]), source="clicked_link"
    )
    settings.SUPPRESSION_KEYS = ["a newer key", *old]
    assert take("a@example.com\n", administrator) == (0, 1, 0)


def test_lines_that_are_no_address_are_named_by_number_alone(administrator):
    content = "a@example.com\nnot an address\n\n@example.com\nb@example.com\n"
    taken = address_list.take(io.BytesIO(content.encode()), "list.txt", actor=administrator)
    assert (taken.new, taken.invalid) == (2, 2)
    assert [line for line, _reason in taken.rejects] == [2, 4]
    assert "not an address" not in str(taken.rejects)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"Name,Company\nAnna,Exempel\n", b'a@example.com\n"b@example.com\n'])
def test_what_cannot_be_read_is_refused(administrator, content):
    with pytest.raises(FileRefused):
        take(content, administrator)


@pytest.mark.parametrize("role", ["member", "auditor"])
def test_only_an_administrator_may(role, request):
    with pytest.raises(Forbidden):
        take("a@example.com\n", request.getfixturevalue(role))
    assert not Suppression.objects.exists()


def test_more_than_one_chunk(administrator, monkeypatch):
    monkeypatch.setattr(address_list, "CHUNK", 3)
    content = "".join(f"p{number}@example.com\n" for number in range(10)) + "p0@example.com\n"
    assert take(content, administrator) == (10, 1, 0)


def test_the_command_says_what_became_of_the_lines(db, tmp_path: Path, capsys):
    path = tmp_path / "list.csv"
    path.write_text("email\na@example.com\nnonsense\n")
    call_command("import_suppressions", str(path))
    told = capsys.readouterr()
    assert told.out == "1 new, 0 already suppressed, 1 invalid\n"
    assert "line 3: " in told.err


def test_the_command_fails_for_a_file_that_is_not_there(db, tmp_path: Path):
    with pytest.raises(SystemExit) as end:
        call_command("import_suppressions", str(tmp_path / "nothing.csv"))
    assert end.value.code == 1


WRAPPED = (
    "Email Address,First Name,UNSUB_TIME\n"
    "Anna Berg <s1@supp.example>,A,x\nmailto:s2@supp.example,B,x\ns3@supp.example; s3b@supp.example,C,x\n"
    "s4@supp.example\u200b,D,x\n<s5@supp.example>,E,x\ns6@supp.example,F,x\ns7@supp.example.,G,x\n"
    '"""s8@supp.example""",H,x\n'
)


def test_wrapped_addresses_are_suppressed_with_the_people_who_have_them(person, administrator):
    names = ("s1", "s2", "s3", "s3b", "s4", "s5", "s6", "s7", "s8")
    people = [person(email=f"{name}@supp.example").pk for name in names]
    assert take(WRAPPED, administrator)[::2] == (9, 0)
    assert ComplianceCard.objects.filter(pk__in=people, unsubscribed=True).count() == len(names)


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\nFirst Name;Last Name;Email\nBo;Septest;a@example.com\nEva;X;b@example.com\n",
        "\ufeffsep=\t\nName\tMail\nBo\ta@example.com\nEva\tb@example.com\n".encode("utf-16"),
        '"sep=,"\r\na@example.com\r\nb@example.com\r\n',
        '"Berg, Anna" <a@example.com>\n"Ek, Bo" <b@example.com>\n',
        "Name,Email,Email 2\nAnna,a@example.com,b@example.com\n",
        "Namn;Kontaktväg\nAnna;a@example.com\nBo;b@example.com\n",
        "Exported from the old system\nAnna,a@example.com\nBo,b@example.com\n",
        "Name,Email,Note\nAnna,,a@example.com\nBo,b@example.com,\n",
        "To: a@example.com\nCc: b@example.com\n",
        "a@example.com b@example.com",
    ],
)
def test_addresses_are_found_wherever_they_stand(administrator, content):
    assert take(content, administrator)[:2] == (2, 0)
    assert suppression.of_address("a@example.com")
    assert suppression.of_address("b@example.com")


def test_the_addresses_of_colleagues_in_other_columns_are_left(administrator):
    assert take("Email,Contact owner email\na@example.com,us@ours.example\n,us@ours.example\n", administrator) == (
        1,
        0,
        1,
    )
    assert suppression.of_address("us@ours.example") is None


def test_what_is_understood_in_part_is_taken_and_listed(administrator):
    taken = address_list.take(io.BytesIO(b"a@example.com; b@nowhere\nx\0 c@example.com\n"), "x", actor=administrator)
    assert (taken.new, taken.invalid) == (2, 1)
    assert [line for line, _reason in taken.rejects] == [1]
    assert taken.rejects[0][1] == "Not every address on this line could be read; those that could are suppressed."


def test_the_command_ends_with_1_when_nothing_was_taken(db, tmp_path: Path, capsys):
    path = tmp_path / "list.csv"
    path.write_text("email\nanna@\n@example.com\n")
    with pytest.raises(SystemExit) as end:
        call_command("import_suppressions", str(path))
    assert end.value.code == 1
    told = capsys.readouterr()
    assert told.out == "0 new, 0 already suppressed, 2 invalid\n"
    assert "line 3: No email address was found on this line." in told.err

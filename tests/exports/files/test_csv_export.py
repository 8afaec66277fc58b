import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.models import ComplianceCard
from contacts.events import history
from contacts.models import Contact
from contacts.people import queries
from exports.files import csv_export, postgres_copy
from salesconnect.lib.actor import Actor
from salesconnect.lib.csv import line, safe_cell, unsafe_cell
from salesconnect.lib.errors import Forbidden, Missing

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
PHONES = st.text("+0123456789 ()./-", min_size=5, max_size=12)
NASTY = st.lists(st.sampled_from([*"'=+-@ \t\r\n＝＋－＠\u00a0\u2003\ufeff", "a", '"', ","]), max_size=5).map("".join)


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_one_person_is_a_header_and_a_row_and_an_event(person, member):
    anna = person(first_name="Anna", last_name="Åberg", email="anna@example.com", phone="+46 70 123")
    file = csv_export.export_one(anna.pk, actor=member)
    header, row = rows_of(file.content)
    assert ",".join(header) == (
        "First Name,Last Name,Company,Title,Email ID,Phone Number,Website,Other,Updated At,Created At,"
        "Salesforce ID,Person ID,Facebook,Twitter,LinkedIn,Exported At"
    )
    assert row[:6] == ["Anna", "Åberg", "", "", "anna@example.com", "+46 70 123"]
    assert (row[11], file.content[:3], file.content[-2:]) == (str(anna.pk), b"\xef\xbb\xbf", b"\r\n")
    assert file.name.startswith("Anna-Åberg-")
    assert history.of_contact(anna.pk).first().action == "exported"


def test_somebody_who_is_not_there_cannot_be_exported(db, member):
    with pytest.raises(Missing):
        csv_export.export_one(1, actor=member)


def test_many_people_are_a_file_with_the_card_columns(person, auditor):
    anna = person(email="a@example.com")
    person(email="b@example.com", first_name="Line\nbreak")
    job = csv_export.order_export(Contact.objects.all(), actor=auditor, reason="audit")
    header, *rows = rows_of(b"".join(csv_export.read_file(job, actor=auditor)))
    assert (len(header), len(rows), job.batch.state) == (23, 2, "done")
    assert (rows[0][4], rows[1][0], rows[0][22]) == ("a@example.com", "Line\nbreak", "false")
    assert history.of_contact(anna.pk).first().changes == {"reason": [None, "audit"]}


@pytest.mark.django_db(transaction=True)
def test_the_rows_of_many_people_are_written_while_their_events_are(person, member, monkeypatch):
    monkeypatch.setattr(csv_export, "PARALLEL_FROM", 1)
    people = [person(email=f"{name}@example.com").pk for name in "abc"]
    job = csv_export.order_export(Contact.objects.all(), actor=member, reason="audit")
    content = b"".join(csv_export.read_file(job, actor=member))
    assert [row[11] for row in rows_of(content)[1:]] == [str(pk) for pk in people]
    assert len(content) == job.size
    assert [history.of_contact(pk).first().action for pk in people] == ["exported"] * 3


@pytest.mark.django_db(transaction=True)
def test_nothing_is_on_record_where_the_rows_could_not_be_written(person, member, monkeypatch):
    def broken(*_args, **_options):
        raise OSError("no space left")

    monkeypatch.setattr(csv_export, "PARALLEL_FROM", 1)
    monkeypatch.setattr(postgres_copy, "append", broken)
    anna = person(email="a@example.com")
    with pytest.raises(OSError, match="no space left"):
        csv_export.order_export(Contact.objects.all(), actor=member, reason="audit")
    assert history.of_contact(anna.pk).filter(action="exported").count() == 0


def test_what_a_killed_worker_wrote_is_cut_off(person, member):
    person(email="a@example.com")
    job = csv_export.order_export(Contact.objects.none(), actor=member, reason="")
    with job.file.storage.open(job.file.name, "ab") as file:
        file.write(b"half a ro")
    csv_export.export_chunk(Contact.objects.all(), job.batch, member)
    _header, row = rows_of(b"".join(csv_export.read_file(job, actor=member)))
    assert row[4] == "a@example.com"


def test_both_look_again_when_somebody_went_between_the_row_and_the_event(person, member, monkeypatch):
    append, looks = postgres_copy.append, []

    def one_more_at_first(ids, file, **options):
        looks.append(ids)
        rows, size = append(ids, file, **options)
        return (rows + 1 if len(looks) == 1 else rows), size

    monkeypatch.setattr(postgres_copy, "append", one_more_at_first)
    people = [person(email=f"{number}@example.com").pk for number in range(2)]
    job = csv_export.order_export(Contact.objects.all(), actor=member, reason="")
    rows = rows_of(b"".join(csv_export.read_file(job, actor=member)))[1:]
    assert ([int(row[11]) for row in rows], len(looks)) == (people, 2)
    assert [history.of_contact(pk).filter(action="exported").count() for pk in people] == [1, 1]


def test_a_long_stretch_is_exported_without_those_who_are_not_meant(person, member, monkeypatch):
    monkeypatch.setattr(queries, "ID_RANGE_MIN", 3)
    people = [person(last_name=f"P{number}").pk for number in range(8)]
    Contact.objects.filter(pk=people[5]).delete()
    meant = [*people[1:3], *people[4:]]
    job = csv_export.order_export(Contact.objects.among(meant), actor=member, reason="")
    rows = rows_of(b"".join(csv_export.read_file(job, actor=member)))[1:]
    assert [int(row[11]) for row in rows] == [number for number in meant if number != people[5]]
    exported = [number for number in people if history.of_contact(number).filter(action="exported")]
    assert exported == [number for number in meant if number != people[5]]


def test_without_the_right_nothing_leaves(person):
    anna = person()
    nobody = Actor(None, "nobody", "", "page")
    with pytest.raises(Forbidden):
        csv_export.export_one(anna.pk, actor=nobody)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=TEXT | NASTY | PHONES, piece=st.sampled_from([1, 2, 5, postgres_copy.PIECE]))
def test_the_database_writes_and_guards_cells_as_python_does(person, monkeypatch, text, piece):
    monkeypatch.setattr(postgres_copy, "PIECE", piece)
    anna = Contact.objects.first() or person(email="a@example.com")
    Contact.objects.filter(pk=anna.pk).update(company=text)
    ComplianceCard.objects.filter(pk=anna.pk).update(source_other="")
    out = io.BytesIO()
    postgres_copy.append([anna.pk], out)
    (row,) = rows_of(out.getvalue())
    assert row[2] == safe_cell(text)
    assert out.getvalue().decode() == line([unsafe_cell(cell) for cell in row])


def test_a_full_disk_in_the_middle_of_the_rows_leaves_a_connection_that_works(person, monkeypatch):
    monkeypatch.setattr(postgres_copy, "PIECE", 16)
    people = [person(email=f"{number}@example.com").pk for number in range(3)]

    class Full(io.BytesIO):
        def write(self, piece):
            if self.tell():
                raise OSError("no space left")
            return super().write(piece)

    out = Full()
    with pytest.raises(OSError, match="no space left"):
        postgres_copy.append(people, out)
    assert (Contact.objects.count(), out.getvalue().count(b"\r\n")) == (3, 1)

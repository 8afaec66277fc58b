import io

import pytest
from django.core.management import call_command

from compliance.models import ComplianceCard, ImportJob
from contacts.models import Contact

ROWS = "Email,First Name\r\na@example.se,Anna\r\nb@example.se,Bo\r\nno address,Cia\r\n"


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the command on a file and returns exit code, stdout and stderr."""

    def command(*options: str, content: str = ROWS, name: str = "people.csv"):
        (tmp_path / "people.csv").write_text(content)
        out, err = io.StringIO(), io.StringIO()
        try:
            call_command("import_contacts", str(tmp_path / name), *options, stdout=out, stderr=err)
        except SystemExit as end:
            return end.code, out.getvalue(), err.getvalue()
        return 0, out.getvalue(), err.getvalue()

    return command


@pytest.mark.django_db
def test_every_row_is_accounted_for_in_the_summary(run):
    code, summary, progress = run()
    assert code == 0
    assert summary.splitlines() == [
        "total: 3",
        "created: 2",
        "updated: 0",
        "unchanged: 0",
        "rejected: 1",
        "suppressed: 0",
        "consents ended: 0",
    ]
    assert "3 of 3 rows" in progress
    assert "line 4: Email: " in progress
    assert set(Contact.objects.values_list("owner", flat=True)) == {None}


def test_a_user_imports_as_owner_with_a_card_for_all(run, bob):
    options = ("--authorization-type", "consent", "--consent-date", "2026-03-01", "--consent-purpose", "Newsletter")
    assert run(*options, "--user", "bob", "--source-type", "other", "--source-other", "fair")[0] == 0
    assert set(Contact.objects.values_list("owner", flat=True)) == {bob.pk}
    cards = ComplianceCard.objects.values_list("authorization_type", "consent_purpose", "source_other")
    assert set(cards) == {(1, "Newsletter", "fair")}


@pytest.mark.django_db
def test_columns_can_be_mapped_and_a_dry_run_stores_nothing(run):
    content = "Wer,Wo=hin\r\nAnna,a@example.se\r\n"
    code, summary, _progress = run("--map", "Wer=first_name", "--map", "Wo=hin=email", "--dry-run", content=content)
    assert (code, "created: 1" in summary, Contact.objects.count()) == (0, True, 0)


@pytest.mark.parametrize(
    ("options", "content", "message"),
    [
        ((), "", "The file is empty."),
        ((), "Colour,Size\r\nred,1\r\n", "No column of the file is known as a name or an email address."),
        (("--consent-date", "1/3 2026"), ROWS, "“1/3 2026” is not a date. Write it as 2026-03-01."),
        (("--consent-date", "2026-03-01"), ROWS, "Only Consent has a date of consent."),
        (("--user", "nobody"), ROWS, "There is no user nobody."),
        (("--user", "charlie"), ROWS, "charlie has no right to import."),
        (("--map", "Nothing=email"), ROWS, "The file has no column “Nothing”."),
    ],
)
def test_what_cannot_be_imported_is_refused_in_one_line(run, charlie, options, content, message):
    assert run(*options, content=content) == (1, "", f"{message}\n")
    assert ImportJob.objects.count() == 0


@pytest.mark.django_db
def test_a_file_that_is_not_there_is_refused_in_one_line(run, tmp_path):
    missing = tmp_path / "missing.csv"
    assert run(name="missing.csv") == (1, "", f"{missing} cannot be read: No such file or directory.\n")


def test_a_file_of_which_nothing_came_in_ends_with_1(db, tmp_path, capsys):
    path = tmp_path / "people.csv"
    path.write_text("Email\nnot an address\nneither\n")
    with pytest.raises(SystemExit) as end:
        call_command("import_contacts", str(path))
    assert end.value.code == 1
    assert "rejected: 2" in capsys.readouterr().out

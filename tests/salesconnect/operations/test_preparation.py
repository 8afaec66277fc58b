"""What is prepared before the site opens, the second time too."""

import pytest
from django.core.management import call_command

from contacts.models import User
from salesconnect.embedded import EmbeddedError
from salesconnect.operations import preparation

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(settings, tmp_path):
    """Return the list that takes what is said; static files go to a folder of the test's own."""
    settings.STATIC_ROOT = tmp_path / "static"
    return []


def test_the_first_administrator_gets_a_password_that_is_said_once(said):
    preparation.prepare(said.append)
    preparation.prepare(said.append)
    sentence = next(line for line in said if "Sign in" in line)

    user = User.objects.get()
    assert (user.username, user.role) == ("admin", "administrator")
    assert user.check_password(sentence.removeprefix("Sign in as admin with the password ").split()[0])
    assert len([line for line in said if "Sign in" in line]) == 1


def test_a_password_of_the_environment_is_taken_and_not_said(said, monkeypatch):
    monkeypatch.setenv("SALESCONNECT_ADMIN_PASSWORD", "correct-horse-battery")
    preparation.prepare(said.append)

    assert User.objects.get().check_password("correct-horse-battery")
    assert said[-1] == "Sign in as admin with the password of SALESCONNECT_ADMIN_PASSWORD."


def test_nobody_is_made_where_there_is_an_administrator(said, alice):
    preparation.prepare(said.append)

    assert list(User.objects.all()) == [alice]


def test_static_files_are_collected_again_only_when_they_changed(said, settings, tmp_path):
    preparation.prepare(said.append)
    (settings.STATIC_ROOT / "mark").touch()
    preparation.prepare(said.append)
    kept = (settings.STATIC_ROOT / "mark").exists()

    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "new.css").touch()
    settings.STATICFILES_DIRS = [*settings.STATICFILES_DIRS, tmp_path / "source"]
    preparation.prepare(said.append)

    assert (kept, (settings.STATIC_ROOT / "mark").exists()) == (True, False)


def test_the_command_prepares_the_same(said, capsys):
    call_command("prepare")

    assert capsys.readouterr().out.startswith("Preparing the database and the static files\nSign in as admin")


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_number_that_is_no_port_is_refused(port):
    with pytest.raises(EmbeddedError, match=f"Port {port} of 127.0.0.1 cannot be used "):
        preparation.check_port(port)

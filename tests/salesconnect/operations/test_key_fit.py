"""Keys and database belong together: others than its own are refused before anything forgets a "no"."""

import datetime as dt
import json
import os
import secrets
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks
from django.utils import timezone

from compliance.suppression import erased, suppression
from contacts.models import Contact, KeyFingerprint
from salesconnect import embedded
from salesconnect.embedded import EmbeddedError
from salesconnect.lib import encryption
from salesconnect.operations import key_fit, preparation
from salesconnect.operations.key_fit import WrongKey
from tests.products.product import ROOT, UP, data_folder, environment, free_port
from unsubscribes.models import SyncConnection

NEW = "a-newer-key-that-nobody-guesses-0123456789"


@pytest.fixture
def known(db):
    """Let the database know the keys of the tests."""
    key_fit.check()


def test_the_keys_in_use_are_remembered_once(known):
    key_fit.check()
    assert sorted(KeyFingerprint.objects.values_list("name", flat=True)) == ["encryption", "suppression", "unsubscribe"]


OTHERS = {
    "SUPPRESSION_KEYS": ([NEW], "SALESCONNECT_SUPPRESSION_KEY"),
    "UNSUBSCRIBE_KEY": (NEW, "SALESCONNECT_UNSUBSCRIBE_KEY"),
    "ENCRYPTION_KEY": (Fernet.generate_key().decode(), "SALESCONNECT_ENCRYPTION_KEY"),
}


@pytest.mark.parametrize("setting", OTHERS)
def test_another_key_is_refused_by_everything_that_starts(known, settings, setting):
    value, variable = OTHERS[setting]
    setattr(settings, setting, value)
    for start in (key_fit.check, lambda: preparation.prepare([].append)):
        with pytest.raises(WrongKey, match=f"^{variable} does not fit this database"):
            start()


def test_a_new_key_in_front_of_the_old_is_taken_and_remembered(known, settings):
    settings.SUPPRESSION_KEYS = [NEW, *settings.SUPPRESSION_KEYS]
    settings.UNSUBSCRIBE_KEY = f"{NEW},{settings.UNSUBSCRIBE_KEY}"
    settings.ENCRYPTION_KEY = f"{Fernet.generate_key().decode()},{settings.ENCRYPTION_KEY}"
    key_fit.check()
    assert KeyFingerprint.objects.count() == 6


@pytest.mark.parametrize("held", ["a suppression", "a person", "the memory of an erasure"])
def test_an_old_key_that_rows_need_cannot_be_left_out(known, settings, person, held):
    anna = person(email="anna@example.com")
    if held == "a suppression":
        suppression.suppress_hashes([anna.address_hash], source="manual")
        Contact.objects.all().delete()
    if held == "the memory of an erasure":
        erased.remember({anna.address_hash: anna.address_hash_key}, timezone.now() + dt.timedelta(days=1))
        Contact.objects.all().delete()
    settings.SUPPRESSION_KEYS = [NEW, *settings.SUPPRESSION_KEYS]
    key_fit.check()
    settings.SUPPRESSION_KEYS = [NEW]
    with pytest.raises(
        WrongKey, match=r"^SALESCONNECT_SUPPRESSION_KEY lacks an older key that this database still needs"
    ):
        key_fit.check()


def test_after_the_change_of_a_key_the_old_one_is_forgotten(known, settings):
    settings.SUPPRESSION_KEYS = [NEW, *settings.SUPPRESSION_KEYS]
    key_fit.check()
    settings.SUPPRESSION_KEYS = [NEW]
    key_fit.check()
    assert KeyFingerprint.objects.filter(name="suppression").count() == 1


def test_an_encryption_key_is_needed_while_it_opens_something(known, settings):
    SyncConnection.objects.create(
        pk=1, login_url="https://x.example", client_id="x", secret=encryption.encrypt("s3cret")
    )
    old, new = settings.ENCRYPTION_KEY, Fernet.generate_key().decode()
    settings.ENCRYPTION_KEY = f"{new},{old}"
    key_fit.check()
    settings.ENCRYPTION_KEY = new
    with pytest.raises(WrongKey, match=r"^SALESCONNECT_ENCRYPTION_KEY lacks an older key"):
        key_fit.check()
    settings.ENCRYPTION_KEY = f"{new},{old}"
    SyncConnection.objects.update(secret=encryption.encrypt("s3cret"))
    settings.ENCRYPTION_KEY = new
    key_fit.check()


def test_a_key_derived_from_the_secret_of_the_site_may_change_while_it_encrypts_nothing(known, settings):
    settings.ENCRYPTION_KEY_IS_DERIVED, settings.ENCRYPTION_KEY = True, Fernet.generate_key().decode()
    key_fit.check()
    SyncConnection.objects.create(
        pk=1, login_url="https://x.example", client_id="x", secret=encryption.encrypt("s3cret")
    )
    settings.ENCRYPTION_KEY = Fernet.generate_key().decode()
    with pytest.raises(WrongKey):
        key_fit.check()


def test_what_is_no_encryption_key_is_refused(db, settings):
    settings.ENCRYPTION_KEY = "abc"
    with pytest.raises(WrongKey, match=r"^SALESCONNECT_ENCRYPTION_KEY is not a key"):
        key_fit.check()
    assert [found.id for found in run_checks()] == ["salesconnect.E002"]


WEAK = ("a", "k" * 50, "changeme" * 6, "0123456789", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab" * 2)
STRONG = (secrets.token_hex(16), secrets.token_urlsafe(32), secrets.token_urlsafe(48))


@pytest.mark.parametrize("key", WEAK)
@pytest.mark.parametrize("setting", ["SECRET_KEY", "UNSUBSCRIBE_KEY", "SUPPRESSION_KEYS"])
def test_a_key_that_can_be_guessed_does_not_pass_the_check(settings, setting, key):
    setattr(settings, setting, [key] if setting == "SUPPRESSION_KEYS" else key)
    errors = [found for found in run_checks(include_deployment_checks=True) if found.id == "salesconnect.E001"]
    assert len(errors) == 1


def test_a_strong_key_passes_and_an_old_weak_one_behind_it_is_a_warning(settings):
    for key in STRONG:
        settings.SUPPRESSION_KEYS = [key, "a"]
        found = run_checks(include_deployment_checks=True)
        assert [each.id for each in found if each.id.startswith("salesconnect.")] == ["salesconnect.W001"]


def test_no_keys_are_made_beside_a_database(tmp_path, monkeypatch):
    made = embedded.keys(tmp_path)
    assert embedded.keys(tmp_path) == made
    (tmp_path / "postgres").mkdir()
    assert embedded.keys(tmp_path) == made
    (tmp_path / "keys.json").unlink()
    with pytest.raises(EmbeddedError, match="bring the file back from the backup"):
        embedded.keys(tmp_path)
    assert not (tmp_path / "keys.json").exists()
    for name, key in made.items():
        monkeypatch.setenv(name, key)
    embedded.keys(tmp_path)


def test_a_data_folder_without_its_keys_is_refused_by_everything_in_one_line():
    with data_folder() as data:
        port = free_port()

        def run(*command, **extra):
            return subprocess.run(
                [sys.executable, *command], env=environment(data, port, **extra), cwd=ROOT, capture_output=True,
                text=True, timeout=300, check=False,
            )  # fmt: skip

        manage = str(ROOT / "manage.py")
        assert run(manage, "seed_contacts", "3").returncode == 0
        held = json.loads((data / "keys.json").read_text())
        other = {"SALESCONNECT_SUPPRESSION_KEY": secrets.token_urlsafe(32)}
        for command in ([manage, "seed_contacts", "3"], [manage, "prepare"], [manage, "migrate"], UP[1:]):
            answer = run(*command, **other)
            assert (answer.returncode, len(answer.stderr.splitlines())) == (2, 1), (command, answer)
            assert "SALESCONNECT_SUPPRESSION_KEY does not fit this database" in answer.stderr
        (data / "keys.json").unlink()
        for command in ([manage, "seed_contacts", "3"], [manage, "prepare"], UP[1:]):
            answer = run(*command)
            assert (answer.returncode, len(answer.stderr.splitlines())) == (2, 1), (command, answer)
            assert "keys.json is missing" in answer.stderr
        (data / "keys.json").write_text(json.dumps(held))
        with embedded.hold(data):
            programs = {
                "web": ("gunicorn", "-c", "python:salesconnect.serving.gunicorn_conf", "salesconnect.wsgi"),
                "worker": ("celery", "-q", "-A", "salesconnect", "worker", "--concurrency=1"),
                "beat": ("celery", "-q", "-A", "salesconnect", "beat", "--pidfile="),
            }
            for name, command in programs.items():
                answer = run("-m", *command, **other)
                assert answer.returncode == 2, (name, answer)
                assert "SALESCONNECT_SUPPRESSION_KEY does not fit this database" in answer.stderr, (name, answer)
        assert run(manage, "seed_contacts", "3").returncode == 0
    assert "SALESCONNECT_SUPPRESSION_KEY" not in os.environ

"""A key that is lost for good: what is lost is said first, what can be kept is kept, and the rest is on record."""

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.signals import connection_created

from compliance.models import Suppression
from compliance.suppression import suppression
from contacts.models import Contact, KeyFingerprint
from contacts.people.addresses import key_name, newest_key
from exports.erasure.erasure import erase
from salesconnect.lib import encryption
from salesconnect.lib.database import failures
from salesconnect.operations import key_fit, readiness
from salesconnect.operations.key_fit import WrongKey
from tests.exports.integrity.agreeing import differences
from tests.products.product import free_port
from unsubscribes.links import links
from unsubscribes.models import SyncConnection

NEW = "a-newer-key-that-nobody-guesses-0123456789"
HERE, LIKE_HERE, GONE = "anna@example.com", "anna+news@example.com", "gone@example.com"


@pytest.fixture
def known(db):
    """Let the database know the keys of the tests."""
    key_fit.check()


@pytest.fixture
def before(settings):
    """Return the keys with which the database was used."""
    return list(settings.SUPPRESSION_KEYS)


@pytest.fixture
def said_no(known, before, person, member, settings):
    """Lose the suppression key of a database in which somebody here said no, and somebody who is gone."""
    for address in (HERE, GONE, "may@example.com"):
        person(email=address)
    suppression.unsubscribe(Contact.objects.filter(email__in=[HERE, GONE]), actor=member, source="manual")
    gone = Contact.objects.get(email=GONE)
    links.make(gone)
    erase(gone.pk, actor=member)
    erase(person(email="left@example.com").pk, actor=member, on_request=True)
    settings.SUPPRESSION_KEYS = [NEW]


def give_up(capsys, name, *options) -> tuple[int, str]:
    """Return the exit code of the command and what it says."""
    try:
        call_command("give_up_key", name, *options)
        code = 0
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr()
    return code, said.out + said.err


def test_a_lost_key_is_refused_with_the_way_on(said_no):
    with pytest.raises(WrongKey, match=r"if it is lost for good, see `manage[.]py give_up_key suppression`"):
        key_fit.check()


def test_without_yes_it_says_what_is_lost_and_changes_nothing(said_no, before, capsys):
    code, said = give_up(capsys, "suppression")
    assert code == 1
    for line in (
        f"SALESCONNECT_SUPPRESSION_KEY lacks {key_name(before[0])}, which this database was used with.",
        "  2 people here, whose addresses are hashed anew",
        "  1 of them unsubscribed, who stay so",
        "  1 addresses that said no and belong to nobody here",
        "  1 addresses of people who asked to be erased",
        "  1 links in mails to addresses that nobody here has",
        "Nothing was changed. To give the key up: manage.py give_up_key suppression --yes",
    ):
        assert line in said
    with pytest.raises(WrongKey):
        key_fit.check()
    assert set(Contact.objects.values_list("address_hash_key", flat=True)) == {key_name(before[0])}


def test_who_is_here_keeps_the_no_and_what_is_lost_is_on_record(said_no, before, capsys, person):
    code, said = give_up(capsys, "suppression", "--yes")
    assert (code, "The key was given up" in said) == (0, True)
    key_fit.check()
    assert set(Contact.objects.values_list("address_hash_key", flat=True)) == {newest_key()}
    assert suppression.of_address(HERE) is not None
    assert person(email=LIKE_HERE).card.looks_opted_out
    record = KeyFingerprint.objects.get(fingerprint=key_name(before[0]))
    assert record.given_up_at is not None
    assert record.lost == {"suppressions": 1, "erased_addresses": 1, "links": 1}
    assert suppression.of_address(GONE) is None
    assert differences() == {}


def test_a_key_that_is_found_again_makes_good_what_was_lost(said_no, before, capsys, person, settings):
    give_up(capsys, "suppression", "--yes")
    settings.SUPPRESSION_KEYS = [NEW, *before]
    key_fit.check()
    assert person(email=GONE).card.unsubscribed
    record = KeyFingerprint.objects.get(fingerprint=key_name(before[0]))
    assert (record.given_up_at, record.lost) == (None, {})
    assert Suppression.objects.count() == 2


@pytest.mark.parametrize("name", ["suppression", "unsubscribe", "encryption"])
def test_a_key_that_is_there_cannot_be_given_up(known, capsys, name):
    code, said = give_up(capsys, name, "--yes")
    assert (code, "there is none to give up" in said) == (1, True)


def test_links_work_without_the_key_that_made_them(known, anna_link, capsys, settings):
    settings.UNSUBSCRIBE_KEY = NEW
    code, said = give_up(capsys, "unsubscribe", "--yes")
    assert (code, "1 links in mails, which go on working" in said) == (0, True)
    key_fit.check()
    assert links.opt_out(anna_link, source="one_click", reason="").changed == 1


@pytest.fixture
def anna_link(person):
    return links.make(person(email=HERE))


def test_secrets_that_no_key_opens_are_removed_so_that_they_can_be_entered_anew(known, bob, alice, capsys, settings):
    SyncConnection.objects.create(
        pk=1, login_url="https://x.example", client_id="x", secret=encryption.encrypt("s3cret")
    )
    Authenticator.objects.create(user=bob, type="totp", data={"secret": encryption.encrypt("ABC")})
    settings.ENCRYPTION_KEY = Fernet.generate_key().decode()
    Authenticator.objects.create(user=alice, type="totp", data={"secret": encryption.encrypt("DEF")})
    with pytest.raises(WrongKey, match="give_up_key encryption"):
        key_fit.check()
    code, said = give_up(capsys, "encryption")
    assert (code, Authenticator.objects.count()) == (1, 2)
    assert "  1 secrets of Salesforce" in said
    assert "  1 second steps of sign-in (bob)" in said
    assert give_up(capsys, "encryption", "--yes")[0] == 0
    key_fit.check()
    assert [row.user for row in Authenticator.objects.all()] == [alice]
    assert SyncConnection.objects.get().secret == ""
    assert KeyFingerprint.objects.get(given_up_at__isnull=False).lost == {"salesforce_secrets": 1, "second_steps": 1}


@pytest.fixture
def _quiet_afterwards():
    yield
    connection_created.disconnect(dispatch_uid=key_fit._check_when_back)
    KeyFingerprint.objects.all().delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_quiet_afterwards")
def test_keys_are_compared_before_the_first_statement_once_the_database_is_back(settings, monkeypatch, capsys):
    key_fit.check()
    before, settings.SUPPRESSION_KEYS = settings.SUPPRESSION_KEYS, [NEW]
    connection.close()
    with monkeypatch.context() as patch:
        patch.setattr(
            DatabaseWrapper,
            "get_connection_params",
            lambda _self: {"host": "127.0.0.1", "port": free_port(), "dbname": "x"},
        )
        assert key_fit.problem_at_start() == ""
        with pytest.raises(OperationalError):
            Contact.objects.exists()
    for _attempt in range(2):
        with pytest.raises(WrongKey, match="does not fit this database") as refusal:
            Contact.objects.create(last_name="Berg")
        assert failures.classify(refusal.value).status == 503
    assert "keys" in readiness.missing()
    assert "SALESCONNECT_SUPPRESSION_KEY does not fit this database" in capsys.readouterr().err
    settings.SUPPRESSION_KEYS = before
    assert not Contact.objects.exists()
    assert "keys" not in readiness.missing()
    settings.SUPPRESSION_KEYS = [NEW]
    connection.close()
    assert not Contact.objects.exists()

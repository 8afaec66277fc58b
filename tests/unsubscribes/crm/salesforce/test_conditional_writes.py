"""What the sync relies on in an org, and says where it is not so: the clock, and writing with a condition."""

import datetime as dt

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.utils import timezone

from tests.unsubscribes.crm.conftest import ACTOR, box, is_out
from unsubscribes.crm import clock
from unsubscribes.crm.connection import connecting
from unsubscribes.crm.models import SyncError
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError
from unsubscribes.crm.salesforce.api import auth

ANNA = {"FirstName": "Anna", "LastName": "Berg", "Email": "anna@example.com"}


@pytest.fixture
def returning(org, sync, person, unsubscribe, consent):
    """Return a person whose opt-out stands in Salesforce and who has consented anew, and the record."""
    anna = person(email="anna@example.com")
    [contact] = org.create("Contact", ANNA)
    sync()
    unsubscribe(anna)
    sync()
    consent(anna)
    return anna, contact


def line(what: str) -> tuple[bool, str]:
    return next((each.ok, each.found) for each in connecting.test(actor=ACTOR) if each.what == what)


def test_the_condition_is_proven_before_the_first_consent_is_written(org, sync, returning):
    anna, contact = returning
    org.clear_journal()
    assert (sync().state, box(org, contact), is_out(anna)) == ("done", False, False)
    dates = [entry["headers"].get("if-unmodified-since", "") for entry in org.journal(method="PATCH")]
    assert (len(dates), "1999" in dates[0]) == (2, True)


def test_no_consent_is_written_where_a_condition_is_ignored(org, sync, returning):
    anna, contact = returning
    org.settings(ignores_unmodified_since=True)
    run = sync()
    assert (run.errors > 0, box(org, contact), is_out(anna)) == (True, True, False)
    assert SyncError.objects.get().code == "UNCONDITIONAL_WRITES"
    assert sync().changed == 0
    assert line("Careful writing")[0] is False
    org.settings(ignores_unmodified_since=False)
    assert line("Careful writing")[0] is True
    assert (sync().errors, box(org, contact)) == (0, False)


def test_the_test_of_the_connection_changes_nothing(org, connected, sync):
    [contact] = org.create("Contact", ANNA)
    stamp = org.record(contact)["SystemModstamp"]
    assert line("Careful writing")[0] is True
    assert org.record(contact)["SystemModstamp"] == stamp


def test_a_clock_that_differs_is_named_in_the_test(org, connected):
    assert line("Clock")[0] is True
    org.clock(offset=600)
    ok, words = line("Clock")
    assert (ok, "10 minutes behind" in words) == (False, True)


def test_a_signed_assertion_that_ended_by_salesforces_clock_names_the_clocks(org, connected):
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    org.app(public_key=public.decode(), approved=[org.username])
    row = connecting.connect({"flow": "jwt_bearer", "username": org.username, "secret": pem.decode()}, actor=ACTOR)
    org.clock(offset=3_600)
    with pytest.raises(ProviderError) as refused:
        auth.request_token(row)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.AUTH, clock.CODE)
    assert "60 minutes behind" in refused.value.message


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "5 seconds behind"), (-90, "90 seconds ahead"), (600, "10 minutes behind"), (-7_300, "122 minutes ahead")],
)
def test_how_far_clocks_differ_is_said_in_words(seconds, words):
    assert words in clock.words(dt.timedelta(seconds=seconds), "Salesforce")


def test_an_answer_without_a_time_tells_nothing_of_the_clock():
    assert clock.ahead(None) is clock.ahead("soon") is None
    assert not clock.is_off(None)
    there = clock.ahead(f"{timezone.now():%a, %d %b %Y %H:%M:%S} GMT")
    assert not clock.is_off(there)

"""The second step of sign-in, whose secrets nobody reads in the database."""

import importlib
import json
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY, TOTP, format_hotp_value, hotp_value
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.cache import cache
from django.test import Client

from contacts.accounts import second_step

PASSWORD = "correct-horse-battery"
SECRET, SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "a1b2c3d4e5f6"
migration = importlib.import_module("contacts.migrations.0010_sealed_second_steps")


@pytest.fixture(autouse=True)
def no_tries_counted(db):
    """Forget which codes were used, and how often one was tried."""
    cache.clear()


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def stored() -> str:
    return json.dumps(list(Authenticator.objects.values_list("data", flat=True)))


def in_the_clear(user) -> None:
    """Store both as a version did that did not encrypt."""
    Authenticator.objects.create(user=user, type="totp", data={"secret": SECRET})
    Authenticator.objects.create(user=user, type="recovery_codes", data={"seed": SEED, "used_mask": 0})


def step(user, kind: str):
    row = Authenticator.objects.get(user=user, type=kind)
    return TOTP(row) if kind == "totp" else RecoveryCodes(row)


def signs_in(user, given: str) -> bool:
    client = Client()
    client.post("/accounts/login/", {"login": user.username, "password": PASSWORD})
    return client.post("/accounts/2fa/authenticate/", {"code": given}).status_code == 302


def test_who_turns_it_on_leaves_no_secret_that_can_be_read(signed_in, bob):
    signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})
    signed_in.get("/accounts/2fa/totp/activate/")
    secret = signed_in.session[SECRET_SESSION_KEY]
    assert signed_in.post("/accounts/2fa/totp/activate/", {"code": code(secret)}).status_code == 302
    codes = step(bob, "recovery_codes").get_unused_codes()
    assert secret not in stored() + str(dict(signed_in.session))
    assert all(each not in stored() for each in codes)
    held = [row.data.get("secret") or row.data["seed"] for row in Authenticator.objects.all()]
    assert all(map(second_step.is_encrypted, held))
    cache.clear()
    assert signs_in(bob, code(secret))
    assert signs_in(bob, codes[0])
    assert not signs_in(bob, codes[0])


def test_what_was_stored_in_the_clear_still_works_and_is_encrypted_by_the_migration(bob):
    in_the_clear(bob)
    codes = step(bob, "recovery_codes").get_unused_codes()
    assert signs_in(bob, code(SECRET))
    for _twice in range(2):
        migration.seal_all(apps, None)
    assert (SECRET in stored(), SEED in stored()) == (False, False)
    cache.clear()
    assert signs_in(bob, code(SECRET))
    assert step(bob, "recovery_codes").get_unused_codes() == codes
    migration.open_all(apps, None)
    assert (SECRET in stored(), SEED in stored()) == (True, True)


def test_keys_rotate(settings, bob):
    in_the_clear(bob)
    old, new = settings.ENCRYPTION_KEY, Fernet.generate_key().decode()
    assert second_step.reencrypt() == 2
    settings.ENCRYPTION_KEY = f"{new}, {old}"
    assert signs_in(bob, code(SECRET))
    second_step.reencrypt()
    settings.ENCRYPTION_KEY = new
    cache.clear()
    assert signs_in(bob, code(SECRET))
    assert step(bob, "recovery_codes").generate_codes()


def test_without_its_key_no_code_fits_not_even_that_of_an_empty_secret(settings, bob):
    in_the_clear(bob)
    migration.seal_all(apps, None)
    before = stored()
    settings.ENCRYPTION_KEY = Fernet.generate_key().decode()
    for given in (code(SECRET), code("")):
        assert not signs_in(bob, given)
    second_step.reencrypt()
    assert stored() == before

"""What every answer carries, and what leaves the site by itself."""

import re
import runpy

import pytest
from django.conf import settings as site
from django.core import mail
from django.core.management import call_command
from django.test import Client

PRIVATE = ["/people/", "/people/{anna}/", "/compliance/", "/mails/", "/settings/", "/nowhere/", "/accounts/login/"]


@pytest.mark.parametrize("path", [*PRIVATE, "/api/v1/contacts/", "/api/v1/nowhere/", "/u/x/"])
def test_no_cache_keeps_an_answer(signed_in, person, path):
    answer = signed_in.get(path.format(anna=person().pk))
    assert "no-store" in answer.headers["Cache-Control"]


def test_messages_are_in_the_session_and_in_no_cookie(signed_in, person):
    anna = person()
    answer = signed_in.post(f"/people/{anna.pk}/delete/", {"confirmation": "anna@example.com"}, follow=True)
    assert "The person was deleted." in answer.content.decode()
    assert set(signed_in.cookies) <= {site.SESSION_COOKIE_NAME, site.CSRF_COOKIE_NAME}


@pytest.fixture
def mails(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.EMAIL_URL = "smtp://localhost"
    mail.outbox = []
    return mail.outbox


def test_a_stranger_makes_the_system_mail_nobody(db, mails):
    answer = Client().post("/accounts/password/reset/", {"email": "anybody@example.com"})
    assert (answer.status_code, mails) == (302, [])


def test_a_link_to_a_new_password_is_on_the_sites_own_address(alice, mails, settings):
    settings.ALLOWED_HOSTS = ["*"]
    settings.SITE_URL = "https://people.example.com"
    Client().post("/accounts/password/reset/", {"email": alice.email}, headers={"Host": "evil.example.net"})
    [sent] = mails
    assert re.findall(r"https?://[^/\s]+", sent.body) == ["https://people.example.com"]


@pytest.mark.parametrize(
    ("url", "chosen", "seconds"),
    [
        ("https://x.example", None, 3600),
        ("https://x.example", "0", 0),
        ("https://x.example", "31536000", 31536000),
        ("http://x.example", "60", 0),
    ],
)
def test_https_alone_is_demanded_for_as_long_as_somebody_decided(url, chosen, seconds, monkeypatch):
    monkeypatch.setenv("SALESCONNECT_URL", url)
    monkeypatch.delenv("SALESCONNECT_HSTS", raising=False)
    if chosen is not None:
        monkeypatch.setenv("SALESCONNECT_HSTS", chosen)
    found = runpy.run_path(str(site.BASE_DIR / "salesconnect" / "settings.py"))
    preload, subdomains = (found.get(f"SECURE_HSTS_{name}", False) for name in ("PRELOAD", "INCLUDE_SUBDOMAINS"))
    assert (found["SECURE_HSTS_SECONDS"], preload, subdomains) == (seconds, False, False)


def test_the_checks_for_deployment_find_nothing(settings, monkeypatch):
    # The browser's tests set it for the process in which they run.
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    call_command("check", "--deploy", "--fail-level", "WARNING")

"""Roots on their ways out, to real servers: HTTPS with a certificate of its own, OpenSSL as timestamp authority."""

import datetime as dt
import hmac
import json
import ssl
import subprocess
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.core import mail
from django.utils import timezone

from contacts import tasks
from contacts.events import history
from contacts.models import RootDelivery, RootTimestamp, Seal
from contacts.sealing import delivery, destinations, sealing
from salesconnect.lib.actor import system
from salesconnect.lib.errors import Forbidden, Invalid

NOWHERE = {"mail_to": "", "webhook_url": "", "timestamp_url": ""}
TSA = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
signer_cert = {folder}/cert.pem
signer_key = {folder}/key.pem
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
"""


@pytest.fixture(autouse=True)
def this_machine_is_called(settings):
    """Let the servers of these tests be called, which only lie on this machine."""
    settings.OUTGOING_HOSTS = ["127.0.0.1"]


@pytest.fixture
def certificate(tmp_path):
    """Return a folder with key and certificate of 127.0.0.1, which may also sign timestamps."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Here")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    stamping = (
        x509.CertificateBuilder(
            signed.issuer, signed.subject, key.public_key(), 7, signed.not_valid_before_utc, signed.not_valid_after_utc
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    (tmp_path / "web.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "cert.pem").write_bytes(stamping.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "serial").write_text("01")
    (tmp_path / "tsa.cnf").write_text(TSA.format(folder=tmp_path))
    return tmp_path


class Taken:
    """What a server was sent, and how it answers."""

    def __init__(self, answer):
        self.requests, self.status, self.answer = [], 200, answer


@contextmanager
def server(answer, secured=None):
    taken = Taken(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.requests.append((dict(self.headers), body))
            content = taken.answer(body)
            self.send_response(taken.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        if secured:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(secured / "web.pem", secured / "key.pem")
            running.socket = context.wrap_socket(running.socket, server_side=True)
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        taken.url = f"{'https' if secured else 'http'}://127.0.0.1:{running.server_port}/"
        yield taken
        running.shutdown()
        thread.join()


def another_seal():
    history.record([1], history.EXPORTED, actor=system("command"))
    sealing.seal_open()
    return Seal.objects.latest("number")


@pytest.fixture
def webhook(certificate, monkeypatch):
    """Return a server that takes what a webhook is sent, under a certificate that this process trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "web.pem"))
    with server(lambda _body: b"", certificate) as taken:
        yield taken


def test_a_webhook_gets_each_root_signed(webhook, administrator):
    destinations.change(NOWHERE | {"webhook_url": webhook.url}, actor=administrator)
    seal = another_seal()
    assert (delivery.send_due(), delivery.send_due()) == (1, 0)
    [(headers, body)] = webhook.requests
    assert json.loads(body) == delivery.root_message(seal)
    expected = hmac.new(destinations.secret(webhook.url).encode(), body, sha256).hexdigest()
    assert headers["X-Signature-SHA256"] == expected
    another_seal()
    tasks.send_roots()
    assert [json.loads(body)["seal"] for _headers, body in webhook.requests] == [1, 2]


def test_what_fails_is_tried_again_later_with_the_newest_root(webhook, administrator):
    destinations.change(NOWHERE | {"webhook_url": webhook.url}, actor=administrator)
    another_seal()
    webhook.status = 500
    assert (delivery.send_due(), delivery.send_due()) == (0, 0)
    row = RootDelivery.objects.get()
    assert (row.sent, row.attempts, row.error) == (0, 1, "The webhook answered 500.")
    assert row.not_before > timezone.now() + dt.timedelta(seconds=50)
    another_seal()
    webhook.status = 204
    RootDelivery.objects.update(not_before=timezone.now())
    assert delivery.send_due() == 1
    row.refresh_from_db()
    assert (row.sent, row.attempts, row.error) == (2, 0, "")


def test_a_redirect_or_a_server_that_is_away_is_a_failure(webhook, administrator):
    webhook.status = 302
    for url in (webhook.url, "https://127.0.0.1:1/"):
        destinations.change(NOWHERE | {"webhook_url": url}, actor=administrator)
        another_seal()
        assert delivery.send_due() == 0
        assert RootDelivery.objects.get().error


def test_mail_goes_once_a_day(administrator, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    destinations.change(NOWHERE | {"mail_to": "lawyer@example.com"}, actor=administrator)
    seal = another_seal()
    assert delivery.send_due() == 1
    another_seal()
    assert delivery.send_due() == 0
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == (["lawyer@example.com"], "Root of seal 1")
    assert bytes(seal.root).hex() in sent.body


def test_without_a_mail_server_the_mail_waits(administrator, settings):
    settings.EMAIL_BACKEND = "unsubscribes.mail.sending.backends.OutboxBackend"
    destinations.change(NOWHERE | {"mail_to": "lawyer@example.com"}, actor=administrator)
    another_seal()
    assert delivery.send_due() == 0
    assert RootDelivery.objects.get().error == "No mail server is configured."


def openssl(folder, *words, stdin=b""):
    done = subprocess.run(
        ["openssl", "ts", *map(str, words)], cwd=folder, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def authority(certificate):
    """Return a timestamp authority."""

    def reply(query):
        (certificate / "query.tsq").write_bytes(query)
        words = ("-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr")
        openssl(certificate, *words)
        return (certificate / "reply.tsr").read_bytes()

    with server(reply) as taken:
        yield taken


def test_a_timestamp_authority_signs_the_root_and_openssl_verifies_it(authority, administrator, certificate):
    destinations.change(NOWHERE | {"timestamp_url": authority.url}, actor=administrator)
    seal = another_seal()
    assert delivery.send_due() == 1
    stamp = RootTimestamp.objects.get()
    assert (stamp.seal_number, stamp.authority) == (1, authority.url)
    assert abs(stamp.at - seal.sealed_at) < dt.timedelta(minutes=5)
    (certificate / "token").write_bytes(bytes(stamp.token))
    (certificate / "root").write_text(bytes(seal.root).hex())
    words = ("-verify", "-data", "root", "-in", "token", "-token_in", "-CAfile", "cert.pem", "-untrusted", "cert.pem")
    assert b"OK" in openssl(certificate, *words)


def test_a_timestamp_of_something_else_is_refused(authority, administrator):
    destinations.change(NOWHERE | {"timestamp_url": authority.url}, actor=administrator)
    right, replies = authority.answer, []

    def the_first_again(query):
        replies.append(right(query))
        return replies[0]

    authority.answer = the_first_again
    another_seal()
    assert delivery.send_due() == 1
    RootDelivery.objects.update(not_before=timezone.now())
    another_seal()
    assert delivery.send_due() == 0
    assert RootDelivery.objects.get().error == "The timestamp is not about this root."
    authority.answer = lambda _query: b"nonsense"
    RootDelivery.objects.update(not_before=timezone.now())
    assert delivery.send_due() == 0


def test_only_administrators_set_where_roots_go_and_only_to_safe_addresses(administrator, member):
    with pytest.raises(Forbidden):
        destinations.change(NOWHERE, actor=member)
    with pytest.raises(Invalid):
        destinations.change(NOWHERE | {"webhook_url": "http://example.com/"}, actor=administrator)


@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
def test_no_root_goes_into_the_network_of_the_site(settings, administrator, host):
    settings.OUTGOING_HOSTS = []
    for name in ("webhook_url", "timestamp_url"):
        with pytest.raises(Invalid) as refusal:
            destinations.change(NOWHERE | {name: f"https://{host}/"}, actor=administrator)
        assert list(refusal.value.fields) == [name]


def test_a_place_that_was_set_before_or_has_moved_inside_is_not_called(settings, webhook, authority, administrator):
    destinations.change(NOWHERE | {"webhook_url": webhook.url, "timestamp_url": authority.url}, actor=administrator)
    another_seal()
    settings.OUTGOING_HOSTS = []
    assert delivery.send_due() == 0
    assert (webhook.requests, authority.requests) == ([], [])
    assert all("not in the public internet" in row.error for row in RootDelivery.objects.all())


def test_a_way_that_is_set_anew_gets_the_newest_root_at_once(webhook, administrator):
    destinations.change(NOWHERE | {"webhook_url": webhook.url}, actor=administrator)
    another_seal()
    delivery.send_due()
    destinations.change(NOWHERE | {"webhook_url": webhook.url + "other"}, actor=administrator)
    assert delivery.send_due() == 1

"""Requests to hosts that somebody typed in reach the public internet alone, and end."""

import socket
import time
from contextlib import contextmanager
from ipaddress import ip_address
from threading import Event, Thread

import pytest

from salesconnect.lib.web import outgoing
from salesconnect.lib.web.outgoing import HostRefused, Undelivered, check, is_public, post

NOT_PUBLIC = [
    "127.0.0.1",
    "127.8.9.10",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:7f00:1::80ff:fffe",
    "fe80::1",
    "fec0::1",
    "fd00::1",
    "ff02::1",
    "2001:db8::1",
]
PUBLIC = ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]


@contextmanager
def serving(answer):
    """Serve one connection after another with the function `answer`; yields the address and what was asked."""
    asked, stop = [], Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def serve():
            while not stop.is_set():
                try:
                    link, _from = listener.accept()
                except TimeoutError:
                    continue
                with link:
                    link.settimeout(5)
                    try:
                        asked.append(link.recv(65_536))
                        answer(link, stop)
                    except OSError:
                        continue

        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", asked
        stop.set()
        thread.join()


def plainly(text: bytes):
    return lambda link, _stop: link.sendall(text)


@pytest.fixture
def inside_is_called(settings):
    settings.OUTGOING_HOSTS = ["127.0.0.1", "internal.example"]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_none(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_one(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0"])
def test_this_machine_is_not_called_however_it_is_written(host):
    with serving(plainly(b"HTTP/1.1 200 OK\r\n\r\n")) as (url, asked):
        port = url.rpartition(":")[2]
        with pytest.raises(HostRefused):
            post(f"http://{host}:{port}", b"", {})
        with pytest.raises(HostRefused):
            check(f"http://{host}:{port}")
    assert asked == []


@pytest.mark.parametrize(
    "url", ["", "http://", "ftp://example.com/", "http://a:99999/", "http://[::1/", "//example.com/"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(HostRefused):
        post(url, b"", {})


def test_a_name_with_one_address_inside_is_not_called(monkeypatch):
    def resolve(*_args, **_options):
        return [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", ("10.0.0.1", 80))]

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolve)
    with pytest.raises(HostRefused):
        post("http://rebinding.example/", b"", {})


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch, inside_is_called):
    """A name server that says something else the second time is not asked a second time."""
    with serving(plainly(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")) as (url, asked):
        port, names = int(url.rstrip("/").rpartition(":")[2]), []
        real = socket.getaddrinfo

        def resolve(host, *args, **options):
            if host != "internal.example":
                return real(host, *args, **options)
            names.append(host)
            return [(2, 1, 6, "", ("127.0.0.1" if len(names) == 1 else "10.255.255.1", port))]

        monkeypatch.setattr(outgoing.socket, "getaddrinfo", resolve)
        assert post(f"http://internal.example:{port}/x?y=1", b"body", {"X-One": "1"}).content == b"OK"
    assert names == ["internal.example"]
    head = asked[0].decode()
    assert head.startswith("POST /x?y=1 HTTP/1.1\r\n")
    assert f"Host: internal.example:{port}\r\n" in head
    assert "X-One: 1\r\n" in head


def test_a_redirect_is_an_answer_and_is_not_followed(inside_is_called):
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    with serving(plainly(moved)) as (url, asked):
        assert post(url, b"", {}).status == 302
    assert len(asked) == 1


@pytest.mark.parametrize("length", [b"Content-Length: 5000\r\n", b""])
def test_an_answer_that_is_too_large_is_none(inside_is_called, length):
    with serving(plainly(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + b"x" * 5000)) as (url, _asked):
        with pytest.raises(Undelivered, match="too large"):
            post(url, b"", {}, largest=4999)
        assert len(post(url, b"", {}, largest=5000).content) == 5000


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_a_host_that_sends_a_byte_now_and_then_does_not_hold_the_line(inside_is_called, begin):
    def drip(link, stop):
        link.sendall(begin)
        while not stop.wait(0.05):
            link.sendall(b"x")

    with serving(drip) as (url, _asked), pytest.raises(Undelivered, match="too long"):
        post(url, b"", {}, seconds=0.5)


def test_a_host_that_never_shakes_hands_does_not_hold_the_line(inside_is_called):
    def silent(_link, stop):
        while not stop.wait(0.05):
            time.sleep(0)

    with serving(silent) as (url, _asked), pytest.raises(Undelivered, match="too long"):
        post(url.replace("http:", "https:"), b"", {}, seconds=0.5)


@pytest.mark.parametrize("answer", [b"", b"nonsense", b"HTTP/1.1 x OK\r\n\r\n"])
def test_an_answer_that_is_none_is_said_to_be(inside_is_called, answer):
    with serving(plainly(answer)) as (url, _asked), pytest.raises(Undelivered, match=r"127.0.0.1 gave no answer"):
        post(url, b"", {})


def test_a_name_in_the_address_signs_in(inside_is_called):
    with serving(plainly(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) as (url, asked):
        post(url.replace("//", "//anna:a%40b@"), b"", {})
    assert b"Authorization: Basic YW5uYTphQGI=" in asked[0]

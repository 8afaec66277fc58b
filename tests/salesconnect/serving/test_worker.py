"""The web server in a process of its own, with clients that keep it waiting."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest

from tests.products.product import ROOT, free_port, until

APPLICATION = """
import pathlib, time
import salesconnect.serving.arrival as arrival
arrival.HEAD_SECONDS = arrival.BODY_SECONDS = float({patience})

def application(environ, start):
    body = environ["wsgi.input"].read()
    while environ["PATH_INFO"].endswith("/hang") and not pathlib.Path("go").exists():
        time.sleep(0.05)
    start("200 OK", [("Content-Length", str(len(str(len(body)))))])
    return [str(len(body)).encode()]
"""
HALVES = (
    b"",
    b"GET /",
    b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nList",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab",
)


class Site:
    """Gunicorn with one process, two threads and an application that tells how long a body was."""

    def __init__(self, folder, patience: float) -> None:
        self.folder, self.port = folder, free_port()
        (folder / "application.py").write_text(APPLICATION.format(patience=patience))
        options = ["--bind", f"127.0.0.1:{self.port}", "--threads", "2", "--worker-connections", "100"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *options, "-k", "salesconnect.serving.worker.Worker", "application"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"},
        )
        until(self.answers)

    def answers(self) -> bool:
        try:
            return self.ask("GET", "/") == (200, b"0")
        except OSError:
            return False

    def ask(self, method: str, path: str, body=None, **headers: str) -> tuple[int, bytes]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=20)) as client:
            client.request(method, path, body, headers)
            answer = client.getresponse()
            return answer.status, answer.read()

    def open(self, begin: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        client.sendall(begin)
        return client


@pytest.fixture
def start(tmp_path) -> Iterator:
    with ExitStack() as stack:

        def begin(patience: float = 60) -> Site:
            site = Site(tmp_path, patience)
            stack.callback(site.process.wait)
            stack.callback(site.process.terminate)
            return site

        yield begin


@pytest.mark.parametrize("half", HALVES, ids=["silence", "head", "body", "chunk"])
def test_clients_that_stop_half_way_keep_nobody_waiting(start, half):
    site = start()
    with ExitStack() as stack:
        for _each in range(60):
            stack.enter_context(site.open(half))
        assert [site.ask("POST", "/u/x", b"List") for _each in range(20)] == [(200, b"4")] * 20


LAST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close"
WORDS = [b"", b"HTTP/1.1 408 ", b"HTTP/1.1 408 ", b"HTTP/1.1 408 "]


@pytest.mark.parametrize(("half", "word"), list(zip(HALVES, WORDS, strict=True)))
def test_what_does_not_arrive_in_time_is_given_up(start, half, word):
    site = start(patience=0.2)
    with site.open(half) as client:
        assert client.makefile("rb").read().startswith(word)


def test_more_clients_than_there_are_places_push_the_oldest_out(start):
    site = start()
    with ExitStack() as stack:
        for _each in range(150):
            stack.enter_context(site.open(HALVES[2]))
        assert site.ask("POST", "/", b"12345") == (200, b"5")


def test_health_and_links_are_answered_while_all_threads_wait(start):
    site = start()
    with ExitStack() as stack:
        for _each in range(5):
            stack.enter_context(site.open(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert site.ask("GET", "/healthz") == (200, b"0")
        assert site.ask("POST", "/u/x/", b"List-Unsubscribe=One-Click") == (200, b"26")
        (site.folder / "go").touch()


def test_health_is_answered_while_all_links_wait(start):
    site = start()
    with ExitStack() as stack:
        for _each in range(5):
            stack.enter_context(site.open(b"POST /u/hang HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"))
        assert [site.ask("GET", path) for path in ("/healthz", "/readyz")] == [(200, b"0")] * 2
        (site.folder / "go").touch()


def test_a_large_body_for_a_link_is_refused_and_others_are_answered(start):
    site = start()
    with site.open(b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\n") as client:
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 413 ")
    assert site.ask("POST", "/u/x", b"List") == (200, b"4")


def test_requests_come_in_every_form_that_http_knows(start):
    site = start()
    assert site.ask("POST", "/", b"x" * 3_000_000) == (200, b"3000000")
    assert site.ask("POST", "/", iter([b"abc", b"defg"])) == (200, b"7")  # in chunks
    two = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab" + LAST + b"\r\n\r\n"
    with site.open(two) as client:
        answers = client.makefile("rb").read()
    assert (answers.count(b"200 OK"), answers.endswith(b"\r\n\r\n0")) == (2, True)
    with site.open(
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"
    ) as client:
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert client.makefile("rb").read().endswith(b"\r\n\r\n3")
    with site.open(b"nonsense\r\n\r\n") as client:
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 400")

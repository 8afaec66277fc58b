"""Where a request ends, however its bytes are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesconnect.serving import arrival
from salesconnect.serving.arrival import IncomingRequest

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /u/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab\r\nc"
CODED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
# Both chunks hold bytes that look like the end.
CHUNKED = CODED + b"3;x=y\r\n\r\n0\r\n" + b"0A\r\n0\r\n\r\n0\r\n\r\n\r\n" + b"0\r\nEnd: x\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\n\r\n"


def stored(arrival: IncomingRequest) -> bytes:
    arrival.stored.seek(0)
    return arrival.stored.read()


@pytest.mark.parametrize("request_", [GET, POST, CHUNKED])
@given(cuts=st.sets(st.integers(1, 150)), more=st.sampled_from([b"", NEXT]))
def test_a_request_ends_where_it_ends_however_it_is_cut(request_, cuts, more):
    sent = request_ + more
    places = [0, *sorted(cut for cut in cuts if cut < len(sent)), len(sent)]
    found, came = IncomingRequest(), 0
    for start, end in itertools.pairwise(places):
        if found.whole:
            break
        found.feed(sent[start:end])
        came = end
    assert (found.whole, stored(found) + found.surplus) == (True, sent[:came])
    assert stored(found) == request_


@pytest.mark.parametrize("request_", [GET, POST, CHUNKED])
def test_it_is_not_whole_before_its_last_byte(request_):
    found = IncomingRequest()
    for place in range(len(request_) - 1):
        found.feed(request_[place : place + 1])
        assert not found.whole


def test_a_client_that_waits_for_a_word_gets_it_from_here():
    found = IncomingRequest()
    found.feed(b"POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
    assert (found.wants_word, found.whole) == (True, False)
    found.feed(b"x")
    assert stored(found) == b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"


@pytest.mark.parametrize(
    "wrong",
    [
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 9_000,
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"x" * 200_000,
        b"\r\n\r\n",
    ],
)
def test_what_is_no_request_is_for_the_parser_to_refuse(wrong):
    found = IncomingRequest()
    found.feed(wrong)
    assert found.whole


def test_a_body_that_is_too_large_is_known_by_its_head_or_its_size(monkeypatch):
    monkeypatch.setattr(arrival, "LARGEST_BODY", 10)
    told, untold = IncomingRequest(), IncomingRequest()
    told.feed(b"POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n")
    untold.feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0f\r\n012345")
    untold.feed(b"6789ab")
    assert (told.too_large, untold.too_large) == (True, True)


@pytest.mark.parametrize("path", [b"/u/abc", b"//U/abc/", b"/accounts/login/?next=/", b"/webhooks/x/", b"/readyz"])
def test_a_stranger_sends_no_large_body(path):
    length = str(arrival.LARGEST_ANONYMOUS_BODY + 1).encode()
    told, untold, inside = IncomingRequest(), IncomingRequest(), IncomingRequest()
    told.feed(b"POST " + path + b" HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n")
    untold.feed(b"POST " + path + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n")
    untold.feed(b"x" * (arrival.LARGEST_ANONYMOUS_BODY + 1))
    inside.feed(b"POST /people/import/ HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\n")
    assert (told.too_large, untold.too_large, inside.too_large) == (True, True, False)


def test_no_body_takes_the_last_of_the_disk(monkeypatch):
    found = IncomingRequest()
    found.feed(b"POST /people/import/ HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + b"x" * arrival.IN_MEMORY)
    monkeypatch.setattr(arrival, "KEPT_FREE", 2**62)
    monkeypatch.setattr(arrival, "SMALL_PART", 1)
    with pytest.raises(OSError, match="No space left"):
        found.feed(b"x")


def test_the_body_gets_more_time_the_more_of_it_comes():
    found = IncomingRequest()
    head = found.deadline
    found.feed(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
    empty = found.deadline
    found.feed(b"x" * arrival.BYTES_A_SECOND * 60)
    assert (head < empty, found.deadline - empty) == (True, 60)

"""The flight recorder keeps what happened and nobody's data."""

import pytest

from unsubscribes.crm import flight
from unsubscribes.crm.flight import MOST_CALLS, FlightRecorder, without_ids
from unsubscribes.crm.provider_errors import ErrorKind, ProviderError


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("limits", "limits"),
        ("/services/data/v67.0/query", "/services/data/v67.0/query"),
        ("sobjects/Contact/003Ab00000XyZ12AAA", "sobjects/Contact/…"),
        ("query/01gAb-2000?q=anna", "query/…"),
        ("people/anna@example.com/box", "people/…/box"),
    ],
)
def test_of_a_path_ids_and_addresses_are_left_out(path, kept):
    assert without_ids(path) == kept


def test_a_call_that_fails_is_kept_with_its_code():
    recorder = FlightRecorder()
    with pytest.raises(ProviderError), recorder.call("GET", "limits"):
        raise ProviderError(ErrorKind.TRANSIENT, "NO_ANSWER")
    [call] = recorder.calls
    assert (call["method"], call["path"], call["status"], call["ms"] >= 0) == ("GET", "limits", "NO_ANSWER", True)


def test_the_last_calls_of_all_turns_are_kept():
    recorder = FlightRecorder()
    for number in range(MOST_CALLS + 5):
        with recorder.call("GET", "limits") as call:
            call["status"] = str(number)
    before = flight.kept([], recorder)
    assert [len(before), before[0]["status"], before[-1]["status"]] == [MOST_CALLS, "5", str(MOST_CALLS + 4)]
    later = FlightRecorder()
    with later.call("GET", "query") as call:
        call["status"] = "200"
    assert [call["status"] for call in flight.kept(before, later)[-2:]] == [str(MOST_CALLS + 4), "200"]

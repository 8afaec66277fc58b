"""The proof of an event, judged by a program that stands alone."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.events import history
from contacts.models import Contact, ContactEvent, SealedLeaf
from contacts.sealing import proof, sealing, tree
from exports import verify_proof
from exports.erasure import erasure
from salesconnect.lib.actor import system
from tests.contacts.sealing.test_tree import VALUES

# Fixtures are not changed, and a busy machine is no fault of the program.
ANYHOW = settings(suppress_health_check=list(HealthCheck), deadline=None)
PROGRAM = Path(verify_proof.__file__)


def holds(content, root=""):
    """Tell whether a file proves its event; whatever it holds, nothing else may come of it."""
    try:
        verify_proof.verify(content, root)
    except verify_proof.ProofError:
        return False
    return True


def written(value):
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def run(*words):
    command = [sys.executable, "-I", str(PROGRAM), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def events(person, db):
    """Return the numbers of five events in one seal, with letters and quotes that JSON has to escape."""
    for number in range(5):
        person(last_name=f'Åberg “{number}” \\ "', email=f"berg{number}@example.com", other="Mässan\n2026")
    for contact in Contact.objects.all():
        words = 'Därför "så" \\ \x07'
        history.record([contact.pk], history.EXPORTED, actor=system("command"), changes={"reason": (None, words)})
    sealing.seal_open()
    return list(ContactEvent.objects.order_by("id").values_list("id", flat=True))


@pytest.fixture
def proved(events, member):
    """Return the proof of an event in the middle."""
    return proof.of_event(events[6], actor=member)


def test_every_event_of_a_seal_is_proved(events, member):
    for event in events:
        found = proof.of_event(event, actor=member)
        assert holds(written(found), found["root"])
    assert len({found["root"]}) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33])
def test_every_place_in_a_tree_of_any_size_is_proved(person, member, size):
    history.record(range(size), history.EXPORTED, actor=system("command"))
    sealing.seal_open()
    for event in ContactEvent.objects.all():
        found = proof.of_event(event.id, actor=member)
        assert (found["path"]["events"], holds(written(found), found["root"])) == (size, True)


@ANYHOW
@given(VALUES)
def test_both_write_values_in_the_same_form(value):
    assert verify_proof.canonical(value) == tree.canonical(value)


def test_the_program_says_true_with_the_root_and_false_with_another(proved, tmp_path):
    (tmp_path / "proof.json").write_bytes(written(proved))
    right, wrong = (
        run(tmp_path / "proof.json", "--root", proved["root"]),
        run(tmp_path / "proof.json", "--root", "0" * 64),
    )
    assert (right.stdout, right.returncode, right.stderr) == ("true\n", 0, "")
    assert (wrong.stdout, wrong.returncode) == ("false\n", 1)
    assert wrong.stderr == "The root is not the one that was published.\n"


def test_without_a_root_the_program_says_how_little_that_proves(proved, tmp_path):
    (tmp_path / "proof.json").write_bytes(written(proved))
    alone = run(tmp_path / "proof.json")
    assert alone.returncode == 0
    assert alone.stdout.startswith("true\nWithout --root this proves only what the file itself claims.")
    assert proved["root"] in alone.stdout


MALFORMED = {
    "nothing": b"",
    "no JSON": b"{",
    "another thing": b"[]",
    "half a letter": b"\xff",
    "deep": b"[" * 100_000,
    "a huge number": b'{"a": ' + b"9" * 10_000 + b"}",
    "half a pair": b'{"format": "\\ud800"}',
    "other members": b'{"format": "salesconnect-proof/1"}',
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_file_is_false_with_one_clear_line(tmp_path, content):
    (tmp_path / "proof.json").write_bytes(content)
    answer = run(tmp_path / "proof.json", "--root", "0" * 64)
    assert (answer.stdout, answer.returncode) == ("false\n", 1)
    assert len(answer.stderr.splitlines()) == 1


def test_a_missing_file_or_a_root_that_is_none_is_false(proved, tmp_path):
    (tmp_path / "proof.json").write_bytes(written(proved))
    for words in ((tmp_path / "none.json",), (tmp_path / "proof.json", "--root", "abc")):
        assert run(*words).stdout == "false\n"


def test_it_may_have_passed_through_any_json_library(proved):
    for form in ({}, {"indent": 4}, {"ensure_ascii": False}, {"separators": (",", ":")}, {"sort_keys": True}):
        assert holds(json.dumps(proved, **form).encode(), proved["root"])


def test_notes_may_be_anything(proved):
    assert holds(written(proved | {"notes": ["Quite another text"]}), proved["root"])


@pytest.mark.parametrize("form", [{"indent": 2}, {"separators": (",", ":")}, {"indent": 2, "ensure_ascii": True}])
def test_no_byte_of_what_is_covered_can_be_another(proved, form):
    content = json.dumps(proved | {"notes": []}, **({"ensure_ascii": False} | form)).encode()
    assert holds(content, proved["root"])
    end = content.rindex(b'"notes"')
    for place in range(end):
        for other in (content[place] ^ 1, content[place] ^ 0x20, content[place] ^ 0x80, ord(" "), ord("0")):
            changed = bytearray(content)
            changed[place] = other
            assert changed == content or not holds(bytes(changed), proved["root"]), (place, bytes(changed))


def places(value, path=()):
    """Yield the way to each value inside a value."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


@settings(ANYHOW, max_examples=200)
@given(data=st.data())
def test_no_value_of_what_is_covered_can_be_another(proved, data):
    ways = [way for way in places(proved) if way and way[0] != "notes"]
    way, changed = data.draw(st.sampled_from(ways)), copy.deepcopy(proved)
    inner = changed
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = data.draw(VALUES | st.floats() | st.just(str(inner[way[-1]])))
    same = json.dumps(changed) == json.dumps(proved)
    assert holds(json.dumps(changed).encode(errors="surrogatepass"), proved["root"]) == same


@settings(ANYHOW, max_examples=200)
@given(content=st.binary(max_size=200), place=st.integers(0, 2_000), length=st.integers(0, 20))
def test_whatever_is_cut_out_or_put_in_it_is_false(proved, content, place, length):
    whole = json.dumps(proved | {"notes": []}, ensure_ascii=False).encode()
    place = min(place, whole.rindex(b'"notes"') - 1)
    changed = whole[:place] + content + whole[place + length :]
    assert changed == whole or not holds(changed, proved["root"])


def test_an_erased_event_is_still_proved_but_shows_no_values(events, member):
    event = ContactEvent.objects.get(id=events[6])
    erasure.delete(Contact.objects.filter(pk=event.contact_id), actor=member)
    found = proof.of_event(event.id, actor=member)
    assert (found["event"]["changes"], found["event"]["salt"]) == ({}, None)
    assert holds(written(found), found["root"])
    found["event"]["changes"] = {"reason": [None, "Quite another"]}
    assert not holds(written(found), found["root"])


def test_an_event_that_is_not_sealed_yet_is_sealed_at_once(person, api):
    person()
    event = ContactEvent.objects.get()
    answer = api.get(f"/api/v1/events/{event.id}/proof/")
    assert answer.status_code == 200
    assert sorted(answer.json()) == ["event", "format", "notes", "path", "root", "sealed_at"]
    assert holds(answer.content, answer.json()["root"])
    assert SealedLeaf.objects.count() == 1


def test_where_too_much_waits_the_answer_is_to_come_again(person, api, monkeypatch):
    person()
    monkeypatch.setattr(proof, "MAX_SEALS", 0)
    answer = api.get(f"/api/v1/events/{ContactEvent.objects.get().id}/proof/")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_sealed")


def test_an_unknown_event_is_missing(api):
    for number in (0, 10**12, 10**30):
        assert api.get(f"/api/v1/events/{number}/proof/").status_code == 404


def test_the_page_hands_out_a_file(events, signed_in):
    answer = signed_in.get(f"/events/{events[0]}/proof/")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="proof-{events[0]}.json"'
    assert holds(answer.content, json.loads(answer.content)["root"])

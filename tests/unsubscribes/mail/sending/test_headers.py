"""The bytes of a mail as a server gets them: RFC 2047 and RFC 5322."""

import re
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.card.legal_basis_registry import AuthorizationType
from compliance.card.rules import Authorization
from contacts.models import Contact
from contacts.people.rules import is_sendable, normalise_address
from unsubscribes.mail import gate, mailing
from unsubscribes.mail.compose import Draft
from unsubscribes.mail.sending import headers, send

WORD = re.compile(rb"=\?utf-8\?[bq]\?[^?]*\?=", re.IGNORECASE)
LONG = "å" * 200, "ö" * 200
PEOPLE = [
    ("Åsa", "Öberg"),
    ("María del Carmen", "Fernández-Rodríguez de la Vega y Sánchez"),
    LONG,
    ("Anna", 'Berg, PhD ("Nanna") \\ x'),
    ("A" * 200, "B" * 200),
    ("=?utf-8?q?Eve?=", "x"),
    ("😀" * 60, "李"),
]
SUBJECTS = [
    "Inbjudan till höstens frukostseminarium om dataskydd för säljande företag i Örebro län",
    "hej",
    "ö" * 255,
    "x" * 255,
    "=?utf-8?q?Urgent?=",
    "a " * 127,
    'An offer: 100 % off, "now"; see §1 – – –',
]


def lines_of(raw: bytes) -> list[bytes]:
    return raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n")


def assert_well_formed(head: list[bytes]) -> None:
    for line in head:
        assert line.isascii()
        assert line.strip() not in (b"", b"Subject:", b"To:", b"From:")
        assert len(line) <= (76 if WORD.search(line) else 998), line
        assert all(len(word) <= 75 for word in WORD.findall(line)), line


def shown(raw: bytes, field: str) -> str:
    """Return a field as a reader of RFC 2047 shows it: the parser of 3.11 puts spaces between the words of a name."""
    found = message_from_bytes(raw)[field]
    return str(make_header(decode_header(" ".join(found.split())))).replace('\\"', '"').replace("\\\\", "\\")


@pytest.mark.parametrize(
    ("subject", "name"), [*((SUBJECTS[0], name) for name in PEOPLE), *((subject, PEOPLE[0]) for subject in SUBJECTS)]
)
def test_a_mail_arrives_with_lines_and_words_of_allowed_length(sending, subject, name):
    raw = sending(subject, *name)
    assert_well_formed(lines_of(raw))
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert [line for line in lines_of(raw) if line.startswith(b"List-Unsubscribe: <http")]
    assert shown(raw, "Subject") == " ".join(subject.split())
    assert shown(raw, "To").replace('"', "") == f"{' '.join(' '.join(name).split())} <Anna.Berg@example.com>".replace(
        '"', ""
    )
    assert shown(raw, "From") == "Försäljning på Exempelföretaget i Örebro län Aktiebolag <us@xn--exmple-cua.se>"


@pytest.fixture
def sending(server, anna, member, settings):
    """Return a function that mails Anna under another name and returns the bytes that the server got."""
    settings.DEFAULT_FROM_EMAIL = "Försäljning på Exempelföretaget i Örebro län Aktiebolag <us@exämple.se>"

    def send_to(subject: str, first_name: str, last_name: str) -> bytes:
        Contact.objects.filter(pk=anna.pk).update(first_name=first_name, last_name=last_name)
        mailing.write_to_one(anna.pk, Draft(subject, "x" * 3_000 + "å"), actor=member)
        send.drain()
        [raw] = server.raw
        return raw

    return send_to


def test_the_link_to_unsubscribe_stays_on_one_line_however_long_the_site(server, written, settings):
    settings.SITE_URL = "https://" + ".".join(["x" * 60] * 3) + ".example/" + "y" * 300
    send.drain()
    [line] = [line for line in lines_of(server.raw[0]) if line.lower().startswith(b"list-unsubscribe:")]
    assert line.startswith(b"List-Unsubscribe: <https://")
    assert line.endswith(b"/>")


@given(st.text(max_size=300))
def test_any_text_comes_back_from_its_words(value):
    line = f"Subject: {headers.text('Subject', value)}"
    message = message_from_bytes(
        headers.HeaderPolicy().fold("Subject", line.removeprefix("Subject: ")).encode() + b"\n", policy=default
    )
    seen = headers.UNSEEN.sub(" ", value).encode(errors="replace").decode()
    assert "".join((message["Subject"] or "").split()) == "".join(seen.split())
    for word in WORD.findall(line.encode()):
        assert len(word) <= 75


@given(st.text(max_size=200))
def test_any_name_keeps_its_address(value):
    line = headers.mailbox("To", value, "a@example.com")
    message = message_from_bytes(f"To: {line}\n\n".encode(), policy=default)
    assert [each.addr_spec for each in message["To"].addresses] == ["a@example.com"]


@pytest.fixture
def asa(person):
    """Return somebody whose address has a letter outside ASCII before the @."""
    contract = Authorization(AuthorizationType.CONTRACT)
    return person(first_name="Åsa", email="åsa@post.example", authorization=contract)


def test_an_address_that_no_mail_reaches_is_told_at_the_door_and_mail_to_it_held(server, asa, api):
    told = api.get(f"/api/v1/contacts/{asa.pk}/verdict/").json()
    answer = api.post(f"/api/v1/contacts/{asa.pk}/mails/", {"subject": "hej", "body": "x"}, format="json")
    assert (told["verdict"], [reason["code"] for reason in told["reasons"]]) == ("may", ["authorization", "unsendable"])
    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (201, "held", "unsendable")
    send.drain()
    assert server.mails == []


def test_the_forecast_leaves_out_whom_no_mail_reaches(asa, anna, person):
    contract = Authorization(AuthorizationType.CONTRACT)
    person(email="lars@exämple.se", authorization=contract)
    assert gate.forecast(Contact.objects.all()) == {"unsendable": 1, gate.PASSES: 2}


@pytest.mark.parametrize("address", ["anna@example.com", "lars@exämple.se", "åsa@post.example", "ли@example.com"])
def test_the_gate_and_the_rule_agree_on_what_can_be_sent_to(person, address):
    somebody = person(email=address, authorization=Authorization(AuthorizationType.CONTRACT))
    [decision] = gate.decide(Contact.objects.filter(pk=somebody.pk))
    assert (decision.reason == gate.PASSES) == is_sendable(normalise_address(address))

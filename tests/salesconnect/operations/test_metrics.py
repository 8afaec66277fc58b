"""`/metrics`: off unless asked for, for those who are known, without data; and logs that machines read."""

import json
import logging
import re

import pytest
from django.test import Client
from django.utils import timezone

from contacts.accounts import tokens
from exports.models import RecordCheck
from salesconnect.lib.web.redaction import JsonFormatter
from tests.unsubscribes.crm.conftest import connected, org, running_org, sync, unsubscribe  # noqa: F401

LINE = re.compile(r'salesconnect_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?\d+(\.\d+)?')


@pytest.fixture
def asked(settings) -> None:
    """Ask for the figures, as the environment does."""
    settings.METRICS = True


def test_they_are_off_unless_asked_for(signed_in):
    assert signed_in.get("/metrics").status_code == 404


def test_strangers_get_none(asked, db):
    assert Client().get("/metrics").status_code == 401
    assert Client().get("/metrics", headers={"Authorization": "Token nonsense"}).status_code == 401


@pytest.mark.parametrize("scheme", ["Token", "Bearer"])
def test_a_program_gets_them_with_a_token(asked, charlie, scheme):
    answer = Client().get("/metrics", headers={"Authorization": f"{scheme} {tokens.make(charlie, 'Prometheus')}"})
    assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, "text/plain")
    assert "salesconnect_sync_connected 0" in answer.content.decode().splitlines()


def test_they_tell_how_the_sync_stands_and_nothing_of_people(asked, signed_in, org, sync, person, unsubscribe):  # noqa: F811, PLR0917
    anna = person(email="anna@example.com")
    [hers] = org.create("Contact", {"LastName": "Berg", "Email": "anna@example.com"})
    sync()
    unsubscribe(anna)
    org.record_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "anna@example.com", times=1)
    sync()
    lines = signed_in.get("/metrics").content.decode().splitlines()
    figures = [line for line in lines if not line.startswith("# ")]
    assert [line for line in figures if not LINE.fullmatch(line)] == []
    for wanted in (
        "salesconnect_sync_connected 1",
        'salesconnect_sync_state{state="active"} 1',
        'salesconnect_sync_outbox{state="dead"} 1',
        'salesconnect_sync_errors{code="FIELD_CUSTOM_VALIDATION_EXCEPTION"} 1',
        "salesconnect_sync_token_refreshes_total 2",
    ):
        assert wanted in figures
    told = "\n".join(lines)
    assert [word for word in ("example.com", hers, org.client_secret, "00D") if word in told] == []


def test_they_tell_what_the_last_check_of_the_records_left(asked, signed_in):
    left = [{"check": "tallies", "count": 3, "example": "authorization 1", "mended": 1, "left": 2}]
    RecordCheck.objects.create(finished_at=timezone.now(), found=3, left=2, differences=left)
    lines = signed_in.get("/metrics").content.decode().splitlines()
    assert 'salesconnect_record_differences{check="tallies"} 2' in lines
    assert [line for line in lines if not line.startswith("# ") and not LINE.fullmatch(line)] == []


def test_a_line_of_the_log_is_json_without_addresses_and_tokens():
    exception = (ValueError, ValueError("Key (email)=(anna@example.com)"), None)
    said = "sent Authorization: Bearer 00DQE0000000001!AQ.x for %s, client_secret=s3cret"
    record = logging.LogRecord("sync", logging.ERROR, "x.py", 1, said, ("anna@example.com",), exception)
    line = JsonFormatter().format(record)
    told = json.loads(line)
    assert (told["level"], told["logger"], "\n" in line) == ("ERROR", "sync", False)
    assert told["message"] == "sent Authorization: Bearer … for …@…, client_secret=…"
    assert told["time"].endswith("+00:00")
    assert [word for word in ("anna@", "00DQE", "s3cret") if word in line] == []

"""Erasures by retention whose worker is killed in the middle: none twice, none left out."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from contacts.jobs import batches
from contacts.models import Batch, BatchChunk, Contact
from exports.models import RetentionCase
from exports.retention import retention, retention_rules
from salesconnect.lib.actor import system
from tests.soak import sized

PEOPLE = sized(600, 20_000)
# Named by the module itself, which may move.
WORKER = f"import django; django.setup(); import {batches.__name__} as batches\nwhile batches.run({{batch}}): pass"


@pytest.mark.soak
@pytest.mark.race
def test_a_killed_run_goes_on_where_it_was(transactional_db, settings, tmp_path, administrator, monkeypatch):
    settings.ERASURE_LEDGER = str(tmp_path / "erasures.jsonl")
    monkeypatch.setattr(batches, "CHUNK", PEOPLE // 20)
    monkeypatch.setattr(batches, "INLINE_LIMIT", 0)
    batch = _ordered(administrator)
    worker = _worker(batch, settings.ERASURE_LEDGER)
    _wait_for(worker, lambda: BatchChunk.objects.filter(batch=batch, done=True).count() >= 3)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    left = Contact.objects.count()
    assert 10 < left < PEOPLE + 10
    assert _worker(batch, settings.ERASURE_LEDGER).wait(timeout=900) == 0
    batch.refresh_from_db()
    assert (batch.state, batch.changed, batch.refused) == ("done", PEOPLE, {})
    assert (Contact.objects.count(), RetentionCase.objects.count()) == (10, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(DISTINCT contact_id) FROM contacts_contactevent WHERE action = 'deleted'"
        )
        assert cursor.fetchone() == (PEOPLE, PEOPLE)
    lines = [json.loads(line)["contact"] for line in Path(settings.ERASURE_LEDGER).read_text().splitlines()]
    # What was under way when the worker was killed may stand there twice, but nobody is missing.
    assert len(set(lines)) == PEOPLE


def _ordered(administrator) -> Batch:
    """Return the batch of a run that erases almost everybody."""
    call_command("seed_contacts", PEOPLE + 10, verbosity=0)
    old = timezone.now() - dt.timedelta(days=4_000)
    kept = Contact.objects.order_by("id")[:10].values("pk")
    Contact.objects.exclude(pk__in=list(kept.values_list("pk", flat=True))).update(created_at=old)
    values = {"name": "Old", "age_months": 60, "step": "erase", "warn_days": 1}
    retention_rules.save(values, actor=administrator)
    retention.run(actor=system("task"))
    RetentionCase.objects.update(warned_at=old)
    Batch.objects.all().update(state="done")
    return retention.run(actor=system("task")).batch


def _worker(batch: Batch, ledger: str) -> subprocess.Popen:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "SALESCONNECT_DATA": str(settings.DATA_DIR),
        "SALESCONNECT_TEST_DATABASE": connection.settings_dict["NAME"],
        "SALESCONNECT_LEDGER": ledger,
    }
    return subprocess.Popen([sys.executable, "-c", WORKER.format(batch=batch.pk)], env=environment)


def _wait_for(worker: subprocess.Popen, happened) -> None:
    deadline = time.monotonic() + 600
    while not happened():
        assert worker.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)

"""The memory that a read of everything takes does not grow with the number of records."""

import subprocess

import pytest

from tests.soak import sized
from tests.unsubscribes.crm.runs.test_running_crashes import command
from unsubscribes.crm.models import SyncConnection, SyncCursor, SyncRecord

FEW, MANY = sized((2_000, 12_000), (10_000, 200_000))
MORE = 1.25
CHILD = """
import resource
import django
django.setup()
from django.core.management import call_command
call_command("sync_salesforce", "--full", "--pull")
print("kilobytes", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

pytestmark = [pytest.mark.soak, pytest.mark.race, pytest.mark.django_db(transaction=True)]


def kilobytes(org, number: int) -> int:
    """Return the most memory that a process of its own took to read so many records."""
    org.generate("Contact", number, fields={"LastName": "N{n}", "Email": f"n{{n}}-{number}@example.com"})
    done: subprocess.CompletedProcess = command("-c", CHILD)
    assert done.returncode == 0, done.stderr
    assert SyncRecord.objects.count() >= number
    return int(done.stdout.rsplit("kilobytes", 1)[1])


def test_many_times_the_records_take_the_same_memory(org, connected):
    few = kilobytes(org, FEW)
    many = kilobytes(org, MANY)
    assert many < MORE * few, (few, many)
    assert SyncCursor.objects.filter(watermark=None).count() == 0
    assert SyncConnection.objects.get().state == "active"

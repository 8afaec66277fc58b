"""What is told of trouble is told from its cause."""

import errno

import pytest
from django.db import DataError, OperationalError, connection, transaction

from salesconnect.lib.database import failures
from salesconnect.lib.database.failures import FailureKind

RAISE = "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{}'; END $$"


@pytest.mark.parametrize(
    ("state", "kind", "status"),
    [
        ("53100", FailureKind.DISK_FULL, 507),
        ("55P03", FailureKind.LOCKED, 503),
        ("57014", FailureKind.TOO_SLOW, 503),
        ("40P01", FailureKind.CLASHED, 503),
        ("40001", FailureKind.CLASHED, 503),
        ("53300", FailureKind.CROWDED, 503),
        ("25006", FailureKind.READ_ONLY, 503),
        ("57P01", FailureKind.AWAY, 503),
    ],
)
def test_trouble_of_the_database_is_told_by_its_state(db, state, kind, status):
    with pytest.raises(Exception, match="x") as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RAISE.format(state))
    known = failures.classify(caught.value)
    assert (known.kind, known.status) == (kind, status)


def test_a_full_disk_is_told_wherever_it_is_met():
    assert failures.classify(OSError(errno.ENOSPC, "x")).kind == FailureKind.DISK_FULL
    assert failures.classify(OSError(errno.EDQUOT, "x")).kind == FailureKind.DISK_FULL
    assert (
        failures.classify(OperationalError('FATAL: could not write "x": No space left on device')).kind
        == FailureKind.DISK_FULL
    )


@pytest.mark.parametrize("problem", [OSError(errno.ENOENT, "x"), DataError("x"), ValueError("x"), None])
def test_a_fault_is_no_trouble(problem):
    assert failures.classify(problem) is None

"""The one place that repeats a transaction which PostgreSQL ended because of a concurrent one.

Locks are taken in one order (`compliance.suppression.address_locks`), but foreign keys and unique indexes take locks of
their own. PostgreSQL therefore still ends a transaction now and then, for a deadlock (SQLSTATE 40P01) or a
serialization failure (40001). The act itself is sound, so it is run again.
"""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

from salesconnect.lib.database import failures

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 6
FIRST_DELAY = 0.02


def is_retryable(problem: BaseException | None) -> bool:
    """Tell whether PostgreSQL ended the transaction for a deadlock or a serialization failure."""
    known = failures.classify(problem)
    return known is not None and known.kind is failures.FailureKind.CLASHED


def retried(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function so that it runs again, up to six times, when `is_retryable` holds of its error.

    Inside a transaction of the caller it runs once: only the outermost transaction can be repeated. The function must
    change nothing but the database, and take no iterator that can be read only once.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for number in range(TRIES - 1):
            try:
                return function(*args, **kwargs)
            except OperationalError as problem:
                if not is_retryable(problem):
                    raise
            # Random delays, else the same transactions would collide again.
            time.sleep(random.uniform(0, FIRST_DELAY * 2**number))  # noqa: S311 - nothing secret
        return function(*args, **kwargs)

    return call


def act(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function in one transaction that is repeated after a deadlock; see `retried`."""
    return retried(transaction.atomic(function))

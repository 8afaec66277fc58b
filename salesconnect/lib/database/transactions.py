"""Transactions that PostgreSQL gives up for the good of another one are done again, here and nowhere else.

Locks are taken in one order (`compliance.suppression.address_locks`), but foreign keys and unique indexes take some of
their own. Where two transactions wait for each other all the same, PostgreSQL ends one of them (40P01), and one that it
cannot put into an order with another likewise (40001). Nothing is wrong with the act: it is to be done once more.
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
    """Tell whether PostgreSQL ended a transaction only because it met another one."""
    known = failures.classify(problem)
    return known is not None and known.kind is failures.FailureKind.CLASHED


def retried(function: Callable[P, R]) -> Callable[P, R]:
    """Call a function again when PostgreSQL gave up its transaction; within a larger one that one is repeated.

    The function must change nothing but the database, and take no iterator that can be read only once.
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
            # Those that met are to part: each waits another while.
            time.sleep(random.uniform(0, FIRST_DELAY * 2**number))  # noqa: S311 - nothing secret
        return function(*args, **kwargs)

    return call


def act(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function one transaction that is repeated when PostgreSQL gave it up; see `retried`."""
    return retried(transaction.atomic(function))

"""How long the database may let its callers wait: time limits that travel with each statement.

PgBouncer may hand each transaction to another server process, so a limit must neither outlive a transaction nor come as
an option of the connection. It is therefore set in front of every statement, in the same message: PostgreSQL takes
both as one transaction, with `SET LOCAL`, and no round trip is added.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

Execute = Callable[[Any, Any, bool, dict[str, Any]], Any]
# In a transaction that has failed, these are all that is taken.
_ALLOWED_AFTER_FAILURE = ("ROLLBACK", "RELEASE", "SAVEPOINT")
# How long the request of this thread has waited for the thread; that is part of what its caller waits.
WAITED_FOR_THREAD: ContextVar[float] = ContextVar("waited", default=0.0)
# Where everybody waits for one lock, each who has waited for a thread long enough makes those behind wait so much more.
MIN_LOCK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class StatementLimits:
    """Seconds: for a statement, for a lock that it waits for, and for a transaction in which nothing happens."""

    statement: float
    lock: float
    idle: float

    def left(self) -> "StatementLimits":
        """Return the limits of a request that has waited for its thread: so much less it may wait for a lock."""
        return replace(self, lock=min(self.lock, max(MIN_LOCK_SECONDS, self.lock - WAITED_FOR_THREAD.get())))

    def wrapper(self) -> Callable[..., Any]:
        """Return what runs a statement under the limits; see `BaseDatabaseWrapper.execute_wrapper`."""
        prefix = "".join(
            f"SET LOCAL {name} = {seconds * 1000:.0f}; "
            for name, seconds in (("statement_timeout", self.statement), ("lock_timeout", self.lock))
        )
        opening = f"SET LOCAL idle_in_transaction_session_timeout = {self.idle * 1000:.0f}; "

        def execute(run: Execute, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
            connection: BaseDatabaseWrapper = context["connection"]
            if not isinstance(sql, str) or sql.startswith(_ALLOWED_AFTER_FAILURE):
                return run(sql, params, many, context)
            within = "" if connection.get_autocommit() else opening
            return run(prefix + within + sql, params, many, context)

        return execute

    @contextmanager
    def held(self) -> Iterator[None]:
        """Put every statement of this thread inside under the limits."""
        wrapper = self.wrapper()
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(wrapper))
            yield

    def hold(self) -> None:
        """Put every statement of this thread under the limits from now on."""
        for connection in connections.all():
            connection.execute_wrappers.append(self.wrapper())

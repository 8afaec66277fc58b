"""Time limits for statements, sent with each statement.

PgBouncer may run each transaction on another server process, so a limit must neither outlive its transaction nor be an
option of the connection. It is therefore set with `SET LOCAL` in the same message as the statement: PostgreSQL runs
both in one transaction, and no round trip is added.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

Execute = Callable[[Any, Any, bool, dict[str, Any]], Any]
# A failed transaction refuses every statement but these, `SET` among them.
_ALLOWED_AFTER_FAILURE = ("ROLLBACK", "RELEASE", "SAVEPOINT")
# How long the current request has queued for a thread; its caller has waited that long already.
WAITED_FOR_THREAD: ContextVar[float] = ContextVar("waited", default=0.0)
# A request that queued too long may still wait this long for a lock; short, for those behind it wait as well.
MIN_LOCK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class StatementLimits:
    """Limits in seconds: for one statement, for waiting for a lock, and for an idle transaction."""

    statement: float
    lock: float
    idle: float

    def left(self) -> "StatementLimits":
        """Return these limits less the time for which the request queued: it may wait that much less for a lock."""
        return replace(self, lock=min(self.lock, max(MIN_LOCK_SECONDS, self.lock - WAITED_FOR_THREAD.get())))

    def wrapper(self) -> Callable[..., Any]:
        """Return the function for `BaseDatabaseWrapper.execute_wrapper` that sets the limits."""
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
        """Apply the limits to every statement of this thread inside the `with` block."""
        wrapper = self.wrapper()
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(wrapper))
            yield

    def hold(self) -> None:
        """Apply the limits to every statement of this thread from now on."""
        for connection in connections.all():
            connection.execute_wrappers.append(self.wrapper())

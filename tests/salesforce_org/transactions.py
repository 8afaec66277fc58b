"""Work that was stamped when it was done and is seen only when it is committed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.salesforce_org.clock import Clock

Work = Callable[[], None]


@dataclass
class Transaction:
    """An open transaction: since when, what it will do, which records it holds."""

    started: int
    work: list[Work] = field(default_factory=list)
    held: set[str] = field(default_factory=set)


class Transactions:
    """The open ones, by name."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.open: dict[str, Transaction] = {}
        self._count = 0

    def begin(self) -> str:
        """Open a transaction; return its name."""
        self._count += 1
        name = f"transaction-{self._count}"
        self.open[name] = Transaction(self.clock.now())
        return name

    def do(self, work: Work, ids: Iterable[str], transaction: str | None) -> None:
        """Do work now, or keep it for the commit of a transaction, which then holds the records until then."""
        if transaction is None:
            work()
        else:
            self.open[transaction].work.append(work)
            self.open[transaction].held.update(ids)

    def finish(self, name: str, *, commit: bool) -> None:
        """Let all of a transaction's work be seen at once, or forget it."""
        transaction = self.open.pop(name)
        for work in transaction.work if commit else []:
            work()

    def holds(self, record_id: str) -> bool:
        """Whether an open transaction has changed a record."""
        return any(record_id in transaction.held for transaction in self.open.values())

    def oldest_start(self) -> int | None:
        """Return when the longest-running transaction began, None when none is open."""
        return min((transaction.started for transaction in self.open.values()), default=None)

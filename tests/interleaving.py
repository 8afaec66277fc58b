"""Acts that run at once: started together, or one while the other has acted and not committed."""

import time
from collections.abc import Callable
from threading import Barrier, Event, Thread

from django.db import connection, transaction

Act = Callable[[], object]


def at_once(*acts: Act) -> None:
    """Run the acts in threads that start together; none may fail."""
    barrier, faults = Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        try:
            barrier.wait()
            act()
        except Exception as fault:  # noqa: BLE001 - told below
            faults.append(fault)
        finally:
            connection.close()

    threads = [Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def overlapping(first: Act, second: Act) -> None:
    """Run `second` after `first` has acted, while its transaction is open; neither may fail.

    The transaction of `first` is committed when `second` waits for a lock of it, or has ended.
    """
    acted, ended, sessions, faults = Event(), Event(), [], []

    def act_and_wait() -> None:
        with transaction.atomic():
            first()
            acted.set()
            until(lambda: ended.is_set() or (sessions and _waits(sessions[0])))

    def follow() -> None:
        acted.wait(30)
        sessions.append(_session())
        second()

    def guarded(run: Act, done: Event) -> None:
        try:
            run()
        except Exception as fault:  # noqa: BLE001 - told below
            faults.append(fault)
        finally:
            done.set()
            connection.close()

    threads = [Thread(target=guarded, args=(act_and_wait, acted)), Thread(target=guarded, args=(follow, ended))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def apart(act: Act) -> None:
    """Let an act happen in the thread that calls this, with a connection of its own."""
    try:
        act()
    finally:
        connection.close()


def waiting() -> int:
    """Return how many locks are waited for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds; not for ever."""
    for _look in range(3_000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("It never came to that.")


def _session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def _waits(session: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", [session])
        return cursor.fetchone() == (True,)

"""Starting, finding and ending the processes of the embedded servers."""

import ctypes
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel (Linux) to send this process a signal when its parent dies, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))


def _attach(number: signal.Signals) -> Callable[[], None]:
    def prepare() -> None:
        die_with_parent(number)
        # A signal to the whole group must not take the servers from under those that still work; PostgreSQL sets
        # its own mask and therefore gets it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})

    return prepare


def spawn(
    command: list[str], *, log: Path | None, owner: dict[str, Any], orphan_signal: signal.Signals
) -> subprocess.Popen[bytes]:
    """Start a server in the background, as the account that `owner` names in subprocess's words.

    With a log file it gets a session of its own and outlives the caller. Without one it stays in the caller's process
    group, dies with the caller (by `orphan_signal`), and the caller reads its output from a pipe.
    """
    always: dict[str, Any] = {"cwd": "/", "stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, **owner}
    if log is None:  # only `up` asks for it, which has one thread, so that code between fork and exec is safe
        return subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=_attach(orphan_signal), **always)  # noqa: PLW1509, S603
    with log.open("wb") as output:
        return subprocess.Popen(command, stdout=output, start_new_session=True, **always)  # noqa: S603


def find(*marks: str) -> list[psutil.Process]:
    """Return the living processes of this machine whose command line or title holds all the marks."""
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            if all(mark in line for mark in marks) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def end(processes: list[psutil.Process], signals: list[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn, waiting its seconds, until all the processes are gone."""
    for number, seconds in signals:
        for process in processes:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        _, processes = psutil.wait_procs(processes, timeout=seconds)
        if not processes:
            return

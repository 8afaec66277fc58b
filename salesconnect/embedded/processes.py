"""Starting, finding and ending the processes of the embedded servers."""

import contextlib
import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

PR_SET_PDEATHSIG = 1
Process = subprocess.Popen[bytes]


def die_with_parent(number: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel (Linux) to send this process a signal when its parent ends, even if that is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))


def attach(
    command: list[str], *, orphan_signal: signal.Signals = signal.SIGKILL, shielded: bool = False, **how: Any
) -> Process:
    """Start a program in the caller's process group. It ends with the caller, who reads its output from a pipe.

    A `shielded` one ignores SIGINT and SIGTERM sent to the group, so that the others can finish their work with it.
    `how` is passed to subprocess. Only for single-threaded callers, because Python code runs between fork and exec.
    """

    def prepare() -> None:
        die_with_parent(orphan_signal)
        if shielded:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})

    how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **how}
    return subprocess.Popen(command, preexec_fn=prepare, **how)  # noqa: PLW1509, S603 - see above; commands are ours


def detach(command: list[str], *, log: Path, **how: Any) -> Process:
    """Start a program in a session of its own, in which it outlives the caller; its output goes to `log`."""
    with log.open("wb") as output:
        how = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT, **how}
        return subprocess.Popen(command, start_new_session=True, **how)  # noqa: S603 - commands are ours


def find(*marks: str) -> list[psutil.Process]:
    """Return the running processes whose command line or title contains all the marks."""
    return [process for process in psutil.process_iter() if _holds(process, marks) and _lives(process)]


def end(processes: list[psutil.Process], signals: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send the signals in turn, each followed by a wait, until all processes have ended."""
    for number, seconds in signals:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        deadline = time.monotonic() + seconds
        while processes and time.monotonic() < deadline:
            time.sleep(0.01)
            processes = [process for process in processes if _lives(process)]


def _holds(process: psutil.Process, marks: tuple[str, ...]) -> bool:
    try:
        line = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return all(mark in line for mark in marks)


def _lives(process: psutil.Process) -> bool:
    """Tell whether a process is running; zombies are not."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False

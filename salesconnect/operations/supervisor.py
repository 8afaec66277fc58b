"""Keeps the processes of an installation running, forwards their output, and stops them in order."""

import contextlib
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from salesconnect.embedded.processes import Process

FIRST_DELAY, LONGEST_DELAY = 0.5, 20.0
TICK_SECONDS = 0.25


@dataclass
class Child:
    """A process to be kept running: how to start and stop it, and how to tell whether it is alive."""

    name: str
    start: Callable[[], Process | None]
    stop: Callable[["Child"], None]
    alive: Callable[[], bool] = lambda: False  # only for a server that another process started
    process: Process | None = None
    since: float = field(default_factory=time.monotonic)
    delay: float = FIRST_DELAY
    due: float | None = None

    def gone(self) -> bool:
        return not self.alive() if self.process is None else self.process.poll() is not None


def terminate(seconds: float) -> Callable[[Child], None]:
    """Return a function that stops a child with SIGTERM, and after some seconds with SIGKILL."""

    def stop(child: Child) -> None:
        if child.process is None or child.gone():
            return
        child.process.terminate()
        deadline = time.monotonic() + seconds
        while not child.gone():
            if time.monotonic() > deadline:
                child.process.kill()
            time.sleep(0.05)

    return stop


@dataclass
class _Output:
    """The output of a child, split into lines; an incomplete line is kept for the next chunk."""

    name: str
    rest: bytes = b""

    def lines(self, chunk: bytes) -> list[str]:
        *whole, self.rest = (self.rest + chunk).split(b"\n")
        return [line.decode(errors="replace").rstrip() for line in whole]


class Supervisor:
    """Runs children until SIGINT or SIGTERM, then stops them in the order in which they were added."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.children: list[Child] = []
        self.pipes = selectors.DefaultSelector()
        self.stopping = False
        self.reason = "make was interrupted"
        self.parent = os.getppid()
        self.under_make = _name(self.parent) == "make"

    def listen(self) -> None:
        """Turn the first SIGINT or SIGTERM into KeyboardInterrupt; ignore others, which would interrupt the stop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._interrupt)

    def add(self, child: Child) -> None:
        self.children.append(child)
        self._listen_to(child)

    def run(self, *each_tick: Callable[[], None]) -> None:
        """Watch the children until a signal comes; call each of `each_tick` about once a second."""
        due = 0.0
        with contextlib.suppress(KeyboardInterrupt):
            while not self._make_was_interrupted():
                self._pass_output_on()
                for child in self.children:
                    self._look_after(child)
                if time.monotonic() >= due:
                    for act in each_tick:
                        act()
                    due = time.monotonic() + 1

    def stop(self) -> None:
        self.stopping = True
        self.say(f"Stopping everything, for {self.reason}")
        for child in self.children:
            self.say(f"Stopping {child.name}")
            child.stop(child)
            self._pass_output_on()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self.stopping:
            self.stopping = True
            self.reason = f"{signal.Signals(number).name} came"
            raise KeyboardInterrupt

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.due is None and child.gone():
            if now - child.since > LONGEST_DELAY:
                child.delay = FIRST_DELAY
            child.due = now + child.delay
            self.say(f"{child.name} {_end_of(child)}; it is started again in {child.delay:g} s")
        elif child.due is not None and now >= child.due:
            child.process = child.start()
            child.since, child.due, child.delay = now, None, min(child.delay * 2, LONGEST_DELAY)
            self._listen_to(child)

    def _listen_to(self, child: Child) -> None:
        if child.process is not None and child.process.stdout is not None:
            os.set_blocking(child.process.stdout.fileno(), False)  # one silent child must not block the others' output
            self.pipes.register(child.process.stdout, selectors.EVENT_READ, _Output(child.name))

    def _pass_output_on(self) -> None:
        for key, _ in self.pipes.select(TICK_SECONDS):
            pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
            chunk = pipe.read()
            for line in key.data.lines(chunk or b""):
                self.say(line if line.startswith("{") else f"{key.data.name:8} | {line}")
            if chunk == b"":
                self.pipes.unregister(pipe)
                pipe.close()

    def _make_was_interrupted(self) -> bool:
        """Tell whether the make that started us has ended or received SIGINT.

        On SIGTERM make terminates its children. On SIGINT it only waits for them, assuming that the terminal sent the
        signal to the whole group; while it waits, the kernel shows SIGINT as blocked in make's status.
        """
        if not self.under_make or sys.platform != "linux":
            return False
        return os.getppid() != self.parent or bool(_blocked(self.parent) >> (signal.SIGINT - 1) & 1)


def _end_of(child: Child) -> str:
    code = child.process.returncode if child.process else None
    if code is None:
        return "is gone"
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _blocked(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigBlk"))

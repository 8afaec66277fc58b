"""Whatever is done, by whom, through which door and when: the history tells it, nobody can bend it, a no stands."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.history_machine.machine import HistoryMachine

EXAMPLES, STEPS = (250, 40) if os.environ.get("SOAK") else (10, 25)


@pytest.fixture
def machine(movable_clock, alice, bob, monkeypatch):
    """Return the machine with its users."""
    monkeypatch.setattr(HistoryMachine, "users", (alice, bob), raising=False)
    return HistoryMachine


def test_whatever_is_done_the_history_tells_it(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not os.environ.get("SOAK"),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )

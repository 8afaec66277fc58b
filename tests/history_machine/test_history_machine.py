"""Whatever is done, by whom, through which door and when: the history tells it, nobody can bend it, a no stands."""

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.history_machine.machine import HistoryMachine
from tests.soak import SOAK, seeds, sized

EXAMPLES, STEPS = sized((10, 25), (10, 40))


@pytest.fixture
def machine(movable_clock, alice, bob, monkeypatch):
    """Return the machine with its users."""
    monkeypatch.setattr(HistoryMachine, "users", (alice, bob), raising=False)
    return HistoryMachine


@pytest.mark.soak
@pytest.mark.parametrize("drawn_from", seeds(1, 8))
def test_whatever_is_done_the_history_tells_it(machine, drawn_from):
    run_state_machine_as_test(
        seed(drawn_from)(machine) if SOAK else machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not SOAK,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )

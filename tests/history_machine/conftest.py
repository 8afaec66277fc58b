import pytest

pytest.register_assert_rewrite("tests.history_machine.checks", "tests.history_machine.fold")

from tests.history_machine import clock  # noqa: E402 - after the modules whose asserts are to tell what they found


@pytest.fixture
def movable_clock(db):
    """Let the database's clock be moved, before anybody is made."""
    clock.make_movable()

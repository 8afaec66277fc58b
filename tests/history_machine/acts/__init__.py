"""Every act on people, through every door."""

from tests.history_machine.acts import cards, mail, people, rights, team  # noqa: F401 - they fill the table
from tests.history_machine.acts.table import ACTS, Act

__all__ = ["ACTS", "Act"]

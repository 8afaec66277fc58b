"""Acts on people, each declared once, in a file of its own: who may, what it does, how it is taken back, its words.

Worker, API, page, task list and the tests of rights read them here. The packages `acts` of the apps hold them; a file
that is put into one of these is found by itself.
"""

import pkgutil
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import ClassVar, TypeVar

from django.utils.translation import ngettext

from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.outcome import Outcome
from salesconnect.lib.text import Text


class Act:
    """An act that an order carries out, chunk by chunk."""

    kind: ClassVar[str]
    """Names the act in orders, addresses and templates."""
    right: ClassVar[str]
    action: ClassVar[str]
    """The kind of event that the act writes to the history of each person."""
    asks_recent: ClassVar[bool] = False
    """Whether it needs a sign-in of the last ten minutes: what nothing brings back does."""
    undoable: ClassVar[bool] = False
    chunks: ClassVar[int] = 1
    """How many chunks are done in one transaction; more than one where the act locks nobody."""
    kept_params: ClassVar[Sequence[str]] = ()
    """Which parameters an old order keeps for its headline. All others are forgotten, for they may name people."""
    refusals: ClassVar[Mapping[str, Text]] = {}
    """Words for the act's own reasons to leave somebody out, by reason; what many acts have in common needs none."""

    def demand(self, actor: Actor) -> None:
        """Raise `Forbidden`, or `SignInAgain`, unless the actor may give such an order now."""
        if self.asks_recent:
            actor.require_recent(self.right)
        else:
            actor.require(self.right)

    def run(self, contacts: ContactQuerySet, batch: Batch, actor: Actor) -> Outcome:
        raise NotImplementedError

    def take_back(self, contacts: ContactQuerySet, undone: Batch, batch: Batch, actor: Actor) -> Outcome:
        """Restore for one chunk what the order `undone` changed; `batch` is the order that does it."""
        raise NotImplementedError

    def headline(self, batch: Batch) -> str:
        """Return what was ordered, in words: “Authorization: Contract”."""
        raise NotImplementedError

    def done(self, n: int) -> str:
        """Return in a sentence what was done; `%(n)s` stands for the number of people who were changed."""
        return ngettext("%(n)s person changed.", "%(n)s people changed.", n)


ACTS: dict[str, Act] = {}
Declared = TypeVar("Declared", bound=type[Act])


def register(declared: Declared) -> Declared:
    ACTS[declared.kind] = declared()
    return declared


def load(package: str) -> None:
    """Import every module of a package, so that the acts declared there are registered."""
    for module in pkgutil.iter_modules(import_module(package).__path__):
        import_module(f"{package}.{module.name}")

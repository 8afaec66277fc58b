"""Acts that are ordered for a selection of people: what they ask, what they count beforehand, how they are ordered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from contacts.jobs import batches
from contacts.jobs.acts import ACTS, Act
from contacts.jobs.parameters import Parameter, Values
from contacts.models import Batch
from contacts.people.queries import ContactQuerySet
from salesconnect.lib.actor import Actor
from salesconnect.lib.text import Text

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counts:
    """What an order would come to: the dry run that page and API show.

    `refused` counts by reason who would be left out. The rest is what else somebody should know who gives the order:
    consents that end, or whose date and purpose are replaced, and people who had unsubscribed.
    """

    total: int
    change: int
    refused: Mapping[str, int] = field(default_factory=dict)
    consents_ended: int = 0
    consents_replaced: int = 0
    unsubscribed: int = 0

    @property
    def unchanged(self) -> int:
        return self.total - self.change - sum(self.refused.values())

    @property
    def restricted(self) -> int:
        """Return how many would be left out because processing is restricted."""
        return self.refused.get("restricted", 0)


class SelectedAct(Act):
    """An act on the people whom somebody has selected. The docstring says in the API's documentation what it does."""

    parameters: ClassVar[Sequence[Parameter]] = ()
    asks_first: ClassVar[bool] = False
    """Whether nothing can be counted before the parameters are known."""
    label: ClassVar[Text]
    """The act in one word or two, as the selection bar has it."""
    hint: ClassVar[Text] = ""
    """What to fill in so that the effect can be counted, for acts that ask first."""

    def params(self, values: Values) -> Params:
        """Return validated values of a form or of a body as an order stores them. Raises `Invalid`."""
        stored: Params = {}
        for parameter in self.parameters:
            stored |= parameter.stored(values)
        return stored

    def preview(self, people: ContactQuerySet, params: Params) -> Counts:
        """Count, without changing anything, what the order would come to."""
        raise NotImplementedError

    def order(
        self,
        people: ContactQuerySet,
        params: Params,
        *,
        actor: Actor,
        selection: dict[str, Any] | None = None,
        missing: int = 0,
        approved: int | None = None,
    ) -> Batch:
        """Give the order; the rest is as in `batches.order`."""
        return batches.order(
            people, self.kind, actor=actor, params=params, selection=selection, missing=missing, approved=approved
        )

    def title(self, n: int) -> str:
        """Return the heading of the dialog; `%(n)s` stands for the number of people selected."""
        raise NotImplementedError

    def button(self, n: int) -> str:
        """Return the words of its button; `%(n)s` stands for the number of people who would change."""
        raise NotImplementedError


def selected_acts() -> dict[str, SelectedAct]:
    return {kind: act for kind, act in ACTS.items() if isinstance(act, SelectedAct)}


def selected_act(kind: str) -> SelectedAct:
    """Return the act of a kind. Raises `KeyError`."""
    return selected_acts()[kind]
